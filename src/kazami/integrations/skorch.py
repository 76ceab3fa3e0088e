"""skorch: ``NeuralNet(..., callbacks=[("kazami", KazamiCallback())])``."""

from collections.abc import Iterable
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback

from ..sinks import AbstractSink
from ._base import AbstractCallback, Attachment


class KazamiCallback(AbstractCallback, Callback):  # type: ignore[misc]  # untyped where skorch is not installed
    """Watches every ``net.fit`` and goes on in ``net.partial_fit``; each clone that a grid search makes watches its own training.

    Args:
        run: A run directory to write; where it is taken, ``-2``, ``-3`` and so on are added.
        every: Record every so many steps; by default the measured cost decides.
        dynamics: Measure sharpness and local Lyapunov exponents at every step, whatever it costs.
        sinks: Loggers that get the numbers, the findings and the report too, as `kazami.watch` takes them.

    Limits:
        skorch tells callbacks of no exception: after one, asking for the findings ends the watching.
    """

    def __init__(self, *, run: str | None = None, every: int | None = None, dynamics: bool = False, sinks: Iterable[str | AbstractSink] = ()) -> None:
        self.run, self.every, self.dynamics, self.sinks = run, every, dynamics, sinks  # where ``get_params`` looks for them, to make a clone
        self.initialize()

    def initialize(self) -> "KazamiCallback":
        """Begin anew, with the present settings."""
        self.attachment_ = Attachment(NeuralNet.fit, NeuralNet.partial_fit, run=self.run, every=self.every, dynamics=self.dynamics, sinks=self.sinks)
        return self

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **others: Any) -> None:
        """Begin to watch all optimizers of the net."""
        del X, y, others
        self.attachment_.begin(*(getattr(net, f"{name}_") for name in (*net._modules, *net._optimizers)))

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **others: Any) -> None:
        """End the watching."""
        del net, X, y, others
        self.attachment_.close()
