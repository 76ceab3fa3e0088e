"""Text in columns of a terminal, where a Japanese character is two columns wide."""

import re
import unicodedata
from collections.abc import Iterator

_NEVER_FIRST = set("、。，．）」』】〕］｝〉》・：；？！ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ々…％),.:;?!]}%")  # kinsoku: these do not begin a line
_NEVER_LAST = set("（「『【〔［｛〈《([{")  # and these do not end one


def clean(text: str) -> str:
    r"""Return the text without control characters, so that no name of the user's can steer the terminal; a line break becomes a space.

    >>> clean("fc1\x1b[31m\nfc2")
    'fc1[31m fc2'
    """
    spaced = re.sub(r"[\t\r\n\v\f\u2028\u2029]+", " ", text)
    return "".join(character for character in spaced if unicodedata.category(character) not in ("Cc", "Cf", "Cs"))


def width_of(text: str) -> int:
    """Return how many columns the text takes; a character of ambiguous width counts as one, as in most terminals.

    >>> width_of("wind"), width_of("微風"), width_of("が")
    (4, 4, 2)
    """
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Return the text, its end replaced by ``…`` where it is wider than ``width`` columns.

    >>> cut("encoder.layers.0", 9), cut("微風", 4), cut("微風の日", 6)
    ('encoder.…', '微風', '微風…')
    """
    if width_of(text) <= width:
        return text
    return _beginning(text, width - 1) + "…" if width > 0 else ""


def _beginning(text: str, width: int) -> str:
    """Return as much of the text as fits into ``width`` columns."""
    used = 0
    for place, character in enumerate(text):
        used += _columns(character)
        if used > width:
            return text[:place]
    return text


def cut_start(text: str, width: int) -> str:
    """Return the text, its beginning replaced by ``…`` where it is too wide: the end of a path tells more.

    >>> cut_start("encoder.layers.0", 9)
    '…layers.0'
    """
    return text if width_of(text) <= width else cut(text[::-1], width)[::-1]


def pad(text: str, width: int) -> str:
    """Return the text filled up with spaces to ``width`` columns."""
    return text + " " * max(0, width - width_of(text))


def wrap(text: str, width: int) -> list[str]:
    """Return the text in lines of at most ``width`` columns, broken at spaces and between Japanese characters.

    >>> wrap("the loss is not falling", 12)
    ['the loss is', 'not falling']
    >>> wrap("学習率が高すぎます。", 18)
    ['学習率が高すぎま', 'す。']
    """
    lines = [""]
    for atom in _atoms(text):
        if width_of(lines[-1] + atom.rstrip()) > width and lines[-1]:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
            atom = atom.lstrip()
        while width_of(atom.rstrip()) > width:  # one word wider than the line: break it anywhere
            head = _beginning(atom, width)
            lines[-1:] = [lines[-1] + head, ""] if not lines[-1] else [lines[-1], head, ""]
            atom = atom[len(head) :]
        lines[-1] += atom
    lines[-1] = lines[-1].rstrip()
    return [line for line in lines if line] or [""]


def wrap_code(text: str, width: int) -> list[str]:
    """Return lines of code with their indentation kept; a longer line goes on, indented further."""
    lines: list[str] = []
    for line in text.expandtabs(4).splitlines():
        margin = min(len(line) - len(line.lstrip()), width // 2)
        code = clean(line.strip())
        first = wrap(code, width - margin)[0]
        rest = code[len(first) :].strip()
        lines.append(" " * margin + first)
        lines += [" " * (margin + 4) + part for part in wrap(rest, width - margin - 4) if rest]
    return lines


def _atoms(text: str) -> Iterator[str]:
    """Yield the pieces between which a line may be broken, each with the spaces that follow it."""
    atom = ""
    for character in text:
        if atom and _may_break(atom[-1], character):
            yield atom
            atom = ""
        atom += character
    if atom:
        yield atom


def _may_break(before: str, after: str) -> bool:
    if after in _NEVER_FIRST or before in _NEVER_LAST or after == " ":
        return False
    return before == " " or _columns(before) == 2 or _columns(after) == 2
