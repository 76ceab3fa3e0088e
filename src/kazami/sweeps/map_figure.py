"""Two factors against one another: regimes as letters and colours, or a recorded number."""

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError, unknown_name
from ..records.regime import LETTERS
from ..reports.figures import ACCENT, INK, MUTED, SERIES, drawing, new_figure
from ..reports.numerals import short
from ..reports.palette import BREEZE, CALM, DEAD_CALM, GUST, STORM
from .axes import at, borders, centres, dress, factor_named, said
from .grids import axis_of, last_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .result import SweepResult

# From calm to storm where a regime has a place on that scale; the letter tells what a colour may not.
COLOURS = MappingProxyType(
    {
        "C": BREEZE,
        "E": GUST,
        "P": SERIES[2],
        "Q": SERIES[4],
        "I": SERIES[3],
        "T": "#e3b7ac",
        "X": STORM,
        "D": "#9aa4ad",
        "V": DEAD_CALM,
        "N": SERIES[5],
        "?": "#ffffff",
    }
)
AGREED = 2 / 3  # of a cell's members
SURE = 0.5
MOST_LETTERS = 1200  # cells; smaller ones have colours only
JAPANESE = MappingProxyType(
    {
        "convergent": "収束", "edge_of_stability": "安定性の端", "periodic": "周期的", "quasi_periodic": "準周期的", "intermittent": "間欠的",
        "transient_chaos": "過渡カオス", "chaos": "カオス", "dead": "死", "divergent": "発散", "noise": "雑音", "unsure": "不明",
    }
)  # fmt: skip
LABELS = MappingProxyType({letter: label for label, letter in LETTERS.items()})


@dataclass(frozen=True, slots=True)
class Cells:
    """Members by the cell of the picture they fall into.

    Attributes:
        x: Values of the horizontal factor.
        y: Values of the vertical one.
        members: The last row of each member in each cell, by place (row, column).
        count: Members that there should be, in each cell.
    """

    x: list[Any]
    y: list[Any]
    members: dict[tuple[int, int], list[dict[str, Any]]]
    count: NDArray[np.int64]


def map_figure(found: "SweepResult", x: str | None, y: str | None, record: str | None, language: str) -> "Figure":
    """Draw ``record`` over the factors ``x`` and ``y``; see :meth:`SweepResult.map`."""
    column = _column(found, record)
    across = factor_named(found, x, () if y is None else (y,))
    up = factor_named(found, y, (across,))
    if across == up:
        raise UsageError(f"A map needs two different factors, but both axes are {across}.")
    cells = _cells(found, across, up)
    figure, axes = new_figure(width=7.4, height=5.2)
    with drawing():
        axes.grid(visible=False)
        if column == "regime":
            title = _draw_regimes(axes, cells, across, language)
        else:
            title = _draw_numbers(figure, axes, found, cells, column, (across, up), language)
        dress(axes, "x", found, across, language)
        dress(axes, "y", found, up, language)
        axes.set_title(title)
    return figure


def _column(found: "SweepResult", record: str | None) -> str:
    if record is None:
        record = next((name for name in ("regime", "max_lyapunov", "score", "final_loss", "loss", *found.recorded) if name in found.recorded), "")
    if record not in found.recorded:
        raise unknown_name("record", record, found.recorded)
    return "regime" if record == "regime_letter" else record


def _cells(found: "SweepResult", across: str, up: str) -> Cells:
    (columns, x_of), (rows, y_of) = axis_of(found, across), axis_of(found, up)
    count = np.zeros((len(rows), len(columns)), dtype=np.int64)
    np.add.at(count, (y_of, x_of), 1)
    members: dict[tuple[int, int], list[dict[str, Any]]] = {}
    is_last = np.append(np.diff(found.rows) != 0, True) if len(found.rows) else np.zeros(0, dtype=bool)
    for number, row in zip(found.rows[is_last].tolist(), last_rows(found).to_pylist(), strict=True):
        members.setdefault((int(y_of[number]), int(x_of[number])), []).append(row)
    return Cells(columns, rows, members, count)


def _draw_regimes(axes: Any, cells: Cells, across: str, language: str) -> str:
    letters: NDArray[Any] = np.full(cells.count.shape, "", dtype=object)
    unsure = np.zeros(cells.count.shape, dtype=bool)
    for place, rows in cells.members.items():
        letters[place], unsure[place] = _letter(rows)
    shown = [letter for letter in LETTERS.values() if (letters == letter).any()]
    numbers = np.full(letters.shape, np.nan)
    for number, letter in enumerate(shown):
        numbers[letters == letter] = number
    from matplotlib.colors import ListedColormap

    colours = ListedColormap([COLOURS[letter] for letter in shown] or ["#ffffff"])
    edges = borders(cells.x), borders(cells.y)
    axes.pcolormesh(*edges, np.ma.masked_invalid(numbers), cmap=colours, vmin=-0.5, vmax=max(len(shown), 1) - 0.5, rasterized=True)
    _hatch(axes, edges, unsure)
    if letters.size <= MOST_LETTERS:
        _write_letters(axes, cells, letters)
    _legend(axes, shown, bool(unsure.any()), language)
    return _finding(cells, letters, across, language)


