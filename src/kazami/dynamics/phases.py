"""Chaos that lasts, chaos that passes, and no chaos, told apart by the local exponents along an orbit."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..records.estimate import Estimate
from .uncertainty import standard_error

Kind = Literal["sustained", "transient", "none", "unsure"]
SURELY = 3.0  # standard errors
# A difference that grew a thousandfold did more than turn into the most stretched direction.
WORTH_NAMING = math.log(1e3)
STILL_GROWING = math.log(10.0)  # in the last third


@dataclass(frozen=True, slots=True)
class GrowthPhase:
    r"""When along an orbit tiny differences grew.

    Attributes:
        kind: ``"sustained"``: they grow more than tenfold in the last third, surely; ``"transient"``: they grew at least a thousandfold, but not there;
            ``"none"``: they never did; ``"unsure"``: the last third's growth is within three standard errors of zero.
        until: Step at which the accumulated growth was largest; the end of a transient phase.
        folds: Accumulated growth up to then, as a natural logarithm.
        rate: Mean exponent of the growing phase, per step (0 where there is none).
        horizon: :math:`1/\lambda` of that phase in steps, infinite where there is none.
        late_rate: Mean exponent over the last third.
        late_error: Its standard error.
    """

    kind: Kind
    until: int
    folds: float
    rate: float
    horizon: float
    late_rate: float
    late_error: float

    def to_dict(self) -> dict[str, Any]:
        """Return the phase as plain data."""
        return {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in asdict(self).items()}


def growth_phase(estimate: Estimate | NDArray[np.float64]) -> GrowthPhase:
    r"""Return whether the growth of tiny differences lasts, from local exponents :math:`\lambda(t)`.

    Args:
        estimate: From :func:`~kazami.dynamics.exponents.max_lyapunov`, or its ``local`` array. Of a spectrum the first column counts.

    Limits:
        Growth is growth: a slow passage along a saddle of the loss gives a small positive rate for a long time without chaos. Chaos needs the rate to last
        *and* the
        orbit to stay bounded and irregular, which only a look at the orbit can tell.

    Example:
        >>> growth_phase(np.array([0.1] * 300 + [-0.1] * 600)).kind
        'transient'
    """
    series = estimate.local if isinstance(estimate, Estimate) else np.asarray(estimate, dtype=float)
    local = series if series.ndim == 1 else series[:, 0]
    if len(local) < 30 or np.isnan(local).any():
        return GrowthPhase("unsure", 0, 0.0, 0.0, math.inf, math.nan, math.nan)
    summed = np.concatenate([[0.0], np.cumsum(local)])
    until = int(np.argmax(summed))
    folds = float(summed[until])
    late = local[-(len(local) // 3) :]
    late_rate, late_error = float(late.mean()), standard_error(late) if np.isfinite(late).all() else 0.0
    kind = _kind(folds, late_rate * len(late), late_rate, late_error)
    rate = folds / until if until and kind != "none" else 0.0
    return GrowthPhase(kind, until, folds, rate, 1.0 / rate if rate > 0.0 else math.inf, late_rate, late_error)


def _kind(folds: float, late_folds: float, late_rate: float, late_error: float) -> Kind:
    if folds < WORTH_NAMING:
        return "none"
    if late_folds > STILL_GROWING:
        return "sustained" if late_rate > SURELY * late_error else "unsure"
    return "transient"
