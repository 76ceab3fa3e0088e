"""Trace: what was seen of one training, as plain numbers, and all that a rule may look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity over the steps at which it was recorded.

    Attributes:
        steps: Step numbers, shape ``(n,)``, rising; the first optimizer step is 1.
        values: Shape ``(n,)`` for a number a step, ``(n, layers)`` for a number a layer; NaN where a layer was not seen.
    """

    steps: NDArray[np.int64]
    values: Floats

    @property
    def latest(self) -> Any:
        """The newest value (a float, or a row of shape ``(layers,)``)."""
        return self.values[-1]

    def __len__(self) -> int:
        """Return the number of recorded steps."""
        return int(self.steps.size)

    def until(self, step: int) -> "Series":
        """Return the part up to and including ``step``."""
        keep = self.steps <= step
        return Series(self.steps[keep], self.values[keep])


@dataclass(frozen=True, slots=True)
class Layer:
    """A place where a weight meets data: one column of every ``(n, layers)`` series, in order of first execution.

    Attributes:
        name: Path of the module or parameter, ``"encoder.0"``.
        kind: ``"linear"``, ``"conv"``, ``"embedding"``, ``"norm"``, ``"recurrent"`` or ``"other"``.
        shape: Shape of the weight.
        fan_in: Inputs a unit sums over.
        fan_out: Units.
        activation: Name of the activation applied to its output (``"sigmoid"`` …), ``"identity"`` where none was seen.
        is_output: Whether its output reaches the loss without another weight.
        n_uses: How often the weight is used in one backward pass (time steps of a recurrent net, shared layers).
        is_residual: Whether its output is added to an earlier signal.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    fan_in: int
    fan_out: int
    activation: str = "identity"
    is_output: bool = False
    n_uses: int = 1
    is_residual: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training has come, against the trivial predictor and against its own past.

    Attributes:
        first: Typical loss at the start.
        now: Typical loss at the newest steps.
        best: Lowest typical loss so far.
        trivial: Loss of the trivial predictor (class entropy, target variance …); ``None`` where the targets are unseen.
        reference: What ``now`` is measured against: ``trivial``, else ``first``.
        explained: ``1 - now / reference``: 0 is no better than guessing, 1 is perfect; negative is worse than guessing.
        fall: ``1 - now / first`` relative to what there was to gain, from the first steps to the newest.
        pace: Share of the remaining loss that the last half of the seen steps removed.
        is_falling: Whether the newest half is lower than the half before beyond the noise of the batches.
        is_diverging: Whether the loss is not finite, or has risen beyond its noise well above its start.
        noise: Standard deviation of the loss between neighbouring steps, relative to ``reference``.
        is_poor: The gate: whether anything may be called a fault at all.
    """

    first: float
    now: float
    best: float
    trivial: float | None
    reference: float
    explained: float
    fall: float
    pace: float
    is_falling: bool
    is_diverging: bool
    noise: float
    is_poor: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """What was seen of one training.

    Attributes:
        step: Number of optimizer steps seen.
        series: Quantity name to `Series`.
        layers: The columns of the ``(n, layers)`` series.
        facts: Exact structural observations, as plain data, by name (``"softmax_before_cross_entropy"`` …).
        optimizer: Name and settings of the optimizer: ``{"name": "SGD", "learning_rate": 0.1, …}``.
        loss_kind: ``"cross_entropy"``, ``"mse"`` …, or ``"unknown"``.
        trivial_loss: Loss of the trivial predictor on the targets seen, ``None`` where unseen.
        blind: What could not be seen, one sentence each.
        progress: Filled in by the diagnosis.
        settings: Versions, seeds and options, as plain data.
    """

    step: int
    series: Mapping[str, Series] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    optimizer: Mapping[str, Any] = field(default_factory=dict)
    loss_kind: str = "unknown"
    trivial_loss: float | None = None
    blind: tuple[str, ...] = ()
    progress: Progress | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Series:
        """Return a series; one without steps where the quantity was never recorded."""
        found = self.series.get(name)
        return found if found is not None else Series(np.empty(0, dtype=np.int64), np.empty(0))

    def has(self, *names: str) -> bool:
        """Return whether all of these series were recorded at least once."""
        return all(len(self[name]) > 0 for name in names)

    @property
    def progress_is_poor(self) -> bool:
        """The gate: nothing but exact facts and non-finite values is a fault unless progress is poor."""
        return self.progress is not None and self.progress.is_poor

    def replaced(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return replace(self, **changes)
