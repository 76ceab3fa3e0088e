"""Weather maps for pages, from the one scale of colours; drawn as shapes, so that they follow the page from light to dark."""

import math
from collections.abc import Sequence
from html import escape
from itertools import pairwise

import numpy as np

from ..records.finding import Sentence
from ..records.trace import Floats
from ..records.wind import SCALE
from .palette import HEALTHY, LIMITS, NOT_FINITE, colour_of
from .weather import remarkable

N_LEVELS = 32  # a quarter of a decade each; finer differences nobody sees


def level_of(wind: float) -> str:
    """Return the CSS class of a layer wind: ``"k0"`` (dead calm) to ``"k32"`` (storm), ``"kn"`` for what is not finite.

    >>> level_of(-9.0), level_of(2.0), level_of(float("inf")), level_of(float("-inf"))
    ('k0', 'k32', 'kn', 'k0')
    """
    if math.isnan(wind) or wind == math.inf:
        return "kn"
    low, high = LIMITS
    share = (min(max(wind, low), high) - low) / (high - low)
    return f"k{round(share * N_LEVELS)}"


def level_styles() -> str:
    """Return the CSS rules of all levels, for light and for dark, and of the scale of colours."""
    low, high = LIMITS
    places = [low + (high - low) * level / N_LEVELS for level in range(N_LEVELS + 1)]
    light = [f".k{level}{{fill:{_hex(place, False)}}}" for level, place in enumerate(places)]
    dark = [f'[data-theme="dark"] .k{level}{{fill:{_hex(place, True)}}}' for level, place in enumerate(places)]
    ends = (low, *HEALTHY, high)
    shares = " ".join(f"{100 * (after - before) / (high - low):.4g}fr" for before, after in pairwise(ends))
    return "".join([*light, *dark, ".kn{fill:url(#not-finite)}.ku{fill:none}", f".winds>div{{grid-template-columns:{shares}}}"])


def hatching() -> str:
    """Return the pattern of what is not finite: magenta and hatched, once a page; a cell of a map is one unit wide and high."""
    stripes = '<path d="M-.25 .25L.25 -.25M0 1L1 0M.75 1.25L1.25 .75" stroke="#fff" stroke-opacity=".4" stroke-width=".14"/>'
    pattern = f'<pattern id="not-finite" width="1" height="1" patternUnits="userSpaceOnUse"><rect width="1" height="1" fill="{NOT_FINITE}"/>{stripes}</pattern>'
    return f'<svg class="unseen-by-eye" aria-hidden="true" width="1" height="1"><defs>{pattern}</defs></svg>'


def _hex(wind: float, is_dark: bool) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour_of(wind, is_dark))


def map_svg(weather: Floats, label: str = "", *, columns: int = 60, unseen: str = "kn") -> str:
    """Return a weather map as an SVG element that stretches to its place: layers up, input at the bottom, steps to the right.

    Args:
        weather: Layer wind, shape ``(layers, steps)``.
        label: What screen readers say; without it the map is passed over by them.
        columns: Steps are gathered into at most this many columns, each showing the wind farthest from a breeze.
        unseen: CSS class of NaN; ``"ku"`` draws nothing there.
    """
    cells = squeezed(weather, columns)
    n_rows, n_columns = cells.shape
    shapes: dict[str, list[str]] = {}
    for row in range(n_rows):
        for start, end, level in _runs([unseen if np.isnan(wind) else level_of(float(wind)) for wind in cells[row]]):
            shapes.setdefault(level, []).append(f"M{start} {n_rows - 1 - row}h{end - start}v1H{start}z")
    marks = "".join(f'<path class="{level}" d="{"".join(parts)}"/>' for level, parts in shapes.items())
    spoken = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return f'<svg class="weather" {spoken} viewBox="0 0 {n_columns} {n_rows}" preserveAspectRatio="none" shape-rendering="crispEdges">{marks}</svg>'


def large_map(weather: Floats, names: Sequence[str], steps: Sequence[int], label: Sentence, language: str) -> str:
    """Return a map with the names of its layers, its first and last step and the scale of colours.

    Args:
        weather: Layer wind, shape ``(layers, steps)``.
        names: Names of the layers, input first.
        steps: The recorded steps.
        label: What screen readers say.
        language: The language the page opens in.
    """
    rows = "".join(f"<span>{escape(name)}</span>" for name in reversed(names))
    svg = map_svg(weather, label.in_language(language)).replace("<svg ", f'<svg data-en="{escape(label.en)}" data-ja="{escape(label.ja)}" ', 1)
    ends = f'<span><span class="en" lang="en">step</span><span class="ja" lang="ja">ステップ</span> {steps[0]}</span><span>{steps[-1]}</span>'
    return f'<div class="map"><div class="rows" aria-hidden="true">{rows}</div>{svg}<div class="ticks">{ends}</div></div>{colour_scale()}'


def colour_scale() -> str:
    """Return the scale of colours with its three words; where the healthy band begins and ends is marked by the words' places."""
    n_bins = N_LEVELS + 1
    bars = "".join(f'<path class="k{level}" d="M{level} 0h1.02v1H{level}z"/>' for level in range(n_bins))
    words = [SCALE[0], SCALE[2], SCALE[4]]
    named = "".join(f'<span><span class="en" lang="en">{one.word}</span><span class="ja" lang="ja">{one.word_ja}</span></span>' for one in words)
    strip = f'<svg class="weather" aria-hidden="true" viewBox="0 0 {n_bins} 1" preserveAspectRatio="none">{bars}</svg>'
    return f'<div class="winds">{strip}<div>{named}</div></div>'


def squeezed(weather: Floats, columns: int) -> Floats:
    """Return the map with at most ``columns`` columns, each the wind farthest from a breeze."""
    if weather.shape[1] <= columns:
        return weather
    return np.stack([remarkable(part, axis=1) for part in np.array_split(weather, columns, axis=1)], axis=1)


def _runs(levels: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return stretches of equal levels as (start, end, level)."""
    runs: list[tuple[int, int, str]] = []
    for place, level in enumerate(levels):
        if runs and runs[-1][2] == level:
            runs[-1] = (runs[-1][0], place + 1, level)
        else:
            runs.append((place, place + 1, level))
    return runs
