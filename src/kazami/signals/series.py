"""What every estimator asks of its series: one axis, finite numbers, enough of them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import TooShort, UsageError

Floats = NDArray[np.float64]


def checked(series: ArrayLike, *, least: int = 1) -> Floats:
    """Return the series as float64, shape ``(n,)``.

    Raises:
        UsageError: If it has another shape or holds a number that is not finite (the step is named).
        TooShort: If it has fewer than ``least`` steps; it says how many are needed.

    Example:
        >>> checked([1, 2, 3], least=5)
        Traceback (most recent call last):
        kazami.errors.TooShort: The series must have at least 5 steps, and has 3. Record more steps.
    """
    values = np.ascontiguousarray(series, dtype=np.float64)
    if values.ndim != 1:
        raise UsageError(f"The series must have one axis, and has the shape {values.shape}. Hand over one number a step.")
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        raise UsageError(f"The series must be finite, and is {values[wrong[0]]} at step {wrong[0]}. Cut it there, or ask kazami.signals.regime about it.")
    if values.size < least:
        raise TooShort(f"The series must have at least {least} steps, and has {values.size}. Record more steps.")
    return values
