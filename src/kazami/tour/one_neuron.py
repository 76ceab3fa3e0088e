"""One neuron with two weights on real flowers: its whole loss surface, walks on it, and where they end."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ..surfaces.stationary import CriticalPoint, critical_points
from ..surfaces.two_weights import Extent, TwoWeights, two_weights

FORMULA = "sigmoid(w1*x + w2)"
EXTENT: Extent = (-12.0, 9.0, -8.0, 9.5)
STEPS = 400
START = (6.0, -4.0)
LOCAL_START, PLAIN_START = (-5.0, 8.0), (6.0, 6.0)
NEAR, SAME = 0.05, 1e-3  # how near to a minimum counts as there; how near two visits count as one
LONGEST_CYCLE = 8

Fate = Literal["minimum", "local minimum", "cycle", "on the way", "wandering"]


@dataclass(frozen=True, slots=True)
class Walk:
    """A gradient descent.

    Attributes:
        rate: Learning rate.
        points: The weights after each step, shape ``(steps + 1, 2)``, the start first.
        losses: The loss at each, shape ``(steps + 1,)``.
        fate: How it ended.
        period: Steps of the cycle it ended in, 0 where there is none.
    """

    rate: float
    points: NDArray[np.float64]
    losses: NDArray[np.float64]
    fate: Fate
    period: int = 0


@cache
def neuron() -> TwoWeights:
    """Return the loss of a neuron σ(w₁x + w₂) that shall fire for versicolor, the middle one of three species, by the width of a petal.

    One threshold cannot cut out a middle: the neuron may be right about one border only, and each is a valley of its own.

    References:
        Auer, Herbster and Warmuth 1996, "Exponentially many local minima for single neurons", NeurIPS 8.
    """
    return two_weights(FORMULA, data=petals(), extent=EXTENT)


@cache
def petals() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the width of each petal, standardised, and 1 for versicolor, 0 for the others; shapes ``(150,)``."""
    from sklearn.datasets import load_iris

    flowers, species = load_iris(return_X_y=True)
    widths = flowers[:, 3]
    return (widths - widths.mean()) / widths.std(), (species == 1).astype(float)


@cache
def stationary() -> tuple[CriticalPoint, ...]:
    """Return where the surface is level, the lowest point first."""
    return tuple(critical_points(neuron(), extent=EXTENT, starts=9))


def walks(starts: Sequence[Sequence[float]], rates: Sequence[float], *, steps: int = STEPS) -> list[Walk]:
    """Descend from each start with its learning rate, all at once.

    Example:
        >>> [walk.fate for walk in walks([START, START], [14.0, 33.0])]
        ['minimum', 'cycle']
    """
    loss, at = neuron(), np.array(starts, dtype=np.float64)
    factors = np.array(rates, dtype=np.float64)[:, None]
    visited = [at]
    for _ in range(steps):
        at = at - factors * gradients(at)
        visited.append(at)
    points = np.stack(visited, 1)
    losses = loss.value(torch.from_numpy(points)).numpy()
    return [Walk(rate, one, values, *_fate(one)) for rate, one, values in zip(rates, points, losses, strict=True)]


def gradients(points: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return the gradients of the loss at ``points``, shape ``(walks, 2)``: the mean of :math:`(\sigma - y)\,\sigma'\,(x, 1)`, written out for speed."""
    x, y = petals()
    output = 1 / (1 + np.exp(-np.clip(points[:, :1] * x + points[:, 1:], -700, 700)))
    delta = (output - y) * output * (1 - output)
    return np.stack([(delta * x).mean(1), delta.mean(1)], 1)


def _fate(points: NDArray[np.float64]) -> tuple[Fate, int]:
    """Return how a walk ended, and the period of its cycle."""
    lowest, *others = [point for point in stationary() if point.kind == "minimum"]
    if _distance(points[-1], lowest) < NEAR:
        return "minimum", 0
    if any(_distance(points[-1], other) < 10 * NEAR for other in others):
        return "local minimum", 0
    for period in range(1, LONGEST_CYCLE + 1):
        if np.abs(points[-1] - points[-1 - period]).max() < SAME:
            return ("on the way", 0) if period == 1 else ("cycle", period)
    steps = np.abs(np.diff(points[-20:], axis=0)).max()
    return ("on the way", 0) if steps < NEAR else ("wandering", 0)


def _distance(point: NDArray[np.float64], other: CriticalPoint) -> float:
    return float(np.hypot(point[0] - other.w1, point[1] - other.w2))


def grid(n: int = 81) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the surface on ``n`` by ``n`` points: the two axes and the losses, rows along the second weight."""
    first, second = np.linspace(EXTENT[0], EXTENT[1], n), np.linspace(EXTENT[2], EXTENT[3], n)
    columns, rows = np.meshgrid(first, second)
    return first, second, neuron().value(torch.as_tensor(np.stack([columns, rows], -1))).numpy()
