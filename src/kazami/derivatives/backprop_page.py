"""The walk through forward and backward pass as one self-contained page: opens from disk, works with keys, without a script it is a list of all steps."""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.metadata import version
from importlib.resources import files

import numpy as np

from ..nets.explained.text_blocks import shown_indices
from ..records import Sentence
from ..reports.html import fill
from . import backprop_words as words
from .backprop_drawing import Drawing, draw
from .backprop_formulas import formula_math
from .backprop_graph import graph_of
from .backprop_of_model import autograd_gradients
from .backprop_printing import colours, styles, svg_element
from .backprop_scenes import MOST, Scene, Tile, number, scenes_of
from .backpropagation import Backprop

_RING, _AIR = 26.0, 38.0  # radius of the ring around what a step computes; room around what a small picture shows


def render_page(found: Backprop, *, language: str = "en") -> str:
    """Return the page as the text of one HTML file, to be written as UTF-8.

    Args:
        found: Both passes.
        language: The language the page opens in; the reader can switch, and ``?lang=ja`` in the address wins.
    """
    walk = graph_of(found)
    wide, narrow = draw(walk, is_wide=True), draw(walk, is_wide=False)
    scenes = scenes_of(found)
    holes = {
        "language": "ja" if language == "ja" else "en",
        "title": escape(f"{words.TITLE.in_language(language)} · kazami"),
        "style": _style(),
        "script": _part("backprop.js"),
        "script_hash": b64encode(sha256(_part("backprop.js").encode()).digest()).decode(),
        "heading": said(words.TITLE),
        "lead": said(words.LEAD, "p", "lead"),
        "setting": said(_setting(found), "p", "setting-line"),
        "buttons": _buttons(language),
        "slider": f'max="{len(scenes) - 1}" {_spoken(words.SLIDER, language)}',
        "n_steps": str(len(scenes)),
        "region": _spoken(words.GRAPH, language),
        "wide": svg_element(wide, words.GRAPH, class_="wide"),
        "wide_width": f"{wide.width:.0f}",
        "narrow": svg_element(narrow, words.GRAPH, class_="narrow", id_="walk"),
        "legend": "".join(f"<li>{_swatch(role)}{said(sentence)}</li>" for role, sentence in words.LEGEND),
        "steps_heading": said(words.STEPS),
        "steps": "".join(_step(scene, place, scenes, found, narrow) for place, scene in enumerate(scenes)),
        "names": said(words.NAMES, "p") + said(words.MORE, "p") + said(_checked(found), "p"),
        "keys": said(words.KEYS, "p", "keys"),
        "foot": said(Sentence(*(text.format(version=version("kazami")) for text in (words.FOOT.en, words.FOOT.ja)))),
    }
    return fill(_part("backprop.html"), holes)


def said(sentence: Sentence, tag: str = "span", class_: str = "") -> str:
    """Return a sentence in both languages, of which the page shows one.

    >>> said(Sentence("a", "あ"), "p")
    '<p lang="en" class="en">a</p><p lang="ja" class="ja">あ</p>'
    """
    more = f" {class_}" if class_ else ""
    return "".join(f'<{tag} lang="{one}" class="{one}{more}">{escape(sentence.in_language(one), quote=False)}</{tag}>' for one in ("en", "ja"))


def _spoken(sentence: Sentence, language: str) -> str:
    """Return what an element says to screen readers: in the page's language, which the script changes."""
    return f'aria-label="{escape(sentence.in_language(language))}" data-en="{escape(sentence.en)}" data-ja="{escape(sentence.ja)}"'


def _setting(found: Backprop) -> Sentence:
    sizes = "-".join(str(size) for size in (found.inputs[0].shape[1], *(bias.size for bias in found.biases)))
    hidden = ", ".join(dict.fromkeys(found.activations[:-1])) or "–"
    loss, n = words.LOSSES[found.loss_name], len(found.inputs[0])
    examples = Sentence(f"{n} example{'s' if n > 1 else ''}", str(n))
    return Sentence(
        words.SETTING.en.format(sizes=sizes, activation=hidden, loss=loss.en, examples=examples.en),
        words.SETTING.ja.format(sizes=sizes, activation=hidden, loss=loss.ja, examples=examples.ja),
    )


def _checked(found: Backprop) -> Sentence:
    theirs = autograd_gradients(found.weights, found.biases, found.activations, found.inputs[0], found.target, found.loss_name)
    own = [*found.weight_gradients, *found.bias_gradients]
    off = number(max(float(np.abs(a - b).max()) for a, b in zip(own, theirs, strict=True)))
    return Sentence(words.CHECKED.en.format(difference=off), words.CHECKED.ja.format(difference=off))


@cache
def _style() -> str:
    report = files("kazami.reports").joinpath("static", "look.css").read_text(encoding="utf-8")
    report = re.sub(r"^svg(?: text)? \{[^}]*\}$", "", report, flags=re.MULTILINE)  # these drawings bring sizes and colours of their own
    dark = re.search(r':root\[data-theme="dark"\] \{([^}]*)\}', report)
    unscripted = f"{{:root:not([data-theme]){{{dark[1] if dark else ''}{colours(is_dark=True)}}}}}"
    drawn = f':root{{{colours(is_dark=False)}}}[data-theme="dark"]{{{colours(is_dark=True)}}}{styles()}'
    return f"{report}{drawn}@media (prefers-color-scheme: dark) {unscripted}{_part('backprop.css')}"


