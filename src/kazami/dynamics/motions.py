"""What kind of motion one column of a bifurcation diagram shows: its period, chaos, loss, or nothing sure; and its exponent."""

import math

import numpy as np
from numpy.typing import NDArray

from .bifurcation_points import CHAOS, LOST, UNDECIDED
from .cycles import cycle
from .uncertainty import standard_error

Floats = NDArray[np.float64]

SURELY = 3.0  # standard errors above zero from which an exponent is chaos
LARGE = 1e-3  # of the orbit's size: a swing that is no remnant of an approach
TELLS = 0.2  # of contraction over two thirds of what was kept: below, a slow approach and a small cycle look alike


def motion_of(observed: Floats, local: Floats) -> tuple[int, float]:
    r"""Return the motion and the largest exponent per step of one column.

    Args:
        observed: The observable in the steps kept.
        local: What nearby orbits' distance grew by in each, logarithm.

    Returns:
        The period; 0 where the exponent is surely positive and nothing returns, -1 where the orbit is lost, -2 where nothing is sure. An orbit that
        swings around a cycle of half its period, ever less, is told from the whole cycle by its swing: it shrinks as fast as neighbours meet,
        :math:`e^{\lambda t}`, while the swing of a true cycle stays.
    """
    if not np.isfinite(observed).all():
        return LOST, math.nan
    came_to = cycle(observed[:, None])
    if came_to is None:
        rate = float(local.mean())
        return (CHAOS if rate > SURELY * standard_error(local) else UNDECIDED), rate
    period, is_exact = came_to.period, came_to.is_exact
    rate = _rate(local, period)
    foretold = rate * 2.0 * len(observed) / 3.0
    while period % 2 == 0:
        swing, shrunk = _swing(observed, period // 2)
        if foretold >= -TELLS and not (is_exact and swing > LARGE):
            return UNDECIDED, rate
        if shrunk > 0.5 * foretold:
            break
        period //= 2
    return period, _rate(local, period)


def _rate(local: Floats, period: int) -> float:
    """Return the mean over whole periods."""
    return float(local[len(local) % period :].mean()) if period <= len(local) else float(local.mean())


def _swing(observed: Floats, half: int) -> tuple[float, float]:
    """Return the swing after ``half`` steps over the size of the orbit, and the logarithm of how much it shrank from the first third to the last."""
    apart = np.abs(observed[half:] - observed[:-half])
    parts = [float(np.sqrt(np.mean(part**2))) for part in np.array_split(apart, 3)]
    shrunk = math.log(parts[2] / parts[0]) if parts[0] > 0.0 < parts[2] else -math.inf if parts[0] > 0.0 else 0.0
    size = float(np.abs(observed).max())
    return (parts[2] / size if size > 0.0 else 0.0), shrunk
