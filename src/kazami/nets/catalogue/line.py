"""A function of one number, looked at along the whole real line: its derivatives, where it breaks, its roots, flat stretches and limits.

All of it is computed from the function alone, in float64: nothing is known about it beforehand. The one difficulty is rounding, which makes ``tanh(20)`` the
number 1 and its slope 0; :meth:`RealLine.flat_intervals` says how that is told from a true plateau.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import brentq
from torch import Tensor

from .interval import Interval

Floats = npt.NDArray[np.float64]

HIGHEST_ORDER = 3
_JUMP = (1e-9, 1e-6, 1e-5, 1e-4)  # least jump of φ, φ', φ'', φ''' that counts, relative to its size: each derivative loses digits
_TINY = 1e-17  # a bracket is not made smaller than this: near 0 floats go on down to 1e-324
_NOISE = 1e-11  # sign changes of numbers smaller than this, relative to the largest, are rounding
_CUSP = 1e3  # a slope so many times larger right beside a point than at the nearest points of the grid grows without bound
_MOST_ROOTS = 64  # of a periodic function's roots, those nearest to 0
_BESIDE = 1e-7  # a one-sided difference quotient stays this far away from a jump
_SHORT = 1e-6  # half the length of the secants that find kinks without autograd
_BEND = 1e-3  # step of the difference quotients that stand in where autograd gives no derivative


def _grid() -> Floats:
    near, tail = np.geomspace(1e-9, 9e-3, 50), np.geomspace(16.0, 1e8, 330)
    return np.unique(np.concatenate([-tail, -near, np.linspace(-16, 16, 3201), near, tail]))


GRID = _grid()
CORE = np.abs(GRID) <= 10
NEAR = np.abs(GRID) <= 100  # farther out exponentials overflow, and neighbouring floats are too far apart to tell a jump from a slope
PROBES = np.array([30.0, 60.0, 120.0, 240.0, 480.0, *(10.0**power for power in (3, 4, 6, 8, 12, 25, 50, 100))])  # farther out squares overflow


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a derivative jumps.

    Attributes:
        at: Where.
        left: The last float before it.
        right: The first float after it.
        order: 0 where the function itself jumps, 1 for a kink, 2 or 3 for a jump of a higher derivative.
    """

    at: float
    left: float
    right: float
    order: int


