"""The weather map and the live line, in the characters of a terminal."""

import numpy as np

from ..records.trace import Floats, Trace
from ..records.wind import Wind
from ..signals.stability_gauge import StabilityGauge
from .numerals import short
from .palette import LIMITS, Colour, colour_of, letter_of
from .weather import remarkable, weather_of
from .words import say
from .wrapping import clean, cut, cut_start, pad, width_of

RAMP = " .:-=+*#"  # from dead calm to storm, where there is no colour
MAX_LINES = 8
LABEL = 16  # columns for names of layers


def weather_map_text(trace: Trace, width: int = 80, *, colour: bool = False, language: str = "en") -> str:
    """Return the weather map in at most eight lines: layers up, steps to the right, the input layer at the bottom.

    With colour a line holds two layers as half blocks; without, one layer in characters from calm (space) to storm (``#``), ``N`` for NaN. Where there are
    more layers or steps than fit, a cell shows the value farthest from the breeze. The letter at the end of a line is that of its newest column.

    Args:
        trace: What was seen.
        width: Columns of the terminal.
        colour: Whether 24-bit colours may be used.
        language: ``"en"`` or ``"ja"``.
    """
    weather = weather_of(trace)
    if weather.is_empty:
        return cut(say("map_empty", language), width)
    label = min(LABEL, max(width_of(clean(name)) for name in weather.names))
    n_columns = max(1, width - label - 4)
    cells = _squeezed(_squeezed(_held(weather.wind).T, (MAX_LINES - 1) * (2 if colour else 1)), n_columns, axis=1)
    names = [clean(names[0]) for names in np.array_split(np.array(weather.names, dtype=object), len(cells))]
    cells = _filled(cells, n_columns)
    lines = _in_colour(cells, names, label) if colour else _in_characters(cells, names, label)
    return "\n".join([*lines, _axis(weather.steps[0], max(trace.step, weather.steps[-1]), label, n_columns, colour, language)])


def _held(wind: Floats) -> Floats:
    """Return the wind with gaps filled by the value before: a layer keeps its weather until it is seen again."""
    held = wind.copy()
    for row in range(1, len(held)):
        held[row] = np.where(np.isnan(held[row]), held[row - 1], held[row])
    return held


def _squeezed(cells: Floats, limit: int, axis: int = 0) -> Floats:
    if cells.shape[axis] <= limit:
        return cells
    return np.stack([remarkable(part, axis=axis) for part in np.array_split(cells, limit, axis=axis)], axis=axis)


def _filled(cells: Floats, n_columns: int) -> Floats:
    """Return the cells stretched to the whole width where there are fewer steps than columns."""
    return cells[:, np.arange(n_columns) * cells.shape[1] // n_columns]


def _in_characters(cells: Floats, names: list[str], label: int) -> list[str]:
    lines = []
    for row in range(len(cells) - 1, -1, -1):
        drawn = "".join(_character(wind) for wind in cells[row].tolist())
        lines.append(f"{pad(cut_start(names[row], label), label)} |{drawn}|{letter(cells[row, -1])}")
    return lines


def _character(wind: float) -> str:
    sign = letter(wind)
    if sign in "N?":
        return sign
    share = (min(max(wind, LIMITS[0]), LIMITS[1]) - LIMITS[0]) / (LIMITS[1] - LIMITS[0])
    return RAMP[min(int(share * len(RAMP)), len(RAMP) - 1)]


def letter(wind: float) -> str:
    """Return the letter of a wind, ``"?"`` for a layer that was not seen."""
    return "?" if np.isnan(wind) else letter_of(float(wind))


def _in_colour(cells: Floats, names: list[str], label: int) -> list[str]:
    lines = []
    for row in range((len(cells) - 1) // 2 * 2, -1, -2):
        upper = cells[row + 1] if row + 1 < len(cells) else None
        drawn = "".join(_half_block(None if upper is None else upper[x], cells[row][x]) for x in range(cells.shape[1]))
        end = letter(cells[row, -1]) if upper is None else letter(float(remarkable(np.array([upper[-1], cells[row, -1]]), axis=0)))
        lines.append(f"{pad(cut_start(names[row], label), label)}  {drawn}\x1b[0m {end}")
    return lines


def _half_block(upper: float | None, lower: float) -> str:
    if upper is None:
        return f"\x1b[49m{_ink(38, _shade(lower))}▄"
    return f"{_ink(38, _shade(upper))}{_ink(48, _shade(lower))}▀"


def _shade(wind: float) -> Colour:
    return (128, 128, 128) if np.isnan(wind) else colour_of(float(wind))


def _ink(layer: int, shade: Colour) -> str:
    return f"\x1b[{layer};2;{shade[0]};{shade[1]};{shade[2]}m"


def _axis(first: int, last: int, label: int, n_columns: int, colour: bool, language: str) -> str:
    words = [say(key, language) for key in ("letter_calm", "letter_breeze", "letter_storm", "letter_nan")]
    start, end = f"{say('step', language)} {first}", str(last)
    legend = " · ".join(words if colour else [f"[{RAMP}]", *words])
    room = n_columns - width_of(start) - width_of(end) - 4
    shown = legend if width_of(legend) <= room else cut(" · ".join(words), max(room, 0))
    gap = max(1, n_columns - width_of(start) - width_of(end) - width_of(shown))
    return cut(" " * (label + 2) + start + " " * (gap // 2) + shown + " " * (gap - gap // 2) + end, label + 2 + n_columns)


def live_line(step: int, loss: float, wind: Wind, worst_layer: str, *, stability: StabilityGauge | None = None, width: int = 80, language: str = "en") -> str:
    """Return the one line that is rewritten while a training goes on; where the terminal is narrow the layer's name gives way first, then the gauge.

    Args:
        step: The newest.
        loss: At that step.
        wind: Of the run.
        worst_layer: Its name, empty where all are healthy.
        stability: Sharpness against the optimizer's limit, ``None`` where not known.
        width: Of the terminal, in columns.
        language: ``"en"`` or ``"ja"``.

    >>> from kazami.records import wind_of
    >>> live_line(120, 0.69314, wind_of(-2), "fc1", width=60)
    '◯ dead calm · step 120 · loss 0.693 · worst: fc1'
    >>> live_line(120, 0.69314, wind_of(0), "", stability=StabilityGauge(119, 0.965, 1.93, 2.0))
    '〜 breeze · step 120 · loss 0.693 · η·λmax = 1.93 of 2'
    """
    word = wind.word_ja if language == "ja" else wind.word
    head = f"{wind.symbol} {word} · {say('step', language)} {step} · {say('loss_word', language)} {short(loss)}"
    if stability is not None:
        gauge = f" · {say('live_stability', language, value=short(stability.value), limit=short(stability.limit))}"
        head += gauge if width_of(head + gauge) <= width else ""
    room = width - width_of(head) - width_of(" · " + say("live_worst", language, layer=""))
    if not worst_layer or room < 2:
        return cut(head, width)
    return f"{head} · {say('live_worst', language, layer=cut_start(clean(worst_layer), room))}"
