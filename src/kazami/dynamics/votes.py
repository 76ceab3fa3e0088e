"""What the series that a map throws off say about its regime, taken together: no single observable decides."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records import Regime, RegimeLabel
from ..signals import regime as series_regime

Floats = NDArray[np.float64]

LEAST = 100  # steps of a series to ask
LOOKED_AT = 4
LONGEST = 12_000
IRREGULAR: tuple[RegimeLabel, ...] = (
    "chaos",
    "intermittent",
    "noise",
    "unsure",
)  # of a map that is verified to be deterministic, noise is high-dimensional chaos


@dataclass(frozen=True, slots=True)
class Votes:
    """The regimes of several series of one orbit.

    Attributes:
        regimes: One per series that moves.
    """

    regimes: tuple[Regime, ...]

    def share(self, *labels: RegimeLabel) -> float:
        """Return the share of series with one of ``labels``; 0 where none was asked."""
        return float(np.mean([one.label in labels for one in self.regimes])) if self.regimes else 0.0

    @property
    def most(self) -> RegimeLabel | None:
        """The label given most often, ``None`` where no series was asked."""
        return Counter(one.label for one in self.regimes).most_common(1)[0][0] if self.regimes else None

    def parameter(self, label: RegimeLabel, name: str) -> Any:
        """Return the median of a parameter over the series with ``label``, ``None`` where none has it."""
        found = [one.parameters[name] for one in self.regimes if one.label == label and isinstance(one.parameters.get(name), (int, float))]
        return float(np.median(found)) if found else None


def votes(shadows: Floats, losses: Floats | None = None) -> Votes:
    """Return what up to four coordinates (the liveliest, spread over all) and the losses say.

    Args:
        shadows: Shape ``(n, k)``, a transient cut.
        losses: Shape ``(n,)``.
    """
    if len(shadows) < LEAST:
        return Votes(())
    rows = shadows[-LONGEST:]
    order = np.argsort(-rows.std(axis=0) / (1e-12 + np.abs(rows).max(axis=0)), kind="stable")
    series: Sequence[Floats] = [rows[:, place] for place in order[:LOOKED_AT]]
    if losses is not None and np.isfinite(losses).all():
        series = [*series, losses[-LONGEST:]]
    found = [series_regime(one) for one in series if np.isfinite(one).all() and np.ptp(one) > 0.0]
    return Votes(tuple(one for one in found if one.label != "dead"))
