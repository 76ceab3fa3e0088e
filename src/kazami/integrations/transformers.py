"""Hugging Face transformers: ``Trainer(..., callbacks=[KazamiCallback()])``."""

from collections.abc import Iterable
from typing import Any

from transformers import Trainer, TrainerCallback

from ..sinks import AbstractSink
from ._base import AbstractCallback, Attachment


class KazamiCallback(AbstractCallback, TrainerCallback):  # type: ignore[misc]  # untyped where transformers is not installed
    """Watches every ``trainer.train()``.

    Args:
        run: A run directory to write; where it is taken, ``-2``, ``-3`` and so on are added.
        every: Record every so many steps; by default the measured cost decides.
        dynamics: Measure sharpness and local Lyapunov exponents at every step, whatever it costs.
        sinks: Loggers that get the numbers, the findings and the report too, as `kazami.watch` takes them.

    Limits:
        transformers tells callbacks of no exception: after one, asking for the findings ends the watching. With DeepSpeed's ZeRO the gradients never are where
        torch keeps them, and are not seen.
    """

    def __init__(self, *, run: str | None = None, every: int | None = None, dynamics: bool = False, sinks: Iterable[str | AbstractSink] = ()) -> None:
        self.attachment_ = Attachment(Trainer.train, run=run, every=every, dynamics=dynamics, sinks=sinks)

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, optimizer: Any = None, **others: Any) -> None:
        """Begin to watch."""
        del args, state, control, others
        self.attachment_.begin(model, optimizer)

    def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """End the watching."""
        del args, state, control, others
        self.attachment_.close()
