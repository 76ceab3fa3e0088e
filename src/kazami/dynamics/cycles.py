"""Returns in the phase space: does an orbit come back to itself, exactly or nearer and nearer, and after how many steps."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..maps import AbstractMap

Floats = NDArray[np.float64]

EXACT = 1e-10  # of the orbit's size: rounding along a cycle stays below, a ghost of a cycle does not
NEAR = 0.02  # of the way it moves: a return that still shrinks must be nearer than this all the time
SHRUNK = 0.65  # what 1/t leaves of itself from the middle to the end is 0.53
LONGEST = 2000
MOST = 20_000  # steps looked at
WINDOW = 48
NEAR_ENOUGH, SLOWLY = 0.2, 0.93  # an approach like a root of time leaves 0.84 of itself over the last third
POWER = 24  # passes along a cycle, for its leading multiplier


@dataclass(frozen=True, slots=True)
class Cycle:
    """A return of an orbit to itself.

    Attributes:
        period: In steps.
        mismatch: Distance after one period at the end, over the size of the orbit.
        is_exact: Whether the return is exact up to rounding; else it grows nearer from period to period.
    """

    period: int
    mismatch: float
    is_exact: bool


def cycle(shadows: Floats, *, unit: int = 1) -> Cycle | None:
    """Return the smallest number of steps after which the end of an orbit comes back to itself, or ``None``.

    Args:
        shadows: Shape ``(n, k)``, one row a step.
        unit: Only multiples of this are periods (the number of batches).

    Limits:
        An orbit that stays near a ghost of a cycle during its whole last third is taken for one that approaches the cycle.

    Example:
        >>> t = np.arange(400)
        >>> cycle(np.stack([np.cos(2 * np.pi * t / 5)], 1)).period, cycle(np.stack([0.9**t], 1)).period, cycle(np.stack([np.cos(t)], 1))
        (5, 1, None)
    """
    n = len(shadows)
    largest = float(np.abs(shadows).max())
    shadows = shadows / largest if largest > 0.0 else shadows  # squares must not overflow
    tail = shadows[-max(n // 3, min(n, WINDOW)) :][-MOST:]
    size = float(np.sqrt(np.mean(np.sum(tail**2, axis=1))))
    moved = float(np.max(np.ptp(shadows, axis=0)))
    for period in range(unit, min(LONGEST, len(tail) // 3) + 1, unit):
        last = _apart(shadows[-(WINDOW + period) :], period)
        if last.size and float(last.max()) <= EXACT * max(size, float(np.finfo(float).tiny)):
            approached = _approached(tail, period, unit, NEAR_ENOUGH * moved)
            return Cycle(approached, float(last.max()) / size if size > 0.0 else 0.0, approached == period)
    for period in range(unit, min(LONGEST, len(tail) // 6) + 1, unit):
        apart = _apart(tail, period)
        if float(apart.max()) > NEAR * moved:
            continue
        if _shrinks(apart) and _is_first(tail, period, unit, apart):
            approached = _approached(tail, period, unit, NEAR_ENOUGH * moved)
            return Cycle(approached, float(_apart(tail[-(WINDOW + approached) :], approached).max()) / size if size > 0.0 else 0.0, False)
    return None


def multiplier(m: AbstractMap, state: Tensor, time: int, period: int) -> float:
    """Return the leading multiplier of the cycle through ``state``: by how much, and with which sign, a small difference is multiplied in one period.

    Args:
        m: The map.
        state: On the cycle.
        time: The map's time there.
        period: In steps.

    Returns:
        NaN where the leading multipliers are a complex pair, whose directions turn.
    """
    passes = max(2, min(POWER, 2000 // period))
    generator = torch.Generator().manual_seed(0)
    vector = torch.randn(m.dimension, 1, generator=generator, dtype=torch.float64).to(state)
    quotient, before = math.nan, math.nan
    for _ in range(passes):
        vector = vector / torch.linalg.vector_norm(vector)
        start, here = vector, state
        for number in range(period):
            here, vector = m.advance_tangents(here, vector, time + number)
        before, quotient = quotient, float((start * vector).sum())
        length = float(torch.linalg.vector_norm(vector))
        if not math.isfinite(length) or length == 0.0:
            return 0.0 if length == 0.0 else math.nan
    is_settled = abs(abs(quotient) - length) < 0.05 * length and abs(quotient - before) < 0.05 * length
    return quotient if is_settled else math.nan


def _apart(rows: Floats, period: int) -> Floats:
    return np.asarray(np.sqrt(np.sum((rows[period:] - rows[:-period]) ** 2, axis=1)))


def _shrinks(apart: Floats) -> bool:
    """Return whether the distance shrinks through the last third, from part to part, and by enough."""
    parts = np.array([float(part.max()) for part in np.array_split(apart, 6)])
    return bool((parts[1:] <= 1.02 * parts[:-1]).all()) and parts[-1] < SHRUNK ** math.log2(1.5) * parts[0]


def _approached(tail: Floats, period: int, unit: int, near: float) -> int:
    """Return the smallest divisor of ``period`` whose return still shrinks too, however slowly: at a period doubling the steps of a half shrink like a root."""
    for shorter in (divisor for divisor in range(unit, period, unit) if period % divisor == 0):
        apart = _apart(tail, shorter)
        parts = np.array([float(part.max()) for part in np.array_split(apart, 6)])
        if float(apart[-WINDOW:].max()) < near and bool((parts[1:] < parts[:-1]).all()) and parts[-1] < SLOWLY * parts[0]:
            return shorter
    return period


def _is_first(tail: Floats, period: int, unit: int, apart: Floats) -> bool:
    """Return whether no shorter return is as good, at the end of the orbit."""
    reached = float(apart[-WINDOW:].max())
    return all(float(_apart(tail[-(WINDOW + shorter) :], shorter).max()) > 2.0 * reached for shorter in range(unit, period, unit))
