"""Suprema and infima of a function and of its slope over the whole real line: their values, where, and whether they are reached."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .interval import Extreme, Interval, point
from .line import CORE, GRID, Floats, RealLine

_SAME = 1e-12  # values this near to one another, relative to the largest, are one value
_SAME_BY_DIFFERENCES = 1e-7  # the same where difference quotients stand in for autograd
_FAR = 16.0  # beyond the fine part of the grid
_MANY = 8  # of a periodic function's extremes only so many, the nearest to 0, are listed


def supremum(line: RealLine, order: int = 0) -> Extreme:
    """Return the supremum of φ (order 0) or of a derivative of it.

    The candidates are roots of the next derivative, found to the last digit; one-sided limits at the places where something jumps; plateaus; and the limits
    at ±∞. Nothing is read off a grid but where to look.

    Limits:
        See :class:`.activation_line.RealLine`: what lies between two points of its grid and changes no sign there is not seen.
    """
    return _extreme(line, order, 1.0)


def infimum(line: RealLine, order: int = 0) -> Extreme:
    """Return the infimum of φ (order 0) or of a derivative of it, as :func:`supremum` does."""
    found = _extreme(line, order, -1.0)
    return Extreme(-found.value + 0.0, found.where, found.is_attained)


def _extreme(line: RealLine, order: int, sign: float) -> Extreme:
    limits = {side: sign * line.limit(order, side) for side in (-1, 1)}
    endless = tuple(point(side * math.inf) for side, limit in limits.items() if limit == math.inf)
    if endless:
        return Extreme(math.inf, endless)
    candidates = _candidates(line, order, sign)
    top = max([value for _, value, _ in candidates] + [limit for limit in limits.values() if not math.isnan(limit)], default=-math.inf)
    y = np.delete(sign * line.on_grid(order), [i for one in line.breaks if one.order <= order for i in np.flatnonzero(one.at == GRID)])
    size = float(np.nanmax(np.abs(y), initial=0.0)) if not np.isfinite(top) else max(abs(top), float(np.nanmax(np.abs(line.on_grid(order)[CORE]), initial=0.0)))
    highest = float(np.nanmax(y))
    same = (_SAME if line.is_backward_right or order == 0 else _SAME_BY_DIFFERENCES) * size
    if highest > top + same:
        return _unexplained(line, order, sign)
    if order > 0 and top > 1e3 * max(highest, 0.0) > 0:  # a cusp: the slope grows without bound towards a break
        return Extreme(math.inf, tuple(point(at) for at, value, _ in candidates if value == top))
    ends = [side * math.inf for side, limit in limits.items() if limit >= top - same]
    return _placed(line, order, sign, top, same, size, candidates, ends)


def _placed(
    line: RealLine, order: int, sign: float, top: float, same: float, size: float, candidates: list[tuple[float, float, bool]], ends: list[float]
) -> Extreme:
    """Return the extreme with all places at which it is reached, or else approached."""

    def below(x: Any) -> Floats:
        return np.asarray(sign * line.derivative(x, order) - top)

    tolerance = 1e-13 if line.is_backward_right or order == 0 else _SAME_BY_DIFFERENCES
    plateaus = [_closed(piece, line, order, below) for piece in line.flat_intervals(below, tolerance=tolerance, size=size or 1.0)]
    near = [one for one in candidates if one[1] >= top - same and not any(one[0] in piece or one[0] in tuple(piece) for piece in plateaus)]
    # A far root of the next derivative, at a value that is the limit's, is where rounding ends the approach.
    reached = _distinct([at for at, _, is_reached in near if is_reached and not (ends and abs(at) > _FAR)])
    if plateaus or reached:
        where = sorted([*plateaus, *map(point, sorted(reached, key=abs)[:_MANY])], key=lambda piece: piece.low)
        return Extreme(top, tuple(where), is_attained=True)
    return Extreme(top, tuple(point(at) for at in sorted({*(at for at, _, is_reached in near if not is_reached), *ends})))


def _distinct(places: list[float]) -> list[float]:
    """Leave out places that are another one but for rounding."""
    kept: list[float] = []
    for at in places:
        if not any(abs(at - other) <= 1e-9 * (1 + abs(at)) for other in kept):
            kept.append(at)
    return kept


def _candidates(line: RealLine, order: int, sign: float) -> list[tuple[float, float, bool]]:
    """Return where an extreme may be, its value, and whether the value is reached there and not only approached."""
    found: list[tuple[float, float, bool]] = []
    for one in line.breaks:
        if one.order <= order + 1:
            sides = [float(sign * line.derivative(x, order).item()) for x in (one.left, one.right)]
            found += [(one.at, value, one.order > order) for value in sides]
            if one.order > order:  # continuous there: the value itself, without the rounding of its neighbours
                found.append((one.at, float(sign * line.derivative(one.at, order).item()), True))
    for at in line.roots(lambda x: line.derivative(x, order + 1), line.on_grid(order + 1)):
        found.append((at, float(sign * line.derivative(at, order).item()), True))
    for piece in _level(line, order):
        inside = _inside(piece)
        found.append((inside, float(sign * line.derivative(inside, order).item()), True))
    return found


def _level(line: RealLine, order: int) -> list[Interval]:
    """Return where the function is constant: there its next derivative is zero in truth."""
    return line.flat_intervals(lambda x: line.derivative(x, order + 1), on_grid=line.on_grid(order + 1))


def _inside(piece: Interval) -> float:
    if math.isinf(piece.low) or math.isinf(piece.high):
        return 0.0 if 0.0 in piece else piece.low + 1.0 if math.isinf(piece.high) else piece.high - 1.0
    return 0.5 * (piece.low + piece.high)


def _unexplained(line: RealLine, order: int, sign: float) -> Extreme:
    """Return the largest value seen where no root, break, plateau or limit explains it: a cusp, or a detail finer than the grid."""
    y = sign * line.on_grid(order)
    best = float(GRID[int(np.nanargmax(y))])
    step = np.geomspace(1e-16, 1e-2, 400)
    x = np.concatenate([best - step, [best], best + step])
    near = sign * line.derivative(x, order)
    top = float(np.nanmax(near))
    if not np.isfinite(top) or top > 1e3 * abs(float(np.nanmax(y))) > 0:
        return Extreme(math.inf, (point(best),))
    return Extreme(top, (point(float(x[int(np.nanargmax(near))])),), is_attained=True)


def _closed(piece: Interval, line: RealLine, order: int, below: Callable[[Any], Floats]) -> Interval:
    """Close an interval at its finite ends, but for those where the function jumps to another value, or has no slope."""
    jumps = {one.at for one in line.breaks if one.order <= order}
    low, high = (math.isfinite(end) and (end not in jumps or (order == 0 and float(below(end).item()) == 0)) for end in piece)
    return Interval(piece.low, piece.high, is_low_closed=low, is_high_closed=high)
