"""Pieces of the page: a sentence in both languages, a table, and matplotlib's figures made bilingual and ready for the dark."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from ..records import Sentence
from ..reports.figures import PATH, SERIES, inline_svg
from ._base import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What each colour of the figures becomes in the dark: lighter, until it stands out 4.5:1 from a dark card.
DARK = {"#0b5c7a": "#74c7e3", "#d55e00": "#ff9a4d", "#009e73": "#4fd1a5", "#cc79a7": "#e3a1c6", "#56b4e9": "#8fcdf2", "#8a6d00": "#d9b93b", PATH: "#ff8b6b"}


def said(sentence: Sentence, tag: str = "span", **attributes: str) -> str:
    """Return the sentence in both languages; the page shows one. What stands between back quotes becomes code."""
    extra = "".join(f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"' for name, value in attributes.items() if name != "class_")
    more = f" {attributes['class_']}" if "class_" in attributes else ""
    return "".join(
        f'<{tag} lang="{language}" class="{language}{more}"{extra}>{prose(text)}</{tag}>' for language, text in (("en", sentence.en), ("ja", sentence.ja))
    )


def prose(text: str) -> str:
    """Return text as HTML, names in back quotes as code.

    >>> prose("run `a < b`")
    'run <code>a &lt; b</code>'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def cell(content: Sentence | str) -> str:
    """Return what stands in a cell: a sentence in both languages, or text that is the same in both."""
    return prose(content) if isinstance(content, str) else said(content)


def table_html(table: Table) -> str:
    """Return a table; cells that hold a number stand right."""
    head = "".join(f'<th scope="col">{said(name)}</th>' for name in table.header)
    rows = "".join("<tr>" + "".join(_cell_html(content, place) for place, content in enumerate(row)) + "</tr>" for row in table.rows)
    return f'<div class="scroll" tabindex="0" role="region" data-region><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cell_html(content: Sentence | str, place: int) -> str:
    if place == 0:
        return f'<th scope="row">{cell(content)}</th>'
    return f"<td>{cell(content)}</td>"


def figure_svg(figure: "Figure", label: Sentence, words: Mapping[str, str], language: str) -> str:
    """Return a figure whose words are there in both languages and whose colours follow the page into the dark.

    Args:
        figure: What ``reports.figures.new_figure`` made.
        label: What screen readers say.
        words: The words drawn in it, English to Japanese; what is not among them stays in both.
        language: The language the page opens in.
    """
    svg = inline_svg(figure, label.in_language(language))
    svg = re.sub(r"<text\b([^>]*)>([^<]*)</text>", lambda found: _both_texts(found[1], found[2], words), svg)
    for colour in {*SERIES, PATH} & set(DARK):
        svg = svg.replace(colour, f"var(--c{colour[1:]}, {colour})")
    return bilingual(svg, label)


def bilingual(svg: str, label: Sentence) -> str:
    """Give a drawing what it says to screen readers in both languages; the page's script picks one."""
    return svg[svg.index("<svg") :].replace("<svg ", f'<svg data-en="{escape(label.en)}" data-ja="{escape(label.ja)}" ', 1)


def themed(svg: str) -> str:
    """Let a drawing that follows the system into the dark follow the page instead, whose reader may choose otherwise.

    >>> themed("<style>.a{fill:#fff}@media (prefers-color-scheme:dark){.a{fill:#000}.b{fill:#111}}</style>")
    '<style>.a{fill:#fff}[data-theme="dark"] .a{fill:#000}[data-theme="dark"] .b{fill:#111}</style>'
    """
    return re.sub(
        r"@media \(prefers-color-scheme: ?dark\) ?\{((?:[^{}]*\{[^{}]*\})*)\}",
        lambda found: re.sub(
            r"([^{}]+)(\{[^{}]*\})", lambda rule: ",".join(f'[data-theme="dark"] {one.strip()}' for one in rule[1].split(",")) + rule[2], found[1]
        ),
        svg,
    )


def _both_texts(attributes: str, text: str, words: Mapping[str, str]) -> str:
    plain = text.strip().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    if plain not in words:
        return f"<text{attributes}>{text}</text>"
    return f'<text class="en" lang="en"{attributes}>{text}</text><text class="ja" lang="ja"{attributes}>{escape(words[plain], quote=False)}</text>'


def dark_styles() -> str:
    """Return the CSS variables by which the figures' colours follow the page into the dark."""
    light = "".join(f"--c{colour[1:]}:{colour};" for colour in DARK)
    dark = "".join(f"--c{colour[1:]}:{other};" for colour, other in DARK.items())
    return f':root{{{light}}}:root[data-theme="dark"]{{{dark}}}'


def joined_words(words: Sequence[Sentence]) -> Sentence:
    """Return names as one list: ``"a, b and c"``, ``"a、b、c"``; a dash where there is none.

    >>> joined_words([Sentence("a", "甲"), Sentence("b", "乙")])
    Sentence(en='a and b', ja='甲、乙')
    """
    if not words:
        return Sentence("none", "なし")
    en = [word.en for word in words]
    return Sentence(" and ".join([", ".join(en[:-1]), en[-1]]) if len(en) > 1 else en[0], "、".join(word.ja for word in words))