class RealLine:
    """One function on the real line.

    Args:
        function: Takes and returns a float64 tensor of any length, elementwise.

    Limits:
        Details finer than 0.01 far from 0, or finer than 1e-9 near it, can be missed. Where autograd gives no derivative, or a wrong one
        (a straight-through estimator), difference quotients stand in: eight digits instead of fifteen.
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        """Look for the places where the function itself jumps; all else is computed when it is asked for."""
        self._function = function
        self._on_grid: dict[int, Floats] = {}
        self._known: list[Break] = []
        self._mended: dict[float, float] = {}  # where autograd is wrong at a single point, and a point beside it where it is not
        self._known += self._breaks_of(0)

    def value(self, x: Any) -> Floats:
        """Return φ(x)."""
        with torch.no_grad():
            found = self._function(torch.as_tensor(np.asarray(x, dtype=np.float64)))
        return np.asarray(found.detach().numpy(force=True), dtype=np.float64)

    def derivative(self, x: Any, order: int = 1, *, fill: bool = True) -> Floats:
        """Return the derivative of an order, φ itself for 0; ``fill`` lets difference quotients stand in where autograd gives NaN."""
        points = np.atleast_1d(np.asarray(x, dtype=np.float64))
        if order == 0:
            return self.value(points)
        for at, beside in self._mended.items():
            points = np.where(points == at, beside, points)
        found = self._by_autograd(points, order) if self.is_backward_right else None
        if found is None:
            return self._by_differences(points, order)
        lost = ~np.isfinite(found)
        if fill and lost.any():
            found[lost] = self._by_differences(points[lost], order)
        return found

    def on_grid(self, order: int = 0) -> Floats:
        """Return a derivative on :data:`GRID`, computed once."""
        if order > 0 and not self.is_backward_right:
            self.breaks  # noqa: B018  # difference quotients must know the kinks first
        if order not in self._on_grid:
            self._on_grid[order] = self.derivative(GRID, order, fill=order < 2)
        return self._on_grid[order]

    @cached_property
    def backward_error(self) -> float:
        """Largest difference between what autograd says and what difference quotients of φ say, where these are sure; NaN where autograd says nothing."""
        x = np.linspace(-7.9613, 7.9871, 401)
        said = self._by_autograd(x, 1)
        if said is None:
            return math.nan
        coarse, fine = self._by_differences(x, 1), self._by_differences(x, 1, step=_BEND / 8)
        size = 1 + np.abs(fine)
        is_sure = np.isfinite(coarse) & (np.abs(coarse - fine) < 1e-6 * size) & np.isfinite(said)
        wrong = np.where(is_sure, np.abs(said - fine) / size, 0.0)
        return float(np.partition(wrong, -4)[-4])  # three single points may sit on a break of their own

    @property
    def is_backward_right(self) -> bool:
        """Whether autograd's derivative is that of the function."""
        return not math.isnan(self.backward_error) and self.backward_error < 1e-4

    def _by_autograd(self, points: Floats, order: int) -> Floats | None:
        """Return a derivative, ``None`` where autograd gives none: it is not differentiable as often as asked for, or not at all."""
        x = torch.as_tensor(points.copy()).requires_grad_()
        try:
            with torch.enable_grad():
                y = self._function(x)
                if not y.requires_grad:
                    return None
                for left in range(order - 1, -1, -1):
                    y = _differentiated(y, x, is_last=left == 0)
        except RuntimeError:
            return None
        return np.array(y.detach().numpy(force=True), dtype=np.float64)

    def _by_differences(self, points: Floats, order: int, step: float = _BEND) -> Floats:
        """Return difference quotients of the next lower derivative, on one side of every break."""
        lower = self.value if order == 1 else lambda x: self.derivative(x, order - 1, fill=order > 2)
        points = points.copy()
        h = np.maximum(np.abs(points), 1.0) * step
        for place in [one for one in self._known if one.order <= order]:
            too_near = np.abs(points - place.at) < _BESIDE
            points[too_near] = place.at + np.where(points[too_near] < place.at, -_BESIDE, _BESIDE)
            h = np.minimum(h, 0.3 * np.abs(points - place.at))
        with np.errstate(all="ignore"):
            f = [lower(points + k * h) for k in (-2, -1, 1, 2)]
            return np.asarray((f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h))

    @cached_property
    def breaks(self) -> tuple[Break, ...]:
        """All places where φ or one of its first three derivatives jumps, from left to right."""
        if self.is_backward_right:
            for order in range(1, HIGHEST_ORDER + 1):
                self._known += self._breaks_of(order)
        else:
            self._known += self._kinks_by_secants()
            self._on_grid = {}
        return tuple(sorted(self._known, key=lambda one: one.at))

    def _breaks_of(self, order: int) -> list[Break]:
        y = self.value(GRID) if order == 0 else self.on_grid(order)
        scale = float(np.nanmax(np.abs(y[CORE]), initial=0.0))
        low, high, at_low, at_high = GRID[:-1], GRID[1:], y[:-1], y[1:]
        keep = self._is_wide(at_low, at_high, scale, order) & NEAR[:-1] & NEAR[1:]
        margin = 0.0 if order == 0 or self.is_backward_right else 2 * _BESIDE
        for one in self._known:
            keep &= ~((low <= one.right + margin) & (high >= one.left - margin))
        low, high, at_low, at_high = low[keep], high[keep], at_low[keep], at_high[keep]
        for _ in range(120):
            middle = low + 0.5 * (high - low)
            is_open = (high - low > _TINY) & (middle > low) & (middle < high)
            if low.size == 0 or not is_open.any():
                break
            at_middle = self.derivative(middle, order)
            goes_left = np.abs(at_middle - at_low) >= np.abs(at_high - at_middle)
            low, at_low = np.where(goes_left | ~is_open, low, middle), np.where(goes_left | ~is_open, at_low, at_middle)
            high, at_high = np.where(~goes_left | ~is_open, high, middle), np.where(~goes_left | ~is_open, at_high, at_middle)
            keep = self._is_wide(at_low, at_high, scale, order)
            low, high, at_low, at_high = low[keep], high[keep], at_low[keep], at_high[keep]
        found: dict[float, Break] = {}
        for a, b in zip(low.tolist(), high.tolist(), strict=True):
            at = _plain_between(a, b)
            found[at] = Break(at, min(a, found[at].left), max(b, found[at].right), order) if at in found else Break(at, a, b, order)
        return [one for one in found.values() if not self._is_mended(one, scale)]

    def _kinks_by_secants(self) -> list[Break]:
        """Return the kinks where autograd is of no help: the slope of short secants changes at once; the kink lies where its two tangents meet."""

        def secant(x: Floats) -> Floats:
            return np.asarray((self.value(x + _SHORT) - self.value(x - _SHORT)) / (2 * _SHORT))

        edges = GRID[NEAR & (np.abs(GRID) > 9.5e-3)]  # no cell shorter than a secant
        low, high = edges[:-1], edges[1:]
        for one in self._known:
            apart = (low > one.right + 3 * _SHORT) | (high < one.left - 3 * _SHORT)
            low, high = low[apart], high[apart]
        scale = float(np.abs(secant(low)).max(initial=0.0))
        for _ in range(40):
            keep = np.abs(secant(high) - secant(low)) > 1e-3 * scale
            low, high = low[keep], high[keep]
            if low.size == 0 or (high - low).max() <= 4 * _SHORT:
                break
            middle = 0.5 * (low + high)
            goes_left = np.abs(secant(middle) - secant(low)) >= np.abs(secant(high) - secant(middle))
            low, high = np.where(goes_left, low, middle), np.where(goes_left, middle, high)
        found: dict[float, Break] = {}
        for a, b in zip(low - 2 * _SHORT, high + 2 * _SHORT, strict=True):
            before, after = (float(secant(np.array([x])).item()) for x in (a, b))
            at = float((self.value([b]).item() - self.value([a]).item() + before * a - after * b) / (before - after))
            at = round(at, 9) + 0.0
            found.setdefault(at, Break(at, at - _BESIDE, at + _BESIDE, 1))
        return list(found.values())

    def _is_mended(self, one: Break, scale: float) -> bool:
        """Return whether a derivative is the same on both sides, and only autograd's choice at the point itself differs; remember a point beside it."""
        if one.order == 0 or one.at in (one.left, one.right):
            return False
        left, right = self.derivative([one.left, one.right], one.order)
        if self._is_wide(left, right, scale, one.order) or max(abs(left), abs(right)) > _CUSP * scale:
            return False
        self._mended[one.at] = one.right
        self._on_grid = {order: y for order, y in self._on_grid.items() if order < one.order}
        return True

    @staticmethod
    def _is_wide(left: Floats, right: Floats, scale: float, order: int) -> npt.NDArray[np.bool_]:
        with np.errstate(all="ignore"):
            return np.asarray(np.abs(right - left) > _JUMP[order] * (scale + np.abs(left) + np.abs(right)) + 1e-290)

    @cached_property
    def jumps(self) -> tuple[Break, ...]:
        """The places where φ itself jumps."""
        return tuple(one for one in self.breaks if one.order == 0)

    def edge_of(self, is_inside: Callable[[float], bool], inside: float, outside: float) -> float:
        """Return where a property that holds at ``inside`` and not at ``outside`` ends, to the last float."""
        for _ in range(200):
            middle = 0.5 * (inside + outside)
            if abs(outside - inside) <= _TINY or middle in (inside, outside):
                break
            inside, outside = (middle, outside) if is_inside(middle) else (inside, middle)
        return _plain_between(min(inside, outside), max(inside, outside))

    def roots(self, g: Callable[[Any], Floats], on_grid: Floats | None = None) -> list[float]:
        """Return where a function made from φ changes its sign without a jump, to the last digits."""
        y = g(GRID) if on_grid is None else on_grid
        loud = _NOISE * float(np.nanmax(np.abs(y[CORE]), initial=0.0))
        places = np.flatnonzero(np.isfinite(y) & (y != 0))  # a run of zeros between two signs is one root
        turns = places[:-1][np.sign(y[places[:-1]]) * np.sign(y[places[1:]]) < 0]
        found = []
        for i in turns[np.argsort(np.abs(GRID[turns]))][:_MOST_ROOTS].tolist():
            j = int(places[np.searchsorted(places, i) + 1])
            low, high = float(GRID[i]), float(GRID[j])
            if not (_rises(y, i, -1, loud) and _rises(y, j, 1, loud)) or any(low <= one.right and high >= one.left and one.order <= 1 for one in self.breaks):
                continue
            zeros = GRID[i + 1 : j]
            is_simple = j == i + 1
            found.append(float(brentq(lambda x: float(g(x).item()), low, high, xtol=1e-15, rtol=8.9e-16)) if is_simple else float(zeros[zeros.size // 2]))
        return sorted(found)

    def limit(self, order: int, side: int) -> float:
        """Return the limit of a derivative towards ∞ (``side`` 1) or −∞ (−1); ±∞ where it grows without bound, NaN where there is none."""
        with np.errstate(all="ignore"):
            y = self.derivative(side * PROBES, order, fill=False)
        lost = np.flatnonzero(~np.isfinite(y))
        if lost.size > 0 and lost[0] < 4:
            return float(y[lost[0]])
        y = y[: lost[0]] if lost.size > 0 else y  # what comes after an overflow means nothing
        steps = np.abs(np.diff(y[-4:]))
        if (steps <= 1e-9 * (1 + np.abs(y[-1]))).all():
            return float(y[-1]) if abs(y[-1]) > 1e-60 else 0.0
        is_growing = bool((np.diff(np.abs(y)) >= 0).all()) and steps[-1] >= 0.7 * steps[-2]  # what converges takes ever smaller steps
        return math.copysign(math.inf, float(y[-1])) if is_growing else math.nan

    def flat_intervals(self, g: Callable[[Any], Floats], *, tolerance: float = 0.0, size: float | None = None, on_grid: Floats | None = None) -> list[Interval]:
        r"""Return the intervals on which ``g`` is zero, in truth and not by rounding.

        With :math:`D_k` the distance from the interval's end to where :math:`|g|` exceeds :math:`10^{-k}` of its size, a function that is zero from a point
        :math:`b` on leaves zero there as a power, so :math:`D_6/D_3` is small (:math:`10^{-3/p}`, 0 for a kink), while one that fades,
        :math:`e^{-x}` say, and is only rounded to zero, loses its digits evenly: :math:`D_6/D_3 \approx 10/13`. The two are told apart at 1/2.

        Args:
            g: Made from φ or a derivative; takes and returns arrays.
            tolerance: What counts as zero, relative to ``size``.
            size: Of ``g``; by default its largest absolute value on [−10, 10].
            on_grid: ``g`` on :data:`GRID` where it is known already.

        Limits:
            A contact of an order above 10 is taken for fading.
        """
        y = g(GRID) if on_grid is None else on_grid
        size = float(np.nanmax(np.abs(y[CORE]), initial=0.0)) if size is None else size
        is_zero = np.abs(y) <= tolerance * size
        padded = np.concatenate([[False], is_zero, [False]]).astype(int)
        starts, ends = np.flatnonzero(np.diff(padded) == 1), np.flatnonzero(np.diff(padded) == -1) - 1
        found: list[Interval] = []
        for i, j in zip(starts.tolist(), ends.tolist(), strict=True):
            if j - i < 2:
                continue
            low, left_reach = self._edge(g, y, i, -1, size, tolerance)
            high, right_reach = self._edge(g, y, j, 1, size, tolerance)
            reach = max(left_reach, right_reach)
            if reach < math.inf and high - low > 0.05 * reach:  # a function that merely touches zero is narrow beside its surroundings
                found.append(Interval(self._at_break(low), self._at_break(high)))
        return found

    def _at_break(self, edge: float) -> float:
        """Return the break beside an edge: there a smooth contact hides it, by rounding, up to about the square root of the precision."""
        return next((one.at for one in self.breaks if math.isfinite(edge) and abs(one.at - edge) <= 1e-5 * (1 + abs(edge))), edge)

    def _edge(self, g: Callable[[Any], Floats], y: Floats, index: int, side: int, size: float, tolerance: float) -> tuple[float, float]:
        """Return where a run of zeros ends on one side, and :math:`D_3` there; ``inf`` for it where the run is rounding."""
        if index in (0, GRID.size - 1):
            return side * math.inf, 0.0
        inside, outside = float(GRID[index]), float(GRID[index + side])
        edge = self.edge_of(lambda x: abs(float(g(x).item())) <= tolerance * size, inside, outside)
        loud = np.flatnonzero(np.abs(y[index + side :: side] if side > 0 else y[index - 1 :: -1]) > 1e-3 * size)
        edge = _plain_between(min(inside, outside), max(inside, outside))
        if loud.size == 0:
            return edge, math.inf
        far = abs(float(GRID[index + side * (1 + int(loud[0]))]) - edge)
        distances = far * np.geomspace(1e-12, 1.0, 600)
        near = np.abs(g(edge + side * distances))
        d3, d6 = (float(distances[np.argmax(near > bound * size)]) for bound in (1e-3, 1e-6))
        return edge, d3 if d6 < 0.5 * d3 or d3 <= 1e-9 * max(1.0, abs(edge)) else math.inf


def _differentiated(y: Tensor, x: Tensor, *, is_last: bool) -> Tensor:
    if not y.requires_grad:  # a constant slope
        return torch.zeros_like(x)
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=not is_last, materialize_grads=True)
    return slope


def _rises(y: Floats, index: int, side: int, loud: float) -> bool:
    """Return whether a function keeps its sign from a place on until it is larger than rounding."""
    ahead = y[index::side][:60] * np.sign(y[index])
    heard = np.flatnonzero(ahead > loud)
    return heard.size > 0 and bool((ahead[: heard[0]] >= 0).all())


def _plain_between(low: float, high: float) -> float:
    """Return the number with the fewest decimals between two neighbouring floats, so that a kink at 3 is at 3 and not at 2.9999999999999996."""
    slack = 4 * np.spacing(max(abs(low), abs(high), _TINY)) + 2 * _TINY
    for digits in range(13):
        rounded = round(0.5 * (low + high), digits) + 0.0
        if low - slack <= rounded <= high + slack:
            return rounded
    return 0.5 * (low + high)
