"""How wide text is: measured in DejaVu Sans, which is wider than the fonts that readers have, so that no label touches its border."""

from functools import cache
from typing import Any
from unicodedata import east_asian_width


@cache
def _font(is_bold: bool) -> Any:
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.ft2font import FT2Font

    font = FT2Font(findfont(FontProperties(family="DejaVu Sans", weight="bold" if is_bold else "normal")))
    font.set_size(100.0, 72.0)
    return font


@cache
def _advance(letter: str, is_bold: bool) -> float:
    """Return the width of a letter in units of the font size; wide letters of a font that lacks them are squares."""
    font = _font(is_bold)
    if not font.get_char_index(ord(letter)):
        return 1.0 if east_asian_width(letter) in "WF" else 0.8
    return float(font.load_char(ord(letter)).linearHoriAdvance) / 65536 / 100


def text_width(text: str, size: float, *, is_bold: bool = False) -> float:
    """Return the width of a line of text, in points.

    Example:
        >>> text_width("WW", 10.0) == 2 * text_width("W", 10.0), text_width("風", 10.0)
        (True, 10.0)
    """
    return size * sum(_advance(letter, is_bold) for letter in text)


def shortened(text: str, size: float, limit: float) -> str:
    """Return text that is at most ``limit`` points wide; of a longer one the middle is left out, for beginnings and ends of paths tell most.

    Example:
        >>> shortened("encoder.layers.0.self_attn.out_proj", 10.0, 100.0)
        'encoder.….out_proj'
    """
    if text_width(text, size) <= limit:
        return text
    kept = len(text) - 1
    while kept > 2:
        front = kept // 2
        shorter = f"{text[:front]}…{text[len(text) - (kept - front) :]}"
        if text_width(shorter, size) <= limit:
            return shorter
        kept -= 1
    return "…"
