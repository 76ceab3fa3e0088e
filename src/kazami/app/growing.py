"""Series that grow while a run is written: appended to in constant time, read as whole arrays."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..records.trace import Floats, Series


class GrowingSeries:
    """One quantity over its recorded steps; a number a step, or a row of numbers that may become longer.

    >>> one = GrowingSeries(Series(np.array([1]), np.array([0.5])))
    >>> one.append(2, 0.25)
    >>> one.series().values.tolist()
    [0.5, 0.25]
    """

    def __init__(self, start: Series) -> None:
        self._steps = start.steps.astype(np.int64)
        self._values: Floats = start.values.astype(np.float64)
        self._n = len(start)

    def append(self, step: int, value: float | Sequence[float]) -> None:
        """Append what was recorded at a later step; a number where rows stood, or the reverse, begins anew."""
        row = np.asarray(value, dtype=np.float64)
        if row.ndim != self._values.ndim - 1:
            self._steps, self._values, self._n = np.empty(0, dtype=np.int64), np.empty((0, *row.shape)), 0
        if row.ndim and row.size != self._values.shape[1]:
            width = max(row.size, self._values.shape[1])
            self._values = _widened(self._values, width)
            row = np.concatenate([row, np.full(width - row.size, np.nan)])
        if self._n == len(self._steps):
            room = max(256, self._n)
            self._steps = np.concatenate([self._steps, np.zeros(room, dtype=np.int64)])
            self._values = np.concatenate([self._values, np.full((room, *self._values.shape[1:]), np.nan)])
        self._steps[self._n], self._values[self._n] = step, row
        self._n += 1

    def series(self, width: int | None = None) -> Series:
        """Return what there is, rows at least ``width`` wide; it stays as it is when more is appended."""
        values = self._values[: self._n]
        if width is not None and values.ndim == 2 and values.shape[1] < width:
            values = _widened(values, width)
        return Series(self._steps[: self._n], values)


def _widened(values: Floats, width: int) -> Floats:
    extra = np.full((len(values), width - values.shape[1]), np.nan)
    return np.concatenate([values, extra], axis=1)


class GrowingSeriesOf:
    """All series of a run.

    Args:
        start: What there is already.
    """

    def __init__(self, start: Mapping[str, Series]) -> None:
        self._all = {name: GrowingSeries(series) for name, series in start.items()}

    def append(self, step: int, values: Mapping[str, float | list[float]]) -> None:
        """Append the row of a later step."""
        for name, value in values.items():
            if name not in self._all:
                empty = np.empty((0, len(value))) if isinstance(value, list) else np.empty(0)
                self._all[name] = GrowingSeries(Series(np.empty(0, dtype=np.int64), empty))
            self._all[name].append(step, value)

    def series(self, width: int) -> dict[str, Series]:
        """Return all series, those of layers ``width`` wide."""
        return {name: growing.series(width) for name, growing in self._all.items()}
