"""Means over one Gaussian, or two correlated ones, of curves that may have kinks and jumps."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

_REACH = 10.0  # the Gaussian's tail beyond is 1e-23
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_PANELS = np.linspace(-_REACH, _REACH, 21)
_INNER_PANELS = np.linspace(-_REACH, _REACH, 11)


@dataclass(frozen=True, slots=True)
class Curve:
    """A function of the real line, smooth between its breaks.

    Attributes:
        function: Its values.
        derivative: Its derivative, between the breaks.
        breaks: Where its derivative jumps (kinks), or the function itself, ascending.
        jumps: Those of them where the function itself jumps.
    """

    function: Function
    derivative: Function
    breaks: tuple[float, ...]
    jumps: tuple[float, ...]

    @classmethod
    def measured(cls, function: Function, derivative: Function) -> "Curve":
        """Return a curve whose breaks are found by halving the steps of a grid until a jump is all that is left.

        Raises:
            UsageError: The function does not give one number for each.
        """
        probe = np.linspace(-1, 1, 12)  # gates and maxout take whole groups of numbers
        if function(probe).shape != probe.shape or not np.allclose(function(probe)[2:3], function(probe[2:3]), equal_nan=True):
            raise UsageError("A mean-field activation should be elementwise: one number for each number, whatever the others are.")
        jumps = _breaks(function)
        return cls(function, derivative, tuple(sorted({*jumps, *_breaks(derivative)})), jumps)

    def value(self) -> "Curve":
        """Return φ."""
        return self

    def squared(self) -> "Curve":
        """Return φ²."""
        return replace(self, function=lambda u: self.function(u) ** 2)

    def slope(self) -> "Curve":
        """Return φ′."""
        return replace(self, function=self.derivative)

    def slope_squared(self) -> "Curve":
        """Return φ′²."""
        return replace(self, function=lambda u: self.derivative(u) ** 2)

    def length_integrand(self, q: float) -> "Curve":
        """Return φ(u)φ′(u)u/q, whose Gaussian mean is the derivative of that of φ² by q."""
        return replace(self, function=lambda u: self.function(u) * self.derivative(u) * u / q)


def mean(curve: Curve, variance: float) -> float:
    r"""Return :math:`E[f(\sqrt{q}\,z)]` for a standard Gaussian *z*.

    >>> relu = Curve.measured(lambda u: np.maximum(u, 0), lambda u: (u > 0) * 1.0)
    >>> abs(mean(relu.squared(), 3.0) - 1.5) < 1e-13
    True
    """
    deviation = math.sqrt(variance)
    edges = _edges(np.asarray(curve.breaks) / deviation)
    z, weights = _rule(edges)
    return float(np.sum(weights * _density(z) * curve.function(deviation * z)))


def mean_of_product(curve: Curve, variance: float, correlation: float) -> float:
    r"""Return :math:`E[f(u_1) f(u_2)]` for two Gaussians of variance *q* and correlation *c*.

    >>> relu = Curve.measured(lambda u: np.maximum(u, 0), lambda u: (u > 0) * 1.0)
    >>> angle = math.acos(0.3)  # Cho and Saul 2009: (sin θ + (π - θ) cos θ) / 2π
    >>> abs(mean_of_product(relu, 1.0, 0.3) - (math.sin(angle) + (math.pi - angle) * 0.3) / (2 * math.pi)) < 1e-12
    True
    """
    rest = math.sqrt(max(0.0, 1 - correlation**2))
    if rest < 1e-8:
        product = replace(curve, function=lambda u: curve.function(u) * curve.function(math.copysign(1, correlation) * u), breaks=_mirrored(curve.breaks))
        return mean(product, variance)
    deviation = math.sqrt(variance)
    breaks = np.asarray(curve.breaks) / deviation
    # The second curve's break passes through the inner integral while the outer variable moves by a few times `rest` around it.
    crossings = (breaks / correlation) if abs(correlation) > 1e-3 else np.empty(0)
    around = (crossings[:, None] + rest / max(abs(correlation), 1e-3) * np.array([-8, -3, -1, 0, 1, 3, 8])).ravel()
    outer, outer_weights = _rule(_edges(np.concatenate([breaks, around])))
    inner_breaks = (breaks[None, :] - correlation * outer[:, None]) / rest
    inner_edges = np.sort(np.concatenate([np.broadcast_to(_INNER_PANELS, (outer.size, _INNER_PANELS.size)), np.clip(inner_breaks, -_REACH, _REACH)], axis=1))
    middle, half = (inner_edges[:, 1:] + inner_edges[:, :-1]) / 2, (inner_edges[:, 1:] - inner_edges[:, :-1]) / 2
    inner = middle[..., None] + half[..., None] * _NODES
    values = curve.function(deviation * (correlation * outer[:, None, None] + rest * inner))
    inner_mean = np.sum(values * _density(inner) * half[..., None] * _WEIGHTS, axis=(1, 2))
    return float(np.sum(outer_weights * _density(outer) * curve.function(deviation * outer) * inner_mean))


def _density(z: Array) -> Array:
    return np.asarray(np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi))


def _edges(breaks: Array) -> Array:
    inside = breaks[np.abs(breaks) < _REACH]
    return np.unique(np.concatenate([_PANELS, inside]))


def _rule(edges: Array) -> tuple[Array, Array]:
    middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    return (middle[:, None] + half[:, None] * _NODES).ravel(), (half[:, None] * _WEIGHTS).ravel()


def _mirrored(breaks: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sorted({*breaks, *(-point for point in breaks)}))


def _breaks(function: Function, reach: float = 20.0) -> tuple[float, ...]:
    """Return where the function jumps: the steps of a grid that keep most of their height when they are halved 40 times."""
    grid = np.linspace(-reach, reach, 4001) + 1e-4 * math.sqrt(2)  # off round numbers, where kinks are, so that each lies inside a step
    values = function(grid)
    scale = max(1.0, float(np.nanmax(np.abs(values[np.abs(grid) < 3]))))
    candidates = np.flatnonzero(np.abs(np.diff(values)) > 1e-7 * scale)
    if not candidates.size:
        return ()
    low, high = grid[candidates], grid[candidates + 1]
    first, last = values[candidates], values[candidates + 1]
    for _ in range(40):
        middle = (low + high) / 2
        between = function(middle)
        is_left = np.abs(between - first) >= np.abs(last - between)
        low, first = np.where(is_left, low, middle), np.where(is_left, first, between)
        high, last = np.where(is_left, middle, high), np.where(is_left, between, last)
    is_jump = np.abs(last - first) > 1e-6 * scale
    return tuple(float(0.0 if abs(point) < 1e-11 else point) for point in ((low + high) / 2)[is_jump])
