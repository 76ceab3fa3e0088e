"""Hugging Face transformers: ``Trainer(..., callbacks=[KazamiCallback()])``."""

from typing import Any

from transformers import Trainer, TrainerCallback

from ..records import Finding
from ..watch.watching import Watch
from ._base import Attachment


class KazamiCallback(TrainerCallback):  # type: ignore[misc]  # untyped where transformers is not installed
    """Watches every ``trainer.train()``.

    Args:
        run: A run directory to write; where it is taken, ``-2``, ``-3`` and so on are added.
        every: Record every so many steps; by default the measured cost decides.
        dynamics: Measure sharpness and local Lyapunov exponents at every step, whatever it costs.

    Limits:
        transformers tells callbacks of no exception: after one, asking for the findings ends the watching. With DeepSpeed's ZeRO the gradients never are where
        torch keeps them, and are not seen.
    """

    def __init__(self, *, run: str | None = None, every: int | None = None, dynamics: bool = False) -> None:
        self._attachment = Attachment(Trainer.train, run=run, every=every, dynamics=dynamics)

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, optimizer: Any = None, **others: Any) -> None:
        """Begin to watch."""
        del args, state, control, others
        self._attachment.begin(model, optimizer)

    def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """End the watching."""
        del args, state, control, others
        self._attachment.close()

    @property
    def watch(self) -> Watch:
        """The watch of the newest training."""
        return self._attachment.watch

    @property
    def findings(self) -> list[Finding]:
        """What is found so far, most important first."""
        return self._attachment.findings

    @property
    def verdict(self) -> str:
        """One sentence on the training so far."""
        return self._attachment.verdict

    def close(self) -> None:
        """End the watching before the training does."""
        self._attachment.close()
