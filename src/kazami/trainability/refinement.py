"""Adaptive refinement: pixels near the edge are computed, the rest is filled in, and a random share of the filling is checked."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Compute = Callable[[NDArray[np.int64], NDArray[np.int64]], Floats]

COARSE = 16  # pixels between two columns of the first grid
EIGHT = np.ones((3, 3), dtype=bool)
LEAST_CHECKED = 64
ROUNDS = 8  # of a check that finds islands, which are then followed


@dataclass(slots=True, eq=False)
class Refined:
    """A map on its way.

    Attributes:
        values: One number a pixel; negative where it converged.
        known: Which pixels were computed; the others are filled in.
        checked: How many filled pixels were drawn at random and computed in the last round, which found ``missed`` of them wrong.
        missed: Of these, how many had the other sign.
        found: Wrong pixels of the rounds before; all around them was refined.
        interpolated: Pixels that stayed filled in.
    """

    values: Floats
    known: Booleans
    checked: int = 0
    missed: int = 0
    found: int = 0
    interpolated: int = 0

    @property
    def miss_rate(self) -> float:
        """Share of the filled pixels that the last check found wrong; NaN where none was checked."""
        return self.missed / self.checked if self.checked else math.nan

    def miss_bound(self, level: float = 0.95) -> float:
        """Return an upper bound for the share of filled pixels that are wrong, which holds with probability ``level``.

        It is the bound of Clopper and Pearson (1934) with a risk shared among the rounds, since the last round was chosen by what it found.
        """
        if not self.interpolated:
            return 0.0
        if self.missed >= self.checked:
            return 1.0
        return float(stats.beta.ppf(1.0 - (1.0 - level) / ROUNDS, self.missed + 1, self.checked - self.missed))


@dataclass(slots=True, eq=False)
class _Level:
    """One grid: its lines, and which of its cells are looked at."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    active: Booleans
    parents: tuple[NDArray[np.int64], NDArray[np.int64]] = field(default_factory=lambda: (np.zeros(0, np.int64), np.zeros(0, np.int64)))


def computed_in_full(shape: tuple[int, int], compute: Compute) -> Refined:
    """Return the map with every pixel computed.

    Args:
        shape: Rows and columns.
        compute: Given rows and columns of pixels, their values; NaN where it was interrupted.
    """
    rows, columns = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
    values = compute(rows, columns).reshape(shape)
    return Refined(values, ~np.isnan(values))


def refined(shape: tuple[int, int], compute: Compute, *, share: float = 0.01, seed: int = 0, coarse: int = COARSE) -> Refined:
    """Return the map with the pixels near its edge computed, and the rest filled in and checked.

    A coarse grid is computed; a cell whose corners differ in sign is split, and so are the eight cells around it, wherever the edge leads, down to single
    pixels. Other cells are filled in between their corners. Of the pixels filled in so, a random share is then computed: wherever one has the other sign, the
    cells around it are split as well, and new pixels are drawn, until a round finds none, or after eight rounds. Only the last round counts for the miss rate,
    which is that of the filling it was drawn from.

    Args:
        shape: Rows and columns.
        compute: Given rows and columns of pixels, their values; NaN where it was interrupted.
        share: Share of the filled pixels that each round computes; at least 64.
        seed: Of the random choice.
        coarse: Pixels between two lines of the first grid.
    """
    grid = _Grid(shape, compute, coarse)
    grid.follow()
    found = Refined(grid.filled(), grid.known)
    generator = np.random.default_rng(seed)
    for number in range(ROUNDS if share > 0.0 else 0):
        hidden = np.flatnonzero(~grid.known & ~np.isnan(found.values))
        if not len(hidden):
            break
        count = min(max(LEAST_CHECKED, math.ceil(share * len(hidden))), len(hidden))
        rows, columns = np.divmod(generator.choice(hidden, count, replace=False), shape[1])
        fresh = grid.compute(rows, columns)
        wrong = (fresh < 0.0) != (found.values[rows, columns] < 0.0)
        wrong &= ~np.isnan(fresh)
        found.found += found.missed
        found.checked, found.missed = int((~np.isnan(fresh)).sum()), int(wrong.sum())
        grid.wake(rows[wrong], columns[wrong])
        grid.follow()
        found.values = grid.filled()
        if not wrong.any() or number == ROUNDS - 1:
            break
    found.known = grid.known
    found.interpolated = int((~grid.known & ~np.isnan(found.values)).sum())
    return found