@cache
def _part(name: str) -> str:
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def _buttons(language: str) -> str:
    pause = f'data-pause-en="{escape(words.PAUSE.en)}" data-pause-ja="{escape(words.PAUSE.ja)}"'
    return "".join(
        f'<button type="button" class="plain" data-go="{name}" {_spoken(sentence, language)}{f" {pause}" if name == "play" else ""}>{_icon(name)}</button>'
        for name, sentence in words.BUTTONS.items()
    )


_ICONS = {
    "first": "M5 4.5v11M14 4.5 8.5 10l5.5 5.5", "back": "M12.5 4.5 7 10l5.5 5.5", "play": "M6 4 15.5 10 6 16z",
    "next": "M7.5 4.5 13 10l-5.5 5.5", "last": "M15 4.5v11M6 4.5 11.5 10l-5.5 5.5",
}  # fmt: skip


def _icon(name: str) -> str:
    path = '<path d="M6 4v12M14 4v12" class="pause"/>' if name == "play" else ""
    return f'<svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><path d="{_ICONS[name]}"/>{path}</svg>'


def _swatch(role: str) -> str:
    if role == "kept":
        return '<svg viewBox="0 0 30 18" width="30" height="18" aria-hidden="true"><path class="bp-kept-line" d="M2 9H28"/></svg>'
    return f'<svg viewBox="0 0 30 18" width="30" height="18" aria-hidden="true"><circle class="bp-{role}" cx="15" cy="9" r="7.5"/></svg>'


def _step(scene: Scene, place: int, scenes: list[Scene], found: Backprop, narrow: Drawing) -> str:
    step, last = scene.step, len(found.sums)
    phase = words.FORWARD if step.phase == "forward" else words.BACKWARD
    layer = f" · {said(Sentence(words.LAYER.en.format(n=step.layer), words.LAYER.ja.format(n=step.layer)))}" if scene.tiles and step.name != "C" else ""
    both = [formula_math(step.formula, last, language) for language in ("en", "ja")]
    formula = both[0] if both[0] == both[1] else f'<span lang="en" class="en">{both[0]}</span><span lang="ja" class="ja">{both[1]}</span>'
    by_hand = f'<p class="by-hand"><span class="label">{said(words.BY_HAND)}</span> <span class="sum">{scene.by_hand}</span></p>' if scene.by_hand else ""
    tiles = "".join(map(_tile, (*scene.tiles, scene.result)))
    return (
        f'<li class="step is-{step.phase}" id="step-{step.name}" data-name="{step.name}" data-uses="{" ".join(scene.uses)}">'
        f'<div class="said"><p class="eyebrow">{place + 1} / {len(scenes)} · {said(phase)}{layer}</p><div class="formula-line" tabindex="0">{formula}</div>'
        f'{said(scene.words, "p")}</div><div class="shown"><div class="tiles">{tiles}</div>{by_hand}</div>{_small_picture(scene, narrow)}</li>'
    )


def _tile(tile: Tile) -> str:
    rows, columns = (shown_indices(size, MOST) for size in tile.value.shape)
    lines = "".join(f"<tr>{''.join(_cell(tile, row, column) for column in columns)}</tr>" for row in rows)
    sign = said(words.OF_PHI) if tile.sign == words.OF_PHI.en else escape(tile.sign)
    mark = f'<span class="sign">{sign}</span>' if sign else ""
    caption = f"<figcaption>{tile.name} <small>{tile.shape}</small></figcaption>"
    return f'<div class="operand">{mark}<figure class="tile">{caption}<table class="matrix"><tbody>{lines}</tbody></table></figure></div>'


def _cell(tile: Tile, row: int | None, column: int | None) -> str:
    if row is None or column is None:
        return f"<td>{'⋮' if row is None else '…'}</td>"
    marked = ' class="marked"' if tile.marked(row, column) else ""
    return f"<td{marked}>{number(float(tile.value[row, column]))}</td>"


def _small_picture(scene: Scene, narrow: Drawing) -> str:
    """Return the part of the graph that a step is about, ringed; it shows the page's own drawing again."""
    name = scene.step.name
    heights = [narrow.middles[one][1] for one in (name, *scene.uses)]
    top, bottom = max(0.0, min(heights) - _AIR), min(narrow.height, max(heights) + _AIR)
    rings = "".join(
        f'<circle class="{kind}" cx="{narrow.middles[one][0]:.0f}" cy="{narrow.middles[one][1]:.0f}" r="{_RING:.0f}"/>'
        for kind, one in [("ring-used", one) for one in scene.uses] + [("ring", name)]
    )
    box = f"0 {top:.0f} {narrow.width:.0f} {bottom - top:.0f}"
    return f'<svg class="small bp" viewBox="{box}" text-anchor="middle" aria-hidden="true"><use href="#walk"/>{rings}</svg>'
