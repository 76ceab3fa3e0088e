"""The tour on one screen of a terminal: each panel's finding, its small picture and the command that goes on."""

from collections.abc import Sequence

from ..records import Check, Sentence
from ..reports.numerals import short
from ..reports.text import BOLD, DIM, RESET
from ..reports.wrapping import clean, cut, width_of, wrap
from ._base import Deeper
from .taking import Stop

CYAN = "\x1b[36m"  # of the 16 colours that every terminal has, chosen by its owner to be readable
RED = "\x1b[31m"
MARKS = {"✓": "\x1b[32m", "◐": "\x1b[33m", "✗": "\x1b[31m"}
MARGIN = 2
LONGEST_FINDING = 3

HEAD = Sentence("the weather of neural-network training, computed now", "ニューラルネット学習の天気。すべて今ここで計算しています")
FAILED = Sentence("this panel could not be computed: {why}", "このパネルは計算できませんでした：{why}")
MISSED = Sentence("not as expected: {name} is {measured}, expected {expected}", "予想と違います：{name} が {measured}（予想 {expected}）")
TOOK = Sentence("{n} panels in {seconds} s", "{n} パネル、{seconds} 秒")
CUT_SHORT = Sentence("cut short after {n} panels, {seconds} s", "{n} パネル（{seconds} 秒）で中断しました")
PAGE = Sentence("pictures, tables and words", "図・表・解説")


def head_line(language: str, *, colour: bool) -> str:
    """Return the line above the tour."""
    return f"{_painted('風見 kazami tour', BOLD, colour)}  {_painted(HEAD.in_language(language), DIM, colour)}"


def stop_lines(stop: Stop, language: str, width: int, *, colour: bool) -> list[str]:
    """Return a panel's lines, none wider than ``width`` columns: heading and finding, the small picture, where to go on.

    Args:
        stop: The panel.
        language: ``"en"`` or ``"ja"``.
        width: Columns of the terminal.
        colour: Whether ANSI colours may be used.
    """
    topic = stop.panel.topic.in_language(language)
    heading = f"{stop.panel.number} {topic.upper() if language == 'en' else topic}"
    if stop.result is None:
        why = clean(FAILED.in_language(language).format(why=stop.error))
        return [_painted(heading, BOLD, colour), *(" " * MARGIN + _painted(line, RED, colour) for line in wrap(why, width - MARGIN))]
    whole = wrap(clean(stop.result.finding.in_language(language)), width - MARGIN)
    finding = whole[:LONGEST_FINDING]
    if len(whole) > LONGEST_FINDING:
        finding[-1] = cut(f"{finding[-1]} {whole[LONGEST_FINDING]}", width - MARGIN)
    picture = [_marked(cut_painted(line, width - MARGIN), colour) for line in stop.result.lines(language, width - MARGIN, colour)]
    wrong = [_missed(check, language, width - MARGIN, colour) for check in stop.result.checks if not check.passed]
    painted = _way_on(stop.result.deeper, language, width - MARGIN, colour)
    return [_painted(heading, BOLD + CYAN, colour), *(" " * MARGIN + line for line in [*finding, *picture, *wrong, painted])]


def _way_on(deeper: Sequence[Deeper], language: str, width: int, colour: bool) -> str:
    """Return the first command that fits whole, for people copy it, and as much of what it does as there is room for."""
    one = next((one for one in deeper if width_of(one.command) + 2 <= width), deeper[0])
    room = width - width_of(one.command) - 5
    words = one.sentence.in_language(language)
    shown = f"   {cut(words, room)}" if room >= min(width_of(words), 12) else ""
    return _painted(f"→ {one.command}", CYAN, colour) + _painted(shown, DIM, colour)


def _missed(check: Check, language: str, width: int, colour: bool) -> str:
    words = MISSED.in_language(language).format(name=check.name_in(language), measured=short(check.measured), expected=short(check.expected))
    return _painted(cut(f"✗ {words}", width), RED, colour)


def _marked(line: str, colour: bool) -> str:
    """Colour the marks of what suffices, helps and does not help."""
    if not colour:
        return line
    for mark, ink in MARKS.items():
        line = line.replace(mark, f"{ink}{mark}{RESET}")
    return line


def last_lines(stops: Sequence[Stop], page: str | None, language: str, *, is_interrupted: bool, colour: bool) -> list[str]:
    """Return what stands under the tour: how long it took and where its page is; the path is never broken."""
    words = CUT_SHORT if is_interrupted else TOOK
    took = words.in_language(language).format(n=len(stops), seconds=f"{sum(stop.seconds for stop in stops):.0f}")
    if page is None:
        return [took]
    return [f"{took} · {PAGE.in_language(language)}: {_painted(page, BOLD, colour)}"]


def cut_painted(line: str, width: int) -> str:
    """Return a line cut to ``width`` columns; one with colours is left as its panel made it."""
    return line if "\x1b" in line or width_of(line) <= width else cut(line, width)


def _painted(text: str, ink: str, colour: bool) -> str:
    return f"{ink}{text}{RESET}" if colour and text else text
