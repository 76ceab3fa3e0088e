"""What happened before a number turned non-finite: whether anything had grown."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..records.trace import Trace
from ._base import matrices
from ._steps import REWRITTEN

RISE = 10.0
TORE = 1e4  # beyond what an infinite derivative needs
AFTER_A_STEP = 39  # the rank of numbers that overflowed after a step that left nothing of the weights: behind gradients that explode, before the rate
AFTER_STORM = 60  # the rank of numbers that overflowed: behind what raised the storm


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


def is_after_storm(trace: Trace, bad: Mapping[str, Any]) -> bool:
    """Return whether a gradient or an update that is not finite stands at the end of a storm; an operation with an infinite derivative needs none."""
    return grew_before(trace, int(bad["step"]), TORE if bad.get("operation") else RISE)


def was_rewritten(trace: Trace, step: int) -> bool:
    """Return whether a step before ``step`` moved most weight matrices by more than twice their size."""
    updates = trace["update_ratio"]
    columns = matrices(trace)
    rows = updates.values[updates.steps < step][:, columns] if columns and updates.values.ndim == 2 else updates.values[:0]
    return any(float(np.median(row[np.isfinite(row)])) > REWRITTEN for row in rows if np.isfinite(row).any())
