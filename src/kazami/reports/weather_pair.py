"""Two weather maps on one scale: the same colours, the same steps from left to right, before and after a change."""

from html import escape

import numpy as np
from numpy.typing import NDArray

from ..records.finding import Sentence
from ..records.trace import Floats, Trace
from .weather import Weather, map_title, remarkable, weather_of
from .weather_svg import colour_scale, map_svg
from .words import both

COLUMNS = 120
MOST_ROWS = 18  # more layers are gathered, each row showing the wind farthest from a breeze


def weather_pair(before: Trace | None, after: Trace | None, language: str) -> str:
    """Return the maps side by side with one scale below them, empty where there is neither.

    Args:
        before: What was seen of the unchanged training.
        after: What was seen of the changed one.
        language: The language the page opens in.
    """
    named = [(name, weather_of(trace)) for name, trace in (("map_before", before), ("map_after", after)) if trace is not None]
    shown = [(name, weather) for name, weather in named if not weather.is_empty]
    if not shown:
        return ""
    last = max(*(trace.step for trace in (before, after) if trace is not None), *(int(weather.steps[-1]) for _, weather in shown))
    figures = "".join(_figure(both(name), weather, last, language) for name, weather in shown)
    return f'<div class="pair">{figures}</div>{colour_scale()}'


def _figure(name: Sentence, weather: Weather, last: int, language: str) -> str:
    title = map_title(weather)
    groups = np.array_split(np.arange(len(weather.names)), min(len(weather.names), MOST_ROWS))
    cells = np.stack([remarkable(part, axis=0) for part in (gridded(weather, last)[group] for group in groups)])
    rows = "".join(f'<span title="{escape(_row(weather.names, group))}">{escape(_row(weather.names, group))}</span>' for group in reversed(groups))
    label = Sentence(f"{name.en}: {title.en}", f"{name.ja}：{title.ja}")
    svg = map_svg(cells, label.in_language(language), columns=COLUMNS, unseen="ku")
    svg = svg.replace("<svg ", f'<svg data-en="{escape(label.en)}" data-ja="{escape(label.ja)}" ', 1)
    step = "".join(f'<span class="{one}" lang="{one}">{both("step").in_language(one)} 1</span>' for one in ("en", "ja"))
    heading = "".join(
        f'<h3 lang="{one}" class="{one}">{escape(name.in_language(one))}<small>{escape(title.in_language(one))}</small></h3>' for one in ("en", "ja")
    )
    ticks = f'<div class="ticks">{step}<span>{last}</span></div>'
    return f'<figure>{heading}<div class="map"><div class="rows" aria-hidden="true">{rows}</div>{svg}{ticks}</div></figure>'


def _row(names: tuple[str, ...], group: NDArray[np.int64]) -> str:
    return names[group[0]] if len(group) == 1 else f"{names[group[0]]} … {names[group[-1]]}"


def gridded(weather: Weather, last: int) -> Floats:
    """Return the wind of each layer over columns of equal numbers of steps from 1 to ``last``, shape ``(layers, columns)``.

    A column shows the wind farthest from a breeze; between two recorded steps a layer keeps its weather; what was not seen is NaN.
    """
    n_columns = min(COLUMNS, last)
    columns = ((weather.steps - 1) * n_columns // max(last, 1)).astype(np.int64)
    cells = np.full((len(weather.names), n_columns), np.nan)
    for column in np.unique(columns):
        cells[:, column] = remarkable(weather.wind[columns == column], axis=0)
    until = int(columns[-1])
    for column in range(1, until + 1):
        cells[:, column] = np.where(np.isnan(cells[:, column]), cells[:, column - 1], cells[:, column])
    return cells
