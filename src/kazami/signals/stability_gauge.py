"""How near a training stands to its optimizer's stability limit, in the optimizer's own unit, averaged over two consecutive steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records.trace import Floats, Series, Trace


@dataclass(frozen=True, slots=True)
class StabilityGauge:
    r"""The newest reading of :math:`\eta\lambda_{max}` beside its limit.

    Attributes:
        step: The second of the two steps averaged.
        ratio: Sharpness over its limit.
        value: :math:`\eta\lambda_{max}`, of the preconditioned Hessian where the optimizer rescales.
        limit: The largest stable value: 2 for gradient descent, 3.8 with a momentum of 0.9, 38 for Adam with its defaults.
    """

    step: int
    ratio: float
    value: float
    limit: float


def mean_of_pairs(series: Series) -> tuple[NDArray[np.int64], Floats]:
    """Return the second step and the mean of every two finite values at consecutive steps.

    At the edge of stability the iterates hop to and fro across the valley, and one parity alone may read half or twice the truth.

    Example:
        >>> steps, means = mean_of_pairs(Series(np.array([2, 3, 7, 9, 10]), np.array([0.5, 1.5, 9.0, 0.8, 1.0])))
        >>> steps.tolist(), means.tolist()
        ([3, 10], [1.0, 0.9])
    """
    known = np.isfinite(series.values)
    steps, values = series.steps[known], series.values[known]
    follows = np.diff(steps) == 1
    return steps[1:][follows], (values[1:][follows] + values[:-1][follows]) / 2


def stability_gauge(trace: Trace) -> StabilityGauge | None:
    """Return the newest reading, ``None`` where the optimizer's limit or the curvature is not known."""
    steps, ratios = mean_of_pairs(trace["stability_ratio"])
    limits, rates = trace["sharpness_limit"], trace["learning_rate"]
    if not steps.size or not len(limits) or not len(rates):
        return None
    step, ratio = int(steps[-1]), float(ratios[-1])
    limit = float(limits.values[int(np.searchsorted(limits.steps, step, side="right")) - 1])
    rate = float(rates.values[max(int(np.searchsorted(rates.steps, step, side="right")) - 1, 0)])
    unit = limit * rate
    return StabilityGauge(step, ratio, ratio * unit, unit) if np.isfinite(unit) and unit > 0 else None