class _Grid:
    """Nested grids over the pixels of a map."""

    def __init__(self, shape: tuple[int, int], compute: Compute, coarse: int) -> None:
        self._shape, self._compute = shape, compute
        self._values = np.full(shape, np.nan)
        self.known = np.zeros(shape, dtype=bool)
        lines = [np.unique(np.rint(np.linspace(0, size - 1, max(-(-(size - 1) // coarse), 1) + 1)).astype(np.int64)) for size in shape]
        self._levels = [_Level(lines[0], lines[1], np.ones((max(len(lines[0]) - 1, 1), max(len(lines[1]) - 1, 1)), dtype=bool))]
        while max(np.diff(self._levels[-1].rows).max(initial=0), np.diff(self._levels[-1].columns).max(initial=0)) > 1:
            self._levels.append(_halved(self._levels[-1]))

    def compute(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        """Compute pixels, remember them, and return their values."""
        new = ~self.known[rows, columns]
        if new.any():
            fresh = self._compute(rows[new], columns[new])
            self._values[rows[new], columns[new]] = fresh
            self.known[rows[new], columns[new]] = ~np.isnan(fresh)
        return np.asarray(self._values[rows, columns])

    def follow(self) -> None:
        """Compute the corners of all active cells, from the coarsest grid to the finest, and follow the edge wherever it leads."""
        for number, level in enumerate(self._levels):
            mixed = self._mixed(level)
            while True:
                woken = ndimage.binary_dilation(mixed, EIGHT) & ~level.active
                if not woken.any():
                    break
                level.active |= woken
                mixed = self._mixed(level)
            if number + 1 < len(self._levels):
                finer = self._levels[number + 1]
                finer.active |= ndimage.binary_dilation(mixed, EIGHT)[np.ix_(*finer.parents)]

    def wake(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
        """Have the cells that hold these pixels looked at on all grids."""
        for level in self._levels:
            down = np.clip(np.searchsorted(level.rows, rows, side="right") - 1, 0, level.active.shape[0] - 1)
            across = np.clip(np.searchsorted(level.columns, columns, side="right") - 1, 0, level.active.shape[1] - 1)
            woken = np.zeros_like(level.active)
            woken[down, across] = True
            level.active |= ndimage.binary_dilation(woken, EIGHT) if woken.any() else woken

    def filled(self) -> Floats:
        """Return the values, those that were not computed between the corners of the smallest cell they are in."""
        values = np.full(self._shape, np.nan)
        for number, level in enumerate(self._levels):
            cells = level.active.copy()
            if number + 1 < len(self._levels):
                finer = self._levels[number + 1]
                whole = np.ones_like(cells)
                np.logical_and.at(whole, tuple(np.meshgrid(*finer.parents, indexing="ij")), finer.active)
                cells &= ~whole  # those whose children are all active are filled by them
            _fill(values, self._values, level, np.argwhere(cells))
        values[self.known] = self._values[self.known]
        return values

    def _mixed(self, level: _Level) -> Booleans:
        """Return which active cells have corners of both signs, all corners computed."""
        corners = np.zeros((len(level.rows), len(level.columns)), dtype=bool)
        last = (corners.shape[0] - 1, corners.shape[1] - 1)
        down, across = np.nonzero(level.active)
        for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
            corners[np.minimum(down + a, last[0]), np.minimum(across + b, last[1])] = True
        rows, columns = np.nonzero(corners)
        self.compute(level.rows[rows], level.columns[columns])
        inside = np.zeros(corners.shape, dtype=np.int8)
        inside[rows, columns] = self._values[level.rows[rows], level.columns[columns]] < 0.0
        count = np.zeros(level.active.shape, dtype=np.int8)
        for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
            count[down, across] += inside[np.minimum(down + a, last[0]), np.minimum(across + b, last[1])]
        return level.active & (count > 0) & (count < 4)


def _halved(level: _Level) -> _Level:
    """Return the grid with every interval longer than a pixel split in two."""
    parts = []
    for lines in (level.rows, level.columns):
        middles = (lines[:-1] + lines[1:]) // 2
        finer = np.unique(np.concatenate([lines, middles]))
        parts.append((finer, np.searchsorted(lines, finer[:-1], side="right") - 1 if len(finer) > 1 else np.zeros(1, dtype=np.int64)))
    (rows, of_rows), (columns, of_columns) = parts
    return _Level(rows, columns, np.zeros((len(of_rows), len(of_columns)), dtype=bool), (of_rows, of_columns))


def _fill(values: Floats, computed: Floats, level: _Level, cells: NDArray[np.int64]) -> None:
    """Write into the pixels of ``cells`` what lies between their corners."""
    if not len(cells):
        return
    last = (len(level.rows) - 1, len(level.columns) - 1)
    tops, lefts = level.rows[cells[:, 0]], level.columns[cells[:, 1]]
    heights = level.rows[np.minimum(cells[:, 0] + 1, last[0])] - tops
    widths = level.columns[np.minimum(cells[:, 1] + 1, last[1])] - lefts
    for height, width in np.unique(np.stack([heights, widths], axis=1), axis=0):
        chosen = (heights == height) & (widths == width)
        top, left = tops[chosen][:, None, None], lefts[chosen][:, None, None]
        rows, columns = np.arange(height + 1)[None, :, None], np.arange(width + 1)[None, None, :]
        up, right = rows / max(height, 1), columns / max(width, 1)
        low = computed[top, left] * (1 - right) + computed[top, left + width] * right
        high = computed[top + height, left] * (1 - right) + computed[top + height, left + width] * right
        values[top + rows, left + columns] = low * (1 - up) + high * up
