"""Everything that can be computed about a scalar activation, computed when it is asked for."""

import math
from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from torch import Tensor

from .extremes import infimum, supremum
from .gaussian import gaussian_mean
from .interval import Extreme, Interval, point
from .line import CORE, GRID, Floats, RealLine
from .losses import GradientLoss, InformationLoss, gradient_loss, information_loss

SATURATED = 0.01  # of the largest slope: below it a unit hardly learns
_MANY = 9  # of a periodic function's endlessly many zones and fixed points, those nearest to 0 are listed


class ScalarProfile:
    r"""The computed properties of one function :math:`\varphi:\mathbb R\to\mathbb R`; each is computed once, on first use, in float64.

    Args:
        function: Takes and returns a float64 tensor, elementwise.

    Limits:
        What :class:`.activation_line.RealLine` says: details finer than its grid can be missed.
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        """Keep the function; nothing is computed yet."""
        self.function = function

    @cached_property
    def line(self) -> RealLine:
        """The function as it is evaluated along the real line."""
        return RealLine(self.function)

    @cached_property
    def supremum(self) -> Extreme:
        """The largest value of φ, where, and whether it is reached."""
        return supremum(self.line)

    @cached_property
    def infimum(self) -> Extreme:
        """The smallest value of φ, where, and whether it is reached."""
        return infimum(self.line)

    @property
    def range(self) -> Interval:
        """The interval from the smallest to the largest value; an end is closed where it is reached. (A step has two values only: the two ends.)"""
        return Interval(self.infimum.value, self.supremum.value, is_low_closed=self.infimum.is_attained, is_high_closed=self.supremum.is_attained)

    @cached_property
    def derivative_maximum(self) -> Extreme:
        """The largest slope φ', where, and whether it is reached; at a kink the one-sided slopes count."""
        return supremum(self.line, 1)

    @cached_property
    def derivative_minimum(self) -> Extreme:
        """The smallest slope φ', where, and whether it is reached."""
        return infimum(self.line, 1)

    @property
    def derivative_max(self) -> float:
        """Supremum of φ' wherever it exists."""
        return self.derivative_maximum.value

    @property
    def derivative_min(self) -> float:
        """Infimum of φ' wherever it exists."""
        return self.derivative_minimum.value

    @property
    def lipschitz(self) -> float:
        """The smallest L with ``|φ(x) − φ(y)| ≤ L |x − y|``: the largest ``|φ'|``, infinite where φ jumps."""
        return math.inf if self.jumps else self._largest_slope

    @property
    def _largest_slope(self) -> float:
        return max(abs(self.derivative_max), abs(self.derivative_min))

    @cached_property
    def dead_zones(self) -> tuple[Interval, ...]:
        """The intervals on which φ' is exactly zero: no gradient passes."""
        return self._without_jumps(self.line.flat_intervals(self.line.derivative, on_grid=self.line.on_grid(1)))

    @cached_property
    def saturation(self) -> tuple[Interval, ...]:
        """The intervals on which ``|φ'|`` is below 1 % of its largest value, dead zones and the neighbourhood of turning points included.

        None where the slope has no largest value.
        """
        bound = SATURATED * self._largest_slope
        if bound in (0.0, math.inf):
            return self.dead_zones if bound == 0.0 else ()
        turns = self.line.roots(self.line.derivative, self.line.on_grid(1))
        x = np.unique(np.concatenate([GRID, np.asarray(turns, dtype=np.float64)]))
        is_slow = np.abs(self.line.derivative(x)) < bound
        for place in self.line.breaks:
            is_slow[(x == place.at) & (place.order <= 1)] = False  # no slope there
        padded = np.concatenate([[False], is_slow, [False]]).astype(int)
        runs = zip(np.flatnonzero(np.diff(padded) == 1), np.flatnonzero(np.diff(padded) == -1) - 1, strict=True)

        def edge(index: int, side: int) -> float:
            if index in (0, x.size - 1):
                return side * math.inf
            return self.line.edge_of(lambda at: bool(np.abs(self.line.derivative(at)).item() < bound), float(x[index]), float(x[index + side]))

        pieces = [Interval(edge(int(i), -1), edge(int(j), 1)) for i, j in runs]
        return self._without_jumps(_joined(pieces))

    def _without_jumps(self, pieces: list[Interval]) -> tuple[Interval, ...]:
        cut: list[Interval] = []
        for piece in pieces:
            ends = [piece.low, *(one.at for one in self.line.jumps if one.at in piece), piece.high]
            cut += [Interval(low, high) for low, high in pairwise(ends)]
        return _nearest(cut)

    @property
    def jumps(self) -> tuple[float, ...]:
        """Where φ itself jumps."""
        return tuple(one.at for one in self.line.jumps)

    @property
    def kinks(self) -> tuple[float, ...]:
        """Where φ is continuous and its slope jumps."""
        return tuple(one.at for one in self.line.breaks if one.order == 1)

    @property
    def smoothness(self) -> float:
        """How often φ can be differentiated continuously: −1 with jumps, 0 with kinks, 1, 2, and ∞ where the third derivative is continuous too."""
        return min((one.order - 1 for one in self.line.breaks), default=math.inf)

    @property
    def is_smooth(self) -> bool:
        """Whether no jump was found up to the third derivative."""
        return self.smoothness == math.inf

    @cached_property
    def monotone(self) -> str:
        """``"strictly increasing"``, ``"increasing"`` (with flat stretches), the same with ``decreasing``, ``"constant"`` or ``"no"``."""
        slope = self.line.on_grid(1).copy()
        for one in self.line.breaks:
            slope[one.at == GRID] *= one.order > 1
        slope[np.abs(slope) <= 1e-13 * np.nanmax(np.abs(slope))] = 0
        steps = [float((self.line.value([one.right]) - self.line.value([one.left])).item()) for one in self.line.jumps]
        signs = set(np.sign(slope[np.isfinite(slope)]).tolist()) | set(np.sign(steps).tolist())
        if {-1.0, 1.0} <= signs:
            return "no"
        word = "increasing" if 1.0 in signs else "decreasing" if -1.0 in signs else "constant"
        return word if word == "constant" or self.dead_zones else f"strictly {word}"

    @property
    def is_monotone(self) -> bool:
        """Whether φ never turns back."""
        return self.monotone != "no"

    @cached_property
    def parity(self) -> str:
        """``"odd"`` where φ(−x) = −φ(x), ``"even"`` where φ(−x) = φ(x), else ``"neither"``; at a jump nothing is asked."""
        is_asked = CORE & ~np.isin(np.abs(GRID), np.abs(self.jumps))
        y, mirrored = self.line.value(GRID[is_asked]), self.line.value(-GRID[is_asked])
        slack = 1e-13 * (1 + np.abs(y))
        return "odd" if (np.abs(y + mirrored) <= slack).all() else "even" if (np.abs(y - mirrored) <= slack).all() else "neither"

    @property
    def at_zero(self) -> float:
        """φ(0)."""
        return float(self.line.value([0.0]).item())

    @cached_property
    def fixed_points(self) -> tuple[Interval, ...]:
        """All x with φ(x) = x: single points, and intervals on which φ is the identity."""

        def gap(x: Any) -> Floats:
            return np.asarray((self.line.value(np.atleast_1d(x)) - x) / (1 + np.abs(x)))

        y = gap(GRID)
        flat = [_closed(piece) for piece in self.line.flat_intervals(gap, tolerance=1e-14, size=1.0, on_grid=y)]
        single = [float(GRID[i]) for i in range(1, GRID.size - 1) if y[i] == 0 and y[i - 1] != 0 and y[i + 1] != 0 and abs(GRID[i]) <= 16]
        points = [x for x in sorted({*single, *self.line.roots(gap, y)}) if not any(x in piece or _is_near(x, piece) for piece in flat)]
        return _nearest([*flat, *map(point, points)])

    @cached_property
    def mean(self) -> float:
        """E φ(z) for z ~ N(0, 1)."""
        return self._mean_of(self.line.value)

    @property
    def is_zero_centred(self) -> bool:
        """Whether the outputs of a standard normal input average to zero."""
        return abs(self.mean) < 1e-12

    @cached_property
    def second_moment(self) -> float:
        """E φ(z)² for z ~ N(0, 1)."""
        return self._mean_of(lambda z: self.line.value(z) ** 2)

    @cached_property
    def slope_second_moment(self) -> float:
        """E φ'(z)² for z ~ N(0, 1)."""
        return self._mean_of(lambda z: self.line.derivative(z) ** 2)

    def _mean_of(self, g: Any) -> float:
        return gaussian_mean(g, [one.at for one in self.line.breaks])

    @property
    def gain(self) -> float:
        r"""The initialisation gain :math:`1/\sqrt{\mathbb E\,\varphi(z)^2}`: weights of standard deviation ``gain / sqrt(fan_in)`` keep a unit signal at 1.

        References:
            He et al. 2015, arXiv 1502.01852, equations 9 and 10, for ReLU; Klambauer et al. 2017, arXiv 1706.02515.
        """
        return _one_over_root(self.second_moment)

    @property
    def gradient_gain(self) -> float:
        r"""The gain that keeps gradients instead, :math:`1/\sqrt{\mathbb E\,\varphi'(z)^2}`; the same as :attr:`gain` for ReLU and its leaky relatives only.

        References:
            He et al. 2015, arXiv 1502.01852, section 2.2, backward propagation case.
        """
        return _one_over_root(self.slope_second_moment)

    def information_loss(self, *, bits: int = 8, depth: int = 1) -> InformationLoss:
        """Return what is lost of a standard normal input that is read with ``bits`` binary places; see :func:`.activation_losses.information_loss`."""
        return information_loss(self.line, bits=bits, depth=depth)

    def gradient_loss(self, *, depth: int = 1, weight_variance: float = 1.0) -> GradientLoss:
        """Return by how many decades gradients fade through ``depth`` layers; see :func:`.activation_losses.gradient_loss`."""
        return gradient_loss(self.line, depth=depth, weight_variance=weight_variance)

    @property
    def is_backward_right(self) -> bool:
        """Whether autograd's slope is that of the function; not so for a straight-through estimator, or where no gradient flows at all."""
        return self.line.is_backward_right


def _nearest(pieces: list[Interval]) -> tuple[Interval, ...]:
    kept = sorted(pieces, key=lambda piece: 0.0 if 0.0 in piece else min(abs(end) for end in piece))[:_MANY]
    return tuple(sorted(kept, key=lambda piece: piece.low))


def _one_over_root(moment: float) -> float:
    return math.inf if moment == 0 else 1 / math.sqrt(moment)


def _closed(piece: Interval) -> Interval:
    return Interval(piece.low, piece.high, is_low_closed=math.isfinite(piece.low), is_high_closed=math.isfinite(piece.high))


def _is_near(x: float, piece: Interval) -> bool:
    return any(abs(x - end) <= 1e-9 * (1 + abs(x)) for end in piece)


def _joined(pieces: list[Interval]) -> list[Interval]:
    """Put intervals that touch, as two runs beside a kink do, together again."""
    whole: list[Interval] = []
    for piece in pieces:
        if whole and piece.low <= whole[-1].high:
            whole[-1] = Interval(whole[-1].low, piece.high)
        else:
            whole.append(piece)
    return whole
