"""A stretch of a run and what tiny differences did in it, from local exponents and from how far each step turned the difference."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records.trace import Floats, Trace
from .drifting_mean import mean_with_error


@dataclass(frozen=True, slots=True)
class GrowthWindow:
    """A stretch of the run.

    Attributes:
        steps: The measured steps.
        rate: Mean exponent a step; NaN without steps.
        error: Its standard error; NaN for fewer than eight steps.
        folds: Growth measured in it, as a natural logarithm.
        overturned: Share of its growth in steps that turned the difference over (a cosine below zero).
    """

    steps: NDArray[np.int64]
    rate: float
    error: float
    folds: float
    overturned: float


def growth_window(trace: Trace, chosen: NDArray[np.bool_]) -> GrowthWindow:
    """Return what ``local_exponent`` and ``tangent_cosine`` (recorded together) say of the ``chosen`` ones of their steps; what is not finite is left out."""
    local, turns = trace["local_exponent"], trace["tangent_cosine"].values
    known = chosen & np.isfinite(local.values)
    values: Floats = local.values[known]
    rate, error = mean_with_error(values)
    grown = float(values[values > 0].sum())
    over = float(values[(values > 0) & (turns[known] < 0)].sum()) / grown if grown > 0 else 0.0
    return GrowthWindow(local.steps[known], rate, error, float(values.sum()), over)


def strongest_growth(trace: Trace) -> GrowthWindow | None:
    """Return the stretch within one burst over which differences grew most, ``None`` where they did not grow."""
    local, numbers = trace["local_exponent"], trace["burst_length"].values
    values = np.where(np.isfinite(local.values), local.values, 0.0).tolist()
    begins = set(np.flatnonzero(numbers <= 1).tolist()) if len(numbers) == len(values) else {0}
    best, where, total, start = 0.0, (0, 0), 0.0, 0
    for place, value in enumerate(values):
        if total <= 0.0 or place in begins:
            total, start = 0.0, place
        total += value
        if total > best:
            best, where = total, (start, place + 1)
    chosen = np.zeros(len(values), dtype=bool)
    chosen[slice(*where)] = True
    return growth_window(trace, chosen) if best > 0.0 else None
