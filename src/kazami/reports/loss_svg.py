"""Two bands of loss curves as one drawing: grey without the change, in colour with it; shapes and texts only, so that it follows the page into the dark."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

from ..records.finding import Sentence
from ..records.trace import Floats
from .loss_bands import Band, range_of
from .numerals import short
from .words import both

LEFT, RIGHT, TOP, BOTTOM = 52.0, 14.0, 12.0, 40.0


@dataclass(frozen=True, slots=True)
class Axes:
    """Where a step and a loss lie in a drawing.

    Attributes:
        width: Of the drawing, in its own units.
        height: Likewise.
        last: The last step.
        low: The lowest loss.
        high: The highest.
        is_logarithmic: Whether equal distances are equal factors.
    """

    width: float
    height: float
    last: float
    low: float
    high: float
    is_logarithmic: bool

    def x(self, step: float) -> float:
        """Return the place of a step."""
        return LEFT + (self.width - LEFT - RIGHT) * (step - 1) / max(self.last - 1, 1)

    def y(self, loss: float) -> float:
        """Return the place of a loss."""
        low, high, at = (math.log(max(one, 1e-300)) if self.is_logarithmic else one for one in (self.low, self.high, loss))
        return TOP + (self.height - TOP - BOTTOM) * (high - at) / (high - low)

    def loss_ticks(self) -> list[float]:
        """Return round losses within the range: decades, or 1-2-5 where there are few of those."""
        if not self.is_logarithmic:
            return list(round_numbers(self.low, self.high, 5))
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        parts = (1.0,) if len(decades) > 4 else (1.0, 2.0, 5.0) if len(decades) < 4 else (1.0, 3.0)
        found = [part * 10.0**decade for decade in decades for part in parts if self.low <= part * 10.0**decade <= self.high]
        return found[:: max(1, math.ceil(len(found) / 7))]


def round_numbers(low: float, high: float, count: int) -> Iterator[float]:
    """Yield about ``count`` round numbers from ``low`` to ``high``.

    >>> list(round_numbers(0.0, 10.0, 5)), list(round_numbers(1.0, 600.0, 4))
    ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [200.0, 400.0, 600.0])
    """
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(part * power for part in (1, 2, 5, 10) if part * power >= raw * 0.999)
    for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        yield round(number * step, 12)


def loss_svg(before: Band | None, after: Band | None, label: Sentence, language: str, *, is_wide: bool) -> str:
    """Return the drawing, empty where neither has a finite loss.

    Args:
        before: The unchanged training.
        after: The changed one.
        label: What screen readers say.
        language: The language the page opens in.
        is_wide: For a wide page or for a telephone.
    """
    bands = [band for band in (before, after) if band is not None and np.isfinite(band.middle).any()]
    if not bands:
        return ""
    low, high, is_logarithmic = range_of(before, after)
    margin = (high / low) ** 0.04 if is_logarithmic else 0.04 * (high - low)
    low, high = (low / margin, high * margin) if is_logarithmic else (low - margin, high + margin)
    width, height = (900.0, 320.0) if is_wide else (360.0, 270.0)
    axes = Axes(width, height, max(float(band.steps[-1]) for band in bands), low, high, is_logarithmic)
    name = f"inside-{'wide' if is_wide else 'narrow'}"
    inside = f'<clipPath id="{name}"><rect x="{LEFT}" y="{TOP}" width="{width - LEFT - RIGHT:.0f}" height="{height - TOP - BOTTOM:.0f}"/></clipPath>'
    curves = "".join(_curve(band, axes, kind) for band, kind in ((before, "before"), (after, "after")) if band is not None)
    spoken = f'role="img" aria-label="{escape(label.in_language(language))}" data-en="{escape(label.en)}" data-ja="{escape(label.ja)}"'
    drawn = f'{_grid(axes)}<g clip-path="url(#{name})">{curves}</g>{_marks(before, axes, "before")}{_marks(after, axes, "after")}'
    return f'<svg class="curves {"wide" if is_wide else "narrow"}" {spoken} viewBox="0 0 {width:.0f} {height:.0f}"><defs>{inside}</defs>{drawn}</svg>'


def _grid(axes: Axes) -> str:
    floor = axes.height - BOTTOM
    lines = [f'<path class="grid" d="M{LEFT} {axes.y(loss):.1f}H{axes.width - RIGHT}"/>' for loss in axes.loss_ticks()]
    texts = [f'<text x="{LEFT - 7}" y="{axes.y(loss) + 4:.1f}" text-anchor="end">{short(loss)}</text>' for loss in axes.loss_ticks()]
    steps = [1.0, *(step for step in round_numbers(1.0, axes.last, 6 if axes.width > 500 else 3) if 1 < step <= axes.last)] if axes.last > 1 else [1.0]
    texts += [f'<text x="{axes.x(step):.1f}" y="{floor + 17:.1f}" text-anchor="middle">{step:.0f}</text>' for step in steps if step == int(step)]
    step, loss = both("optimizer_step"), both("loss_axis_log" if axes.is_logarithmic else "loss")
    right = f'x="{axes.width - RIGHT}" y="{axes.height - 5}" text-anchor="end"'
    return "".join(lines + texts) + _both_texts(step, right) + _both_texts(loss, f'x="{LEFT}" y="{axes.height - 5}"')


def _both_texts(words: Sentence, attributes: str) -> str:
    return "".join(f'<text class="{one}" lang="{one}" {attributes}>{escape(words.in_language(one))}</text>' for one in ("en", "ja"))


def _curve(band: Band, axes: Axes, kind: str) -> str:
    pieces = _stretches(np.isfinite(band.middle))
    areas = "".join(f'<path class="area {kind}" d="{_area(band, axes, start, end)}"/>' for start, end in pieces) if band.n_seeds > 1 else ""
    return areas + "".join(f'<path class="line {kind}" d="{_path(band.steps, band.middle, axes, start, end)}"/>' for start, end in pieces)


def _path(steps: Floats, losses: Floats, axes: Axes, start: int, end: int) -> str:
    points = [f"{axes.x(step):.1f} {_within(axes.y(loss), axes):.1f}" for step, loss in zip(steps[start:end], losses[start:end], strict=True)]
    return "M" + "L".join(points if len(points) > 1 else points * 2)


def _area(band: Band, axes: Axes, start: int, end: int) -> str:
    there = _path(band.steps, band.high, axes, start, end)
    back = _path(band.steps[start:end][::-1], band.low[start:end][::-1], axes, 0, end - start)
    return f"{there}L{back[1:]}Z"


def _within(y: float, axes: Axes) -> float:
    """Keep coordinates of curves that run away near the drawing; what lies outside is cut off anyway."""
    return min(max(y, -axes.height), 2 * axes.height)


def _stretches(known: Floats) -> list[tuple[int, int]]:
    """Return the stretches of columns that are known, as (start, end)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    return list(pairwise(edges.tolist()))[::2]


def _marks(band: Band | None, axes: Axes, kind: str) -> str:
    """Return a cross where a band ceases to be finite, and an arrow where it leaves the drawing."""
    if band is None:
        return ""
    marks = []
    if band.lost is not None:
        x = axes.x(min(float(band.lost), axes.last))
        marks.append(f'<path class="lost {kind}" d="M{x - 5:.1f} {TOP + 3}l10 10m0 -10l-10 10"/><text x="{x + 10:.1f}" y="{TOP + 13}">NaN</text>')
    above = np.flatnonzero(band.middle > axes.high)
    if above.size:
        x = axes.x(float(band.steps[above[0]]))
        marks.append(f'<path class="leaves {kind}" d="M{x:.1f} {TOP + 12}v-9m-4 4l4 -4l4 4"/>')
    return "".join(marks)
