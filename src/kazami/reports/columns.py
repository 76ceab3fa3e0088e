"""Long runs made short: columns that keep their extremes for pictures, evenly spaced rows for the numbers inside the page."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records.trace import Floats, Series

MAX_COLUMNS = 1500  # more than a wide screen has pixels for
MAX_CELLS = 48_000  # of the weather map: four numbers a cell make about 1.3 MB
MAX_BYTES = 2_000_000  # of raw numbers in a page
BYTES_A_NUMBER = 11  # six significant digits, sign, point, comma, now and then an exponent


def starts(n: int, limit: int) -> NDArray[np.int64]:
    """Return the first index of each column when ``n`` rows are drawn in at most ``limit`` columns of equal length.

    >>> starts(7, 3).tolist(), starts(3, 10).tolist()
    ([0, 3, 6], [0, 1, 2])
    """
    length = max(1, -(-n // limit))
    return np.arange(0, n, length, dtype=np.int64)


def extremes(values: Floats, first: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the lowest and the highest of each column, NaN left out as long as there is anything else."""
    if not len(values):
        return values, values
    low = np.minimum.reduceat(np.where(np.isnan(values), np.inf, values), first, axis=0)
    high = np.maximum.reduceat(np.where(np.isnan(values), -np.inf, values), first, axis=0)
    unseen = np.add.reduceat((~np.isnan(values)).astype(np.int64), first, axis=0) == 0
    return np.where(unseen, np.nan, low), np.where(unseen, np.nan, high)


def raw_series(series: Mapping[str, Series], max_bytes: int = MAX_BYTES) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return all series as plain lists, and what was thinned to stay below ``max_bytes``.

    Small series stay whole; of the large ones evenly spaced rows are kept, the first and the last among them.

    Returns:
        ``{name: {"steps", "values"}}``, and ``{name: {"kept", "of"}}`` for the series that lost rows.
    """
    sizes = {name: one.values.size + one.steps.size for name, one in series.items()}
    left, waiting = max_bytes // BYTES_A_NUMBER, len(sizes)
    result: dict[str, Any] = {}
    thinned: dict[str, Any] = {}
    for name in sorted(sizes, key=lambda name: sizes[name]):
        share = left // waiting
        kept = _thin(series[name], share) if sizes[name] > share else series[name]
        if len(kept) < len(series[name]):
            thinned[name] = {"kept": len(kept), "of": len(series[name])}
        result[name] = {"steps": kept.steps, "values": rounded(kept.values, 6)}
        left, waiting = left - kept.values.size - kept.steps.size, waiting - 1
    return {name: result[name] for name in series}, thinned


def _thin(series: Series, share: int) -> Series:
    width = max(1, series.values.size // max(1, len(series))) + 1
    keep = np.unique(np.linspace(0, len(series) - 1, max(2, share // width)).round().astype(np.int64))
    return Series(series.steps[keep], series.values[keep])


def rounded(values: Floats, digits: int) -> Floats:
    """Return the values with so many significant digits, so that they are short as text; what is not finite stays.

    >>> rounded(np.array([3.14159, 0.0, -2.0e-7, np.inf]), 3).tolist()
    [3.14, 0.0, -2e-07, inf]
    """
    numbers = np.asarray(values, dtype=np.float64)
    is_usual = np.isfinite(numbers) & (np.abs(numbers) > 1e-290)
    safe = np.where(is_usual, numbers, 1.0)
    power = digits - 1 - np.floor(np.log10(np.abs(safe)))
    up, down = 10.0 ** np.maximum(power, 0.0), 10.0 ** np.maximum(-power, 0.0)  # one of them is 1; a quotient of whole numbers is the nearest double
    whole = np.rint(safe / down * up)
    return np.where(is_usual, whole / up * down, numbers)
