"""What happened before a number turned non-finite: whether anything had grown."""

import math

import numpy as np

from ..records.trace import Trace

RISE = 10.0


def grew_before(trace: Trace, step: int, factor: float = RISE) -> bool:
    """Return whether loss, gradient or update grew by more than ``factor`` over the steps before ``step``."""
    for name in ("loss", "total_gradient_norm", "update_norm"):
        series = trace[name]
        values = np.abs(series.values[(series.steps < step)])
        values = values[np.isfinite(values)]
        if (
            values.size >= 2
            and values[-1] > factor * max(float(np.median(values[: max(values.size // 2, 1)])), math.ulp(0.0))
            and values[-1] > factor * values[0]
        ):
            return True
    return False
