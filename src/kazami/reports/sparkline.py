"""A curve in one line of text."""

import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def spark(values: Sequence[float], *, low: float | None = None, high: float | None = None) -> str:
    """Return a line of bars, lowest to highest; what is not finite is ``✕``.

    Args:
        values: One bar each.
        low: What the lowest bar stands for; the lowest value by default. Lower values are the lowest bar too.
        high: The same for the highest.

    Example:
        >>> spark([0, 1, 2, 7]), spark([1.0, float("nan")]), spark([0.0, 5.0, 9.0], low=0.0, high=5.0)
        ('▁▂▃█', '▁✕', '▁██')
    """
    finite = [value for value in values if math.isfinite(value)]
    bottom = min(finite, default=0.0) if low is None else low
    span = ((max(finite, default=0.0) if high is None else high) - bottom) or 1.0
    return "".join(_bar((value - bottom) / span) if math.isfinite(value) else "✕" for value in values)


def _bar(share: float) -> str:
    return BARS[round(min(max(share, 0.0), 1.0) * (len(BARS) - 1))]
