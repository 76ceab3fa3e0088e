"""The proof of ``kazami cure`` as it stands in a terminal: verdict, cause, change, seeds, curves, and what was tried besides."""

import math
from collections.abc import Sequence

import numpy as np

from ..records.finding import Prescription
from ..records.proof import Proof, Tried
from ..records.trace import Floats
from .loss_bands import Band, band_of, range_of
from .numerals import short
from .proof_facts import cause_in_words, is_accepted, measure_in_words, told_apart
from .sparkline import spark
from .text import BOLD, DIM, RESET, WIND_INK
from .words import counted, say
from .wrapping import clean, cut, pad, width_of, wrap, wrap_code

LABELS = ("cause_by_trial_short", "change", "seed", "loss", "tried_head", "not_cause_short")
MOST_TRIED = 12
GOOD, OPEN = WIND_INK[0], WIND_INK[1]


def proof_block(proof: Proof, *, language: str = "en", colour: bool = False, width: int = 80) -> str:
    """Return what was found as lines of at most ``width`` columns.

    Args:
        proof: What was found.
        language: ``"en"`` or ``"ja"``.
        colour: Whether ANSI colours may be used; signs and words say the same.
        width: Columns of the terminal; below 40 counts as 40.

    Limits:
        Of more than 12 candidates the first 12 are listed, the proved one among them; the page of the report lists them all.
    """
    width = max(width, 40)
    label = max(width_of(say(key, language)) for key in LABELS) + 2
    room = width - label - 1
    parts = [
        ("cause_by_trial_short", wrap(clean(cause_in_words(proof).in_language(language)), room) if proof.tried else []),
        ("change", _changes(proof.changes, language, room)),
        ("seed", _seeds(proof, language, room)),
        ("loss", _curves(proof, language, room)),
        ("tried_head", _tried(proof, language, room)),
        ("not_cause_short", [line for one in proof.not_the_cause for line in wrap(clean(one.in_language(language)), room)]),
    ]
    lines = [_head(proof, language, colour, width), *wrap(clean(proof.verdict.in_language(language)), width - 1)]
    for key, content in parts:
        lines += ["", *_labelled(say(key, language), content, label, colour)] if content else []
    return "\n".join(lines)


def _head(proof: Proof, language: str, colour: bool, width: int) -> str:
    sign, key, ink = ("✓", "proved", GOOD) if proof.cured else ("〜", "well", GOOD) if proof.nothing_to_cure else ("?", "not_proved", OPEN)
    title = f"{sign} {say(key, language) if language == 'ja' else say(key, language).upper()}"
    facts = [f"{len(proof.table)} {say('seeds_word', language)}"] if proof.table else []
    facts += [counted("steps", n, language)] if (n := max(map(len, (*proof.losses_after, *proof.losses_before)), default=0)) else []
    facts += [f"{short(proof.seconds)} s"]
    right = cut(" · ".join(facts), max(0, width - width_of(title) - 3))
    return _painted(title, BOLD + ink, colour) + " " * (width - 1 - width_of(title) - width_of(right)) + _painted(right, DIM, colour)


def _labelled(name: str, content: Sequence[str], label: int, colour: bool) -> list[str]:
    return [_painted(pad(name, label), BOLD, colour) + content[0], *(" " * label + line for line in content[1:])]


def _changes(changes: Sequence[Prescription], language: str, room: int) -> list[str]:
    lines: list[str] = []
    for change in changes:
        lines += [*wrap(clean(change.sentence.in_language(language)), room), *wrap_code("\n".join("    " + line for line in change.code.splitlines()), room)]
    return lines


def _seeds(proof: Proof, language: str, room: int) -> list[str]:
    if not proof.table:
        return []
    heads = ["", say("unchanged", language), say("changed_after", language), say("gain", language)]
    rows = [heads, *([str(row.seed), _scored(row.before, language), _scored(row.after, language), _signed(row.gain)] for row in proof.table)]
    if len(proof.placebo) > 1:
        rows.append([say("placebo_row", language), f"{short(min(proof.placebo))} … {short(max(proof.placebo))}", "", ""])
    return [*_columns(rows, room), *wrap(measure_in_words(proof).in_language(language), room)]


def _scored(value: float | None, language: str) -> str:
    return say("no_score", language) if value is None else short(value)


def _columns(rows: list[list[str]], room: int) -> list[str]:
    widths = [max(width_of(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [cut("  ".join(pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip(), room) for row in rows]


def _curves(proof: Proof, language: str, room: int) -> list[str]:
    length = max((len(curve) for curve in (*proof.losses_before, *proof.losses_after)), default=0)
    bands = {"without_change": band_of(proof.losses_before, length), "with_change": band_of(proof.losses_after, length)}
    low, high, is_logarithmic = range_of(*bands.values(), headroom=1.0)
    names = {key: say(key, language) for key in bands}
    label = max(map(width_of, names.values())) + 2
    lines = []
    for key, band in bands.items():
        if band is not None and np.isfinite(band.middle).any():
            ends = _ends(band)
            bars = _spark(band, low, high, max(8, min(48, room - label - width_of(ends) - 2)), is_logarithmic)
            lines.append(cut(f"{pad(names[key], label)}{bars}  {ends}", room))
    return lines


def _ends(band: Band) -> str:
    first = float(band.middle[np.isfinite(band.middle)][0])
    return f"{short(first)} → {'NaN' if band.lost is not None else short(band.end)}"


def _spark(band: Band, low: float, high: float, n: int, is_logarithmic: bool) -> str:
    values: list[float] = [_typical(part) for part in np.array_split(band.middle, min(n, band.middle.size))]
    if is_logarithmic:
        return spark([math.log(value) if value > 0 else value for value in values], low=math.log(low), high=math.log(high))
    return spark(values, low=low, high=high)


def _typical(part: Floats) -> float:
    finite = part[np.isfinite(part)]
    return float(np.median(finite)) if finite.size else math.nan


def _tried(proof: Proof, language: str, room: int) -> list[str]:
    shown = sorted(proof.tried, key=lambda one: not is_accepted(one, proof))[:MOST_TRIED]
    lines = [line for one in proof.tried if one in shown for line in _outcome(one, is_accepted(one, proof), language, room)]
    more = len(proof.tried) - len(shown)
    return [*lines, say("more_in_report", language, n=more)] if more else lines


def _outcome(one: Tried, is_proved: bool, language: str, room: int) -> list[str]:
    name = " + ".join(change.name.replace("_", " ") + told_apart(change) for change in one.changes)
    text = f"{'✓' if is_proved else '·'} {clean(name)}: {clean(one.why.in_language(language))}"
    first, *rest = wrap(text, room - 2)
    return [first, *(f"  {line}" for line in rest)]


def _signed(value: float | None) -> str:
    return short(value) if value is None or not value > 0 else f"+{short(value)}"


def _painted(text: str, ink: str, colour: bool) -> str:
    return f"{ink}{text}{RESET}" if colour and text else text
