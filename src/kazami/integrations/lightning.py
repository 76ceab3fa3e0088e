"""Lightning: ``Trainer(callbacks=[KazamiCallback()])`` (the package ``lightning``, or ``pytorch_lightning`` where that is the one in use)."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..errors import CannotWatch
from ..sinks import AbstractSink
from ._base import AbstractCallback, Attachment

if TYPE_CHECKING or "pytorch_lightning" not in sys.modules or "lightning" in sys.modules:
    from lightning.pytorch import Callback
else:
    from pytorch_lightning import Callback


class KazamiCallback(AbstractCallback, Callback):  # type: ignore[misc]  # untyped where Lightning is not installed
    """Watches every ``trainer.fit``, from its first training batch on: the sanity check before it is no training.

    Args:
        run: A run directory to write; where it is taken, ``-2``, ``-3`` and so on are added.
        every: Record every so many steps; by default the measured cost decides.
        dynamics: Measure sharpness and local Lyapunov exponents at every step, whatever it costs.
        sinks: Loggers that get the numbers, the findings and the report too, as `kazami.watch` takes them.

    Limits:
        Strategies that train in processes forked or spawned by Lightning (``ddp_spawn``, ``ddp_fork``, ``ddp_notebook``) are refused: no finding would come
        back from there. ``ddp`` and ``fsdp`` start the script itself once for each rank. Optimizers that are not torch's (DeepSpeed) are not seen.
    """

    def __init__(self, *, run: str | None = None, every: int | None = None, dynamics: bool = False, sinks: Iterable[str | AbstractSink] = ()) -> None:
        self.attachment_ = Attachment(run=run, every=every, dynamics=dynamics, sinks=sinks)

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Refuse where the training runs in a process that ends before anyone could ask."""
        del pl_module
        launcher = type(trainer.strategy.launcher).__name__
        if stage == "fit" and launcher == "_MultiProcessingLauncher":
            raise CannotWatch(
                "KazamiCallback needs a strategy that trains in the script's own process, but this one forks or spawns others, whose findings would be lost. "
                'Use strategy="ddp", or `kazami run`.'
            )

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to watch."""
        self.attachment_.begin(pl_module, *trainer.optimizers)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """End the watching."""
        del trainer, pl_module
        self.attachment_.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End the watching; what was found stays."""
        del trainer, pl_module, exception
        self.attachment_.close()
