"""Keras 3 on torch: ``model.fit(..., callbacks=[KazamiCallback()])``."""

from collections.abc import Iterable
from typing import Any

import keras

from ..errors import CannotWatch
from ..sinks import AbstractSink
from ._base import AbstractCallback, Attachment


class KazamiCallback(AbstractCallback, keras.callbacks.Callback):  # type: ignore[misc]  # untyped where Keras is not installed
    """Watches every ``model.fit``. Keras' optimizers are not torch's; their steps are told by `kazami.watch.keras_steps`.

    Args:
        run: A run directory to write; where it is taken, ``-2``, ``-3`` and so on are added.
        every: Record every so many steps; by default the measured cost decides.
        dynamics: Measure sharpness at every step, whatever it costs.
        sinks: Loggers that get the numbers, the findings and the report too, as `kazami.watch` takes them.

    Limits:
        The torch backend alone. Keras tells callbacks of no exception: after one, asking for the findings ends the watching.
    """

    def __init__(self, *, run: str | None = None, every: int | None = None, dynamics: bool = False, sinks: Iterable[str | AbstractSink] = ()) -> None:
        super().__init__()
        if keras.backend.backend() != "torch":
            raise CannotWatch(f'kazami watches Keras on torch, but its backend is {keras.backend.backend()}. Set KERAS_BACKEND="torch" before importing keras.')
        self.attachment_ = Attachment(keras.Model.fit, run=run, every=every, dynamics=dynamics, sinks=sinks)

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin to watch."""
        del logs
        self.attachment_.begin(self.model)

    def on_train_end(self, logs: Any = None) -> None:
        """End the watching."""
        del logs
        self.attachment_.close()
