"""skorch: ``NeuralNet(..., callbacks=[("kazami", KazamiCallback())])``."""

from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback

from ..records import Finding
from ..watch.watching import Watch
from ._base import Attachment


class KazamiCallback(Callback):  # type: ignore[misc]  # untyped where skorch is not installed
    """Watches every ``net.fit`` and goes on in ``net.partial_fit``; each clone that a grid search makes watches its own training.

    Args:
        run: A run directory to write; where it is taken, ``-2``, ``-3`` and so on are added.
        every: Record every so many steps; by default the measured cost decides.
        dynamics: Measure sharpness and local Lyapunov exponents at every step, whatever it costs.

    Limits:
        skorch tells callbacks of no exception: after one, asking for the findings ends the watching.
    """

    def __init__(self, *, run: str | None = None, every: int | None = None, dynamics: bool = False) -> None:
        self.run, self.every, self.dynamics = run, every, dynamics  # where ``get_params`` looks for them, to make a clone

    def initialize(self) -> "KazamiCallback":
        """Begin anew, with the present settings."""
        self._attachment = Attachment(NeuralNet.fit, NeuralNet.partial_fit, run=self.run, every=self.every, dynamics=self.dynamics)
        return self

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **others: Any) -> None:
        """Begin to watch all optimizers of the net."""
        del X, y, others
        self._attachment.begin(*(getattr(net, f"{name}_") for name in (*net._modules, *net._optimizers)))

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **others: Any) -> None:
        """End the watching."""
        del net, X, y, others
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
