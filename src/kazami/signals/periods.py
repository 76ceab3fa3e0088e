"""Period and locking: after how many steps a series repeats itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .series import checked

Floats = NDArray[np.float64]
LARGEST_MISMATCH = 0.05
AWAY = 0.1
CLEAN = 3.0  # how much worse every shorter return must be
FLAT = 3.0  # growth of the mismatch over the repeats that still counts as none; a slip grows with the square


@dataclass(frozen=True, slots=True)
class Period:
    """After how many steps a series repeats itself.

    Attributes:
        steps: The period, in whole steps.
        mismatch: Root mean square of what differs after a period over that of what differs between strangers: 0 for an exact repeat, 1 for none.
    """

    steps: int
    mismatch: float


def return_mismatch(series: Floats, longest: int) -> Floats:
    r"""Return :math:`D(p) = \langle (x_{t+p} - x_t)^2 \rangle / 2\sigma^2` for p from 0 to ``longest``: 0 for an exact repeat, 1 between strangers.

    Args:
        series: Shape ``(n,)``.
        longest: Largest p, below n.

    Returns:
        Shape ``(longest + 1,)``; ones where the series does not vary.

    Example:
        >>> return_mismatch(np.array([0.0, 1.0] * 10), 3).round(12).tolist()
        [0.0, 2.0, 0.0, 2.0]
    """
    values = checked(series, least=longest + 1)
    power = float(np.var(values))
    if power <= 0:
        return np.ones(longest + 1)
    return np.array([float(np.mean((values[p:] - values[: values.size - p]) ** 2)) / (2 * power) for p in range(longest + 1)])


def period(series: Floats, *, longest: int | None = None, largest_mismatch: float = LARGEST_MISMATCH) -> Period | None:
    """Return the smallest number of steps after which a series repeats itself, up to noise, or ``None``.

    A return counts if its mismatch is small, if no shorter one is as good, and if it does not grow from repeat to repeat: a quasi-periodic series returns
    nearly after many numbers of steps, but the slip adds up.

    Args:
        series: Shape ``(n,)``; its transient should be cut.
        longest: Longest period looked for; a quarter of the series, at most 500, where left out.
        largest_mismatch: Largest root mean square mismatch.

    Returns:
        A `Period`, or ``None`` where the series does not repeat (or is constant).

    Limits:
        A smooth oscillation whose period is no whole number of steps slips; its period is found by :func:`spectral_lines`. A convergence does not repeat.

    Example:
        >>> period(np.array([0.1, 0.7, 0.4] * 30)).steps
        3
        >>> period(np.cos(2 * np.pi * 0.6180339887 * np.arange(300))) is None
        True
    """
    values = checked(series, least=8)
    longest = min(values.size // 4, 500) if longest is None else min(longest, values.size // 2)
    mismatch = return_mismatch(values, longest)
    floor = float(np.min(mismatch[1:]))
    if floor > largest_mismatch**2:
        return None
    left = int(np.argmax(mismatch > max(AWAY, 10 * floor)))  # a smooth series is near itself at first: it must go away before it returns
    good = np.flatnonzero(mismatch[left:] <= min(max(FLAT * floor, 1e-20), largest_mismatch**2)) + left
    if left == 0 or not good.size:
        return None
    steps = int(good[0])
    if float(np.min(mismatch[left:steps], initial=1.0)) < CLEAN * float(mismatch[steps]):
        return None
    repeats = min(values.size // (2 * steps), 12)
    if repeats >= 2:
        far = steps * repeats
        slips = (values[far:] - values[:-far]) ** 2 / (2 * float(np.var(values)))
        half = max(slips.size // 2, 1)
        is_settling = float(np.mean(slips[half:])) < 0.5 * float(np.mean(slips[:half]))
        if float(np.mean(slips)) > max(FLAT * float(mismatch[steps]), 1e-16) and not is_settling:
            return None
    return Period(steps, float(np.sqrt(mismatch[steps])))
