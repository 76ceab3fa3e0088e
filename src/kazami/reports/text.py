"""The verdict as it stands in a terminal: one screen, the cause first."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..records.finding import Evidence, Finding
from ..records.run_info import RunInfo
from ..records.trace import Layer
from ..records.wind import Wind
from .numerals import short
from .outcome import by_weight, checks_in_words, checks_of, not_the_cause, primary, run_wind, suppressed_in_words, verdict
from .places import layers_of, placed
from .words import certainty, counted, say, unit_in
from .wrapping import clean, cut, pad, width_of, wrap, wrap_code

MAX_LINES = 24
BOLD, DIM, RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
# Of the 16 colours that every terminal has, chosen by its owner to be readable: cyan is calm, green breeze, yellow and red storm, magenta NaN.
WIND_INK = {-2: "\x1b[36m", -1: "\x1b[36m", 0: "\x1b[32m", 1: "\x1b[33m", 2: "\x1b[31m", 3: "\x1b[35m"}
LABELS = ("cause", "where", "since", "evidence", "not_cause_short", "change", "checked", "also", "suppressed", "blind", "report")
GIVE_WAY = ("blind", "also", "evidence", "change", "not_cause_short", "checked")  # which part loses entries first where a screen is too small


@dataclass(frozen=True, slots=True)
class Part:
    """A labelled part of the block: entries of one or more lines each, and how many more there would have been."""

    key: str
    entries: tuple[tuple[str, ...], ...]
    n_hidden: int = 0

    def lines(self, language: str) -> list[str]:
        """Return all lines, the last one counting what is hidden."""
        more = [say("more_in_report", language, n=self.n_hidden)] if self.n_hidden else []
        return [line for entry in self.entries for line in entry] + more

    def shortened(self) -> "Part":
        """Return the part without its last entry."""
        return replace(self, entries=self.entries[:-1], n_hidden=self.n_hidden + 1)


def verdict_block(info: RunInfo, findings: Sequence[Finding], *, language: str = "en", colour: bool = False, width: int = 80, report: str | None = None) -> str:
    """Return the verdict in at most 24 lines of at most ``width`` columns.

    Args:
        info: Head of the run.
        findings: Most important first.
        language: ``"en"`` or ``"ja"``.
        colour: Whether ANSI colours may be used; symbols and words say the same.
        width: Columns of the terminal; below 40 counts as 40.
        report: Where the HTML report is, ``None`` where there is none.

    Limits:
        Control characters in names and sentences are left out. The path of the report is never broken, however narrow the terminal.
    """
    width = max(width, 40)
    label = max(width_of(say(key, language)) for key in LABELS) + 2
    sentence = clean(verdict(info, findings, checks_of(info)).in_language(language))
    head = [_head(info, run_wind(info, findings), language, colour, width)]
    head += [_painted(line, BOLD, colour) for line in _some(wrap(sentence, width - 1), 4)] + [""]
    parts = _fitted(_parts(info, by_weight(findings), language, width - label - 1, report), MAX_LINES - len(head), language)
    return "\n".join(head + [line for part in parts for line in _set(part, label, language, colour)])


def _head(info: RunInfo, wind: Wind, language: str, colour: bool, width: int) -> str:
    word = wind.word_ja if language == "ja" else f"{wind.word.upper()} {wind.word_ja}"
    title = f"{wind.symbol} {word}"
    right = cut(f"{clean(info.id)} · {counted('steps', info.steps, language)}", max(0, width - width_of(title) - 3))
    gap = " " * (width - 1 - width_of(title) - width_of(right))
    return _painted(title, BOLD + WIND_INK[wind.value], colour) + gap + _painted(right, DIM, colour)


def _parts(info: RunInfo, findings: list[Finding], language: str, room: int, report: str | None) -> list[Part]:
    first = primary(findings)
    checks = [clean(title.in_language(language)) for title in checks_in_words(checks_of(info))]
    # a Japanese sentence brings its own full stop, which would stand before the dot
    excluded = [clean(sentence.in_language(language)).rstrip("。.") for sentence in not_the_cause(findings)]
    left_out = suppressed_in_words(info)
    others = tuple((cut(_in_one_line(finding, language), room),) for finding in findings if finding is not first)
    parts = [
        *(_of_primary(first, layers_of(info.trace), language, room) if first else []),
        Part("not_cause_short", (_listed(excluded, " · ", language, room, 3),) if excluded else ()),
        Part("change", _changes(first, language, room) if first else ()),
        Part("checked", (_listed(checks, "、" if language == "ja" else ", ", language, room, 6),) if checks and not first else ()),
        Part("also", others),
        Part("suppressed", (tuple(wrap(left_out.in_language(language), room)),) if left_out else ()),
        Part("blind", tuple(tuple(_some(wrap(clean(text), room), 2)) for text in info.blind)),
        Part("report", ((clean(report),),) if report else ()),  # never broken: people copy and click it
    ]
    return [part for part in parts if part.entries]


def _listed(items: list[str], between: str, language: str, room: int, limit: int) -> tuple[str, ...]:
    """Return as many whole items as fit into ``limit`` lines; where some are left out the end says how many."""
    for n in range(len(items), 0, -1):
        more = [] if n == len(items) else [say("more_in_report", language, n=len(items) - n)]
        lines = wrap(between.join([*items[:n], *more]), room)
        if len(lines) <= limit:
            return tuple(lines)
    return tuple(_some(wrap(items[0], room), limit))


def _of_primary(finding: Finding, layers: Sequence[Layer], language: str, room: int) -> list[Part]:
    sure = say(certainty(finding.confidence), language)
    since = say("since_step", language, n=finding.step) if finding.step > 0 else say("since_start", language)
    return [
        Part("cause", ((cut(_with_aside(f"{clean(finding.name).replace('_', ' ')}", f"{sure}, {short(finding.confidence)}", language), room),),)),
        Part("where", _one(wrap(clean(placed(finding, layers).in_language(language)) or say("whole_model", language), room), 2)),
        Part("since", ((since,),)),
        Part("evidence", tuple(tuple(_some(wrap(_number(item, language), room), 3)) for item in finding.evidence)),
    ]


def _number(item: Evidence, language: str) -> str:
    """Return ``"sharpness 6700 > 200 (2 / learning rate)"``: the number, its limit, where the limit comes from."""
    text = f"{clean(item.name_in(language))} {short(item.value)}"
    if item.limit is not None and item.value != item.limit and math.isfinite(item.value):
        text += f" {'>' if item.value > item.limit else '<'} {short(item.limit)}"
    if item.unit:
        text += f" {clean(unit_in(item.unit, language))}"
    return _with_aside(text, say("limit_from", language, source=clean(item.source_in(language))), language) if item.source else text


def _with_aside(text: str, aside: str, language: str) -> str:
    return f"{text}（{aside}）" if language == "ja" else f"{text} ({aside})"


def _changes(finding: Finding, language: str, room: int) -> tuple[tuple[str, ...], ...]:
    entries = [tuple(wrap_code(one.code, room)) for one in sorted(finding.prescriptions, key=lambda one: one.order)]
    either = say("other_change", language)
    return (*entries[:1], *((f"{either}:", *entry) for entry in entries[1:]))


def _in_one_line(finding: Finding, language: str) -> str:
    mark = {"error": "!!", "warning": "!", "info": "i"}[finding.severity]
    return f"{mark} {clean(finding.sentence.in_language(language))}"


def _fitted(parts: list[Part], room: int, language: str) -> list[Part]:
    """Return the parts with entries left out, the least important first, until they fit into ``room`` lines."""
    while (excess := sum(len(part.lines(language)) for part in parts) - room) > 0:
        loser = next((key for key in GIVE_WAY for part in parts if part.key == key and len(part.entries) > 1), None)
        if loser is not None:
            parts = [part.shortened() if part.key == loser else part for part in parts]
            continue
        longest = max(range(len(parts)), key=lambda at: len(parts[at].entries[0]))
        lines = parts[longest].entries[0]
        kept = tuple(_some(list(lines), max(1, len(lines) - excess)))
        if kept == lines:
            return parts
        parts[longest] = replace(parts[longest], entries=(kept,))
    return parts


def _set(part: Part, label: int, language: str, colour: bool) -> list[str]:
    name = _painted(pad(say(part.key, language), label), BOLD, colour)
    first, *rest = part.lines(language)
    return [name + first, *(" " * label + line for line in rest)]


def _one(lines: list[str], limit: int) -> tuple[tuple[str, ...], ...]:
    return (tuple(_some(lines, limit)),)


def _some(lines: list[str], limit: int) -> list[str]:
    """Return at most ``limit`` lines; where some are left out the last one says so."""
    return lines if len(lines) <= limit else [*lines[: limit - 1], f"{lines[limit - 1][:-2]} …"]


def _painted(text: str, ink: str, colour: bool) -> str:
    return f"{ink}{text}{RESET}" if colour and text else text
