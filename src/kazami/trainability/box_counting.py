"""The box-counting dimension of the edge between pixels that converge and pixels that do not, with its fit."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

SMALLEST, SHARE, RATIO = 2, 8, math.sqrt(2.0)  # boxes of one pixel see the grid, boxes beyond an eighth of the picture see its frame
SHIFTS = 4  # positions of the boxes along each axis; the fewest boxes count


@dataclass(frozen=True, slots=True, eq=False)
class BoxDimension:
    r"""The slope of :math:`\ln N(\epsilon)` over :math:`\ln 1/\epsilon`, where :math:`N` boxes of side :math:`\epsilon` hold a piece of the edge.

    Attributes:
        value: The slope by least squares over ``fit_range``; NaN where there is no edge, or too few sizes to fit.
        uncertainty: Its standard error. It says how straight the line is, not how far the picture's resolution is from the limit.
        r_squared: Share of the variance that the line explains.
        fit_range: Smallest and largest box in the fit, in pixels.
        resolution: Pixels along the picture's shorter side.
        sizes: All box sizes, in pixels.
        counts: Boxes that hold a piece of the edge.
        local_slopes: Slope between neighbouring sizes, one fewer than ``sizes``.
        edge_pixels: Pixels of the edge.
    """

    value: float
    uncertainty: float
    r_squared: float
    fit_range: tuple[int, int]
    resolution: int
    sizes: NDArray[np.int64]
    counts: NDArray[np.int64]
    local_slopes: Floats
    edge_pixels: int

    @property
    def median_slope(self) -> float:
        """Median of the local slopes in the fit range: the paper's number for one frame (it takes the median over all of its frames)."""
        low, high = self.fit_range
        there = self.local_slopes[(self.sizes[:-1] >= low) & (self.sizes[1:] <= high)]
        return float(np.median(there)) if len(there) else math.nan

    def __float__(self) -> float:
        """Return the value."""
        return self.value

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        numbers = {name: getattr(self, name) for name in ("value", "uncertainty", "r_squared", "median_slope")}
        plain = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        lists = {name: getattr(self, name).tolist() for name in ("sizes", "counts", "local_slopes")}
        return {**plain, "fit_range": list(self.fit_range), "resolution": self.resolution, "edge_pixels": self.edge_pixels, **lists}


def edges(converged: ArrayLike) -> Booleans:
    """Return where a block of two by two pixels holds both kinds, shape one smaller along both axes.

    Args:
        converged: Whether each pixel converged, shape ``(rows, columns)``; or the paper's values, whose negative ones did.

    Example:
        >>> edges([[True, True, False], [True, True, False]]).tolist()
        [[False, True]]
    """
    given = np.asarray(converged)
    inside = given if given.dtype == bool else given < 0.0
    if inside.ndim != 2 or min(inside.shape) < 2:
        raise UsageError(f"A map should have at least two rows and two columns, but its shape is {inside.shape}.")
    count = inside[1:, 1:].astype(np.int8) + inside[1:, :-1] + inside[:-1, 1:] + inside[:-1, :-1]
    return (count > 0) & (count < 4)


def box_dimension(edge: ArrayLike, *, fit_range: tuple[int, int] | None = None, sizes: ArrayLike | None = None) -> BoxDimension:
    """Return the box-counting dimension of the true pixels of a picture.

    For each size the boxes are laid down at up to 16 positions and the smallest count is taken: the definition asks for the fewest boxes that cover the set.

    Args:
        edge: Booleans, shape ``(rows, columns)``, for example from :func:`edges`.
        fit_range: Smallest and largest box in the fit, in pixels; from 2 to an eighth of the shorter side by default.
        sizes: Box sizes; by default all steps of the square root of 2 up to the shorter side.

    Raises:
        UsageError: The picture is smaller than two by two.

    Limits:
        A picture of finite resolution: a fractal edge seen with few pixels comes out too smooth. Compare ``resolution``, and look at ``local_slopes``: where
        they still rise towards small boxes, more pixels would give more.

    References:
        Falconer, "Fractal Geometry", chapter 2; Sohl-Dickstein 2024 (arXiv 2402.06184).

    Example:
        >>> round(box_dimension(np.eye(512, dtype=bool)).value, 1), round(box_dimension(np.ones((512, 512), dtype=bool)).value, 1)
        (1.0, 2.0)
    """
    picture = np.asarray(edge, dtype=bool)
    if picture.ndim != 2 or min(picture.shape) < 2:
        raise UsageError(f"A picture should have at least two rows and two columns, but its shape is {picture.shape}.")
    shorter = min(picture.shape)
    powers = RATIO ** np.arange(1 + int(math.log(shorter) / math.log(RATIO) + 1e-9))
    used = np.unique(np.rint(powers).astype(np.int64)) if sizes is None else np.unique(np.asarray(sizes, dtype=np.int64))
    counts = np.array([_fewest(picture, int(size)) for size in used], dtype=np.int64)
    low, high = fit_range or (SMALLEST, max(shorter // SHARE, SMALLEST + 1))
    inside = (used >= low) & (used <= high) & (counts > 0)
    x, y = -np.log(used[inside]), np.log(counts[inside])
    with np.errstate(divide="ignore", invalid="ignore"):
        local = -np.diff(np.log(counts)) / np.diff(np.log(used))
    slope, error, explained = _line(x, y)
    fitted = (int(used[inside].min()), int(used[inside].max())) if inside.any() else (low, high)
    return BoxDimension(slope, error, explained, fitted, shorter, used, counts, np.nan_to_num(local, nan=0.0), int(picture.sum()))


def _fewest(picture: Booleans, size: int) -> int:
    step = max(size // SHIFTS, 1)
    shifts = range(0, size, step)
    return min(_count(picture, size, down, across) for down in shifts for across in shifts)


def _count(picture: Booleans, size: int, down: int, across: int) -> int:
    rows, columns = picture.shape
    starts = [np.unique(np.concatenate([[0], np.arange(shift, length, size)])) for shift, length in ((down, rows), (across, columns))]
    held = np.logical_or.reduceat(np.logical_or.reduceat(picture, starts[0], axis=0), starts[1], axis=1)
    return int(held.sum())


def _line(x: Floats, y: Floats) -> tuple[float, float, float]:
    """Return slope, its standard error, and the share of the variance explained."""
    if len(x) < 3:
        return math.nan, math.nan, math.nan
    dx, dy = x - x.mean(), y - y.mean()
    slope = float(dx @ dy / (dx @ dx))
    rest = float(((dy - slope * dx) ** 2).sum())
    whole = float(dy @ dy)
    return slope, math.sqrt(rest / (len(x) - 2) / float(dx @ dx)), 1.0 - rest / whole if whole > 0.0 else 1.0
