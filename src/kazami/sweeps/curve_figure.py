"""A recorded number against one factor, with its band over all the others."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError, unknown_name
from ..reports.figures import ACCENT, MUTED, PATH, drawing, new_figure
from ..reports.numerals import short
from .axes import are_numbers, at, centres, dress, factor_named, said
from .grids import axis_of, last_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .result import SweepResult

BAND = (10.0, 90.0)  # percentiles of the members at one value


def curve_figure(found: "SweepResult", x: str | None, record: str | None, language: str) -> "Figure":
    """Draw ``record`` against the factor ``x``; see :meth:`SweepResult.curve`."""
    column = _column(found, record)
    name = x if x is not None else next((each for each in found.factors if are_numbers(list(found.values[each])) and each != "seed"), None)
    across = factor_named(found, name)
    values, places = axis_of(found, across)
    is_last = np.append(np.diff(found.rows) != 0, True) if len(found.rows) else np.zeros(0, dtype=bool)
    numbers = last_rows(found)[column].to_numpy(zero_copy_only=False).astype(float)
    where = places[found.rows[is_last]]
    band = _band(numbers, where, len(values))
    figure, axes = new_figure(width=6.8, height=3.9)
    with drawing():
        ticks = centres(values)
        keep = np.isfinite(numbers)
        axes.plot(ticks[where[keep]], numbers[keep], ".", color=MUTED, markersize=3, alpha=0.5)
        axes.fill_between(ticks, band[0], band[2], color=ACCENT, alpha=0.18, linewidth=0)
        axes.plot(ticks, band[1], color=ACCENT, marker="o" if len(values) < 40 else None, markersize=3)
        if column == "max_lyapunov":
            axes.axhline(0.0, color=PATH, linewidth=0.9)
        finite = numbers[keep]
        if finite.size and column != "max_lyapunov" and finite.min() > 0 and finite.max() / finite.min() > 1e3:
            axes.set_yscale("log")
        dress(axes, "x", found, across, language)
        axes.set_ylabel(said(column, language, found.units.get(column, "")))
        axes.set_title(_title(column, values, across, band[1], language))
    return figure


def _column(found: "SweepResult", record: str | None) -> str:
    numbers = [part.name for part in found.table.schema if part.name in found.recorded and str(part.type) != "string"]
    if not numbers:
        raise UsageError("A curve needs a number, and the sweep recorded none. Draw a map of the regimes instead.")
    column = record or next((name for name in ("max_lyapunov", "score", "final_loss", "loss") if name in numbers), numbers[0])
    if column not in numbers:
        raise unknown_name("number that was recorded", column, numbers)
    return column


def _band(numbers: NDArray[np.float64], where: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return the lower percentile, the median and the upper percentile at each value; what is not finite is left out."""
    band = np.full((3, count), np.nan)
    for place in range(count):
        here = numbers[(where == place) & np.isfinite(numbers)]
        if here.size:
            band[:, place] = np.percentile(here, [BAND[0], 50.0, BAND[1]])
    return band


def _title(column: str, values: list[object], across: str, middle: NDArray[np.float64], language: str) -> str:
    """Return the finding: where the exponent passes zero, or where the number is best."""
    if not np.isfinite(middle).any():
        return "有限の値がありません" if language == "ja" else f"No finite {said(column, language)}"
    if column == "max_lyapunov":
        rises = [place for place in range(1, len(middle)) if middle[place - 1] <= 0.0 < middle[place]]
        if rises:
            begin = at(across, values[rises[-1]], language)
            return f"差は{begin}から成長し続けます" if language == "ja" else f"Differences grow from {begin} on"
    is_loss = "loss" in column
    place = int(np.nanargmin(middle) if is_loss else np.nanargmax(middle))
    number, where = short(float(middle[place])), at(across, values[place], language)
    if language == "ja":
        return f"{said(column, language)}の中央値は{where}で{'最小' if is_loss else '最大'}（{number}）"
    return f"The median {said(column, language)} is {'lowest' if is_loss else 'highest'}, {number}, at {where}"
