"""Where a loss of two weights is level: minima, saddles, maxima and flat valleys, found by Newton's method from many starts."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from .two_weights import Extent, TwoWeights, two_weights

Kind = Literal["minimum", "saddle", "maximum", "degenerate"]
FLAT = 1e-6  # an eigenvalue below this share of the larger one, or of a usual one, counts as zero: rounding of roots is about 1e-8
APART = 0.02  # points of a flat valley are kept at this distance from one another, in widths of the extent
SAME = 1e-5  # isolated points nearer than this, in widths, are one
ROUNDS = 80
ROUNDING = 1e-12  # a weight or an eigenvalue this small, in widths or beside the other one, is written as zero


@dataclass(frozen=True, slots=True)
class CriticalPoint:
    """A point with zero gradient.

    Attributes:
        w1: First weight.
        w2: Second weight.
        loss: The loss there.
        kind: By the signs of the eigenvalues; ``"degenerate"`` where one is zero (a flat valley, or a higher-order point).
        eigenvalues: Of the Hessian, the smaller first.
        gradient: Length of the gradient that was left.
    """

    w1: float
    w2: float
    loss: float
    kind: Kind
    eigenvalues: tuple[float, float]
    gradient: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"w1": self.w1, "w2": self.w2, "loss": self.loss, "kind": self.kind, "eigenvalues": list(self.eigenvalues), "gradient": self.gradient}


def critical_points(what: Any, *, data: tuple[Any, Any] | None = None, extent: Extent | None = None, starts: int = 21) -> list[CriticalPoint]:
    """Return the critical points inside an extent, the lowest first.

    Newton's method on the gradient (least-norm steps where the Hessian is singular, shortened until the gradient shrinks) from a grid of starts.

    Args:
        what: As for :func:`~kazami.surfaces.two_weights.two_weights`.
        data: ``(x, y)`` for a network.
        extent: ``(w1_min, w1_max, w2_min, w2_max)`` to search.
        starts: Starts per side.

    Limits:
        A search, no proof: a point with a basin finer than the grid of starts may be missed. A whole valley of minima is given as degenerate
        points spread along it. Where the loss is not smooth (ReLU) only its smooth pieces are searched.

    Example:
        >>> [(point.kind, round(point.w1, 6)) for point in critical_points("double_well")]
        [('minimum', -1.0), ('minimum', 1.0), ('saddle', 0.0)]
    """
    function = two_weights(what, data=data, extent=extent)
    box = extent or function.extent
    lows, highs = torch.tensor(box[0::2], dtype=torch.float64), torch.tensor(box[1::2], dtype=torch.float64)
    # An irregular offset: a grid that hits a point of symmetry exactly would start every row on it.
    grid = (torch.arange(starts, dtype=torch.float64) + 0.5 + 0.1 * torch.sin(torch.arange(starts, dtype=torch.float64))) / starts
    points = torch.cartesian_prod(grid, grid) * (highs - lows) + lows
    usual = torch.linalg.eigvalsh(function.hessian(points).nan_to_num()).abs().amax(-1).median()
    steepness = float(function.gradient(points).norm(dim=-1).nan_to_num().median())
    roots = _roots(function, points, (highs - lows).norm())
    left = function.gradient(roots).norm(dim=-1)
    hessians = function.hessian(roots)
    inside = ((roots >= lows - SAME) & (roots <= highs + SAME)).all(-1) & (left <= 1e-9 * max(steepness, 1e-12)) & hessians.isfinite().all(-1).all(-1)
    found = [_classified(function, root, hessian, float(usual)) for root, hessian in zip(roots[inside], hessians[inside], strict=True)]
    return _apart(sorted(found, key=lambda point: (round(point.loss, 9), point.w1, point.w2)), (highs - lows).numpy())


def _roots(function: TwoWeights, points: Tensor, width: Tensor) -> Tensor:
    """Return where damped Newton steps on the gradient lead."""
    now = points.clone()
    for _ in range(ROUNDS):
        gradient = function.gradient(now)
        hessian = function.hessian(now)
        usable = gradient.isfinite().all(-1) & hessian.isfinite().all(-1).all(-1)
        inverse = torch.linalg.pinv(torch.where(usable[:, None, None], hessian, torch.zeros(())), rtol=1e-9, hermitian=True)
        step = -(inverse @ gradient.nan_to_num().unsqueeze(-1)).squeeze(-1)
        step = step * torch.clamp(0.2 * width / step.norm(dim=-1, keepdim=True).clamp_min(1e-300), max=1.0)
        best, best_length = now, gradient.norm(dim=-1)
        for size in (1.0, 0.5, 0.25, 0.1, 0.03):
            tried = now + size * step
            length = function.gradient(tried).norm(dim=-1)
            better = (length < best_length) & usable
            best = torch.where(better.unsqueeze(-1), tried, best)
            best_length = torch.where(better, length, best_length)
        moved = (best - now).norm(dim=-1).max()
        now = best
        if not float(moved) > 1e-14 * float(width):
            break
    return now


def _classified(function: TwoWeights, root: Tensor, hessian: Tensor, usual: float) -> CriticalPoint:
    low, high = torch.linalg.eigvalsh(hessian).tolist()
    kind = kind_of(low, high, usual=usual)
    width = max(function.extent[1] - function.extent[0], function.extent[3] - function.extent[2])
    w1, w2 = (0.0 if abs(value) < ROUNDING * width else value for value in root.tolist())
    low, high = (0.0 if abs(value) < ROUNDING * max(abs(low), abs(high)) else value for value in (low, high))
    return CriticalPoint(w1, w2, float(function.value(root)), kind, (low, high), float(function.gradient(root).norm()))


def kind_of(low: float, high: float, *, usual: float = 0.0) -> Kind:
    """Return what a level point is, by the eigenvalues of its Hessian and what is usual for their size.

    >>> kind_of(1.0, 2.0), kind_of(-1.0, 2.0), kind_of(-2.0, -1.0), kind_of(1e-12, 2.0)
    ('minimum', 'saddle', 'maximum', 'degenerate')
    """
    if min(abs(low), abs(high)) <= FLAT * max(abs(low), abs(high), 1e-3 * usual):
        return "degenerate"
    if low > 0.0:
        return "minimum"
    return "maximum" if high < 0.0 else "saddle"


def _apart(points: list[CriticalPoint], widths: np.ndarray) -> list[CriticalPoint]:
    """Keep one of each, and of a flat valley a few points along it."""
    kept: list[CriticalPoint] = []
    for point in points:
        distances = [float(np.hypot((point.w1 - other.w1) / widths[0], (point.w2 - other.w2) / widths[1])) for other in kept if other.kind == point.kind]
        if all(distance > (APART if point.kind == "degenerate" else SAME) for distance in distances):
            kept.append(point)
    return kept