def _letter(rows: list[dict[str, Any]]) -> tuple[str, bool]:
    """Return the letter that most members of a cell have, and whether that is unsure; of two as frequent, the one of which they are surer."""
    by_letter: dict[str, list[float]] = {}
    for row in rows:
        by_letter.setdefault(row["regime_letter"], []).append(row["regime_confidence"])
    letter = max(by_letter, key=lambda each: (len(by_letter[each]), float(np.mean(by_letter[each]))))
    agreed = by_letter[letter]
    return letter, letter == "?" or len(agreed) / len(rows) < AGREED or float(np.mean(agreed)) < SURE


def _hatch(axes: Any, edges: tuple[NDArray[Any], NDArray[Any]], where: NDArray[np.bool_]) -> None:
    from matplotlib.patches import Rectangle

    for row, column in zip(*np.nonzero(where), strict=True):
        corner = edges[0][column], edges[1][row]
        size = edges[0][column + 1] - corner[0], edges[1][row + 1] - corner[1]
        axes.add_patch(Rectangle(corner, *size, fill=False, hatch="////", edgecolor=MUTED, linewidth=0.0, alpha=0.7))


def _write_letters(axes: Any, cells: Cells, letters: NDArray[Any]) -> None:
    size = min(10.0, 300.0 / max(letters.shape[1], 1.6 * letters.shape[0]))
    x, y = centres(cells.x), centres(cells.y)
    for (row, column), letter in np.ndenumerate(letters):
        if letter:
            is_dark = letter in "XVPD"
            axes.text(x[column], y[row], letter, ha="center", va="center", fontsize=max(size, 4.0), color="white" if is_dark else INK, clip_on=True)


def _legend(axes: Any, shown: list[str], is_hatched: bool, language: str) -> None:
    from matplotlib.patches import Patch

    def word(letter: str) -> str:
        return JAPANESE[LABELS[letter]] if language == "ja" else LABELS[letter].replace("_", " ")

    handles = [Patch(facecolor=COLOURS[letter], edgecolor=MUTED, linewidth=0.6, label=f"{letter} {word(letter)}") for letter in shown]
    if is_hatched:
        handles.append(Patch(facecolor="white", edgecolor=MUTED, hatch="////", linewidth=0.6, label="確かでない" if language == "ja" else "unsure"))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _finding(cells: Cells, letters: NDArray[Any], across: str, language: str) -> str:
    seen = Counter(letter for letter in letters.ravel() if letter)
    total = sum(seen.values())
    if not total:
        return "まだ結果がありません" if language == "ja" else "No results yet"
    words = {letter: JAPANESE[LABELS[letter]] if language == "ja" else LABELS[letter].replace("_", " ") for letter in seen}
    parts = [f"{words[letter]} {count / total:.0%}" for letter, count in seen.most_common(3)]
    irregular = [column for column in range(letters.shape[1]) if any(letter in "XI" for letter in letters[:, column] if letter)]
    if not irregular or not irregular[0]:
        return ("、" if language == "ja" else ", ").join(parts)
    first = cells.x[irregular[0]]
    if language == "ja":
        return f"{'、'.join(parts)}；カオスは{at(across, first, language)}から"
    return f"{', '.join(parts)}; chaos first at {at(across, first, language)}"


def _draw_numbers(figure: Any, axes: Any, found: "SweepResult", cells: Cells, column: str, names: tuple[str, str], language: str) -> str:
    values, lost = np.full(cells.count.shape, np.nan), np.zeros(cells.count.shape, dtype=bool)
    for place, rows in cells.members.items():
        finite = [row[column] for row in rows if isinstance(row[column], (int, float)) and np.isfinite(row[column])]
        lost[place] = not finite
        values[place] = float(np.median(finite)) if finite else np.nan
    edges = borders(cells.x), borders(cells.y)
    shown = axes.pcolormesh(*edges, np.ma.masked_invalid(values), rasterized=True, **_shades(column, values))
    _hatch(axes, edges, lost)
    figure.colorbar(shown, ax=axes, label=said(column, language, found.units.get(column, "")))
    if not np.isfinite(values).any():
        return "有限の値がありません" if language == "ja" else f"No finite {said(column, language)}"
    is_loss = "loss" in column
    row, column_at = divmod(int(np.nanargmin(values) if is_loss else np.nanargmax(values)), len(cells.x))
    where = f"{at(names[0], cells.x[column_at], language)}, {at(names[1], cells.y[row], language)}"
    number = short(float(values[row, column_at]))
    if language == "ja":
        return f"{said(column, language)}の{'最小' if is_loss else '最大'}は {number}（{where}）"
    return f"The {said(column, language)} is {'lowest' if is_loss else 'highest'}, {number}, at {where}"


def _shades(column: str, values: NDArray[np.float64]) -> dict[str, Any]:
    """Return the colours of numbers: two-sided around zero for exponents, logarithmic where they span many decades."""
    from matplotlib.colors import LinearSegmentedColormap, LogNorm

    finite = values[np.isfinite(values)]
    if column.startswith("max_lyapunov") and finite.size:
        limit = float(np.abs(finite).max()) or 1.0
        return {"cmap": LinearSegmentedColormap.from_list("kazami-sign", [DEAD_CALM, CALM, "#ffffff", GUST, STORM]), "vmin": -limit, "vmax": limit}
    plain = {"cmap": LinearSegmentedColormap.from_list("kazami-size", [BREEZE, CALM, ACCENT, INK])}
    if finite.size and finite.min() > 0 and finite.max() / finite.min() > 1e3:
        return {**plain, "norm": LogNorm(float(finite.min()), float(finite.max()))}
    return plain
