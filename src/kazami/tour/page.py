"""The tour as one self-contained HTML page: opens from disk, speaks both languages, light and dark, and asks nothing of any network."""

import platform
import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.metadata import version
from importlib.resources import files

from ..records import Check, Sentence
from ..reports.html import fill
from ..reports.numerals import short
from ._base import Deeper, PanelResult, Picture
from .markup import dark_styles, said, table_html
from .taking import Stop, Tour
from .weather_picture import hatching, level_styles

TITLE = Sentence("The weather of training, in five panels", "学習の天気を 5 枚のパネルで")
LEAD = Sentence(
    "A training without wind learns nothing, one in a storm loses itself; what learns lives in a light breeze between. Everything on this "
    "page was computed just now, "
    "on real data, in {seconds} seconds.",
    "風のない学習は何も学べず、暴風の中の学習は自分を見失います。学ぶものは、そのあいだの微風の中にいます。このページの数値はすべて、"
    "実データを使って {seconds} 秒で計算したばかりのものです。",
)
DEEPER = Sentence("Go deeper", "さらに先へ")
NUMBERS = Sentence("The numbers", "数値の表")
EXPECTED = Sentence("Expected and measured", "予想と実測")
MISSING = Sentence("This panel could not be computed", "このパネルは計算できませんでした")
CUT_SHORT = Sentence("The tour was cut short; what was finished stands here.", "ツアーは途中で中断されました。終わったところまでを載せています。")
FOOT = Sentence(
    "Made by kazami {kazami} with PyTorch {torch}, Python {python}: digits and Iris of scikit-learn, fixed seeds, one thread. "
    "That the texts' system is offered as an instrument for your own trainings is our reading of them. This file makes no network requests.",
    "kazami {kazami}（PyTorch {torch}、Python {python}）が作成。データは scikit-learn の数字と Iris、乱数シード固定、1 スレッド。"
    "原文の考え方を、ご自分の学習を測る道具として差し出すのは、私たちの読み方です。このファイルは通信を一切行いません。",
)


def render_page(tour: Tour, *, language: str = "en") -> str:
    """Return the page as the text of one HTML file, to be written as UTF-8.

    Args:
        tour: The panels, also those that failed.
        language: The language the page opens in; the reader can switch, and ``?lang=ja`` in the address wins.
    """
    lead = Sentence(*(text.format(seconds=f"{tour.seconds:.0f}") for text in (LEAD.en, LEAD.ja)))
    holes = {
        "language": "ja" if language == "ja" else "en",
        "title": escape(f"kazami tour · {TITLE.in_language(language)}"),
        "style": _style(),
        "script": _part("tour.js"),
        "script_hash": b64encode(sha256(_part("tour.js").encode()).digest()).decode(),
        "heading": said(TITLE),
        "lead": said(lead, "p", class_="lead"),
        "contents": "".join(_entry(stop) for stop in tour.stops),
        "notice": said(CUT_SHORT, "p", class_="notice") if tour.is_interrupted else "",
        "panels": "".join(_section(stop, language) for stop in tour.stops),
        "hatching": hatching(),
        "foot": said(_foot()),
    }
    return fill(_part("tour.html"), holes)


def _foot() -> Sentence:
    facts = {"kazami": version("kazami"), "torch": version("torch"), "python": platform.python_version()}
    return Sentence(FOOT.en.format(**facts), FOOT.ja.format(**facts))


@cache
def _style() -> str:
    report = files("kazami.reports").joinpath("static", "look.css").read_text(encoding="utf-8")
    report = re.sub(r"^svg(?: text)? \{[^}]*\}$", "", report, flags=re.MULTILINE)  # drawings of other rooms bring sizes and colours of their own
    return report + _part("tour.css") + level_styles() + dark_styles()


@cache
def _part(name: str) -> str:
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def _entry(stop: Stop) -> str:
    number = f'<span class="number" aria-hidden="true">{stop.panel.number}</span>'
    return f'<li><a href="#{stop.panel.name}">{number}{said(stop.panel.topic)}</a></li>'


def _section(stop: Stop, language: str) -> str:
    heading = f'<p class="eyebrow">{stop.panel.number} · {said(stop.panel.topic)} <small>{stop.seconds:.1f} s</small></p>'
    if stop.result is None:
        body = f"<h2>{said(MISSING)}</h2><p><code>{escape(stop.error)}</code></p>"
        return f'<section class="card panel" id="{stop.panel.name}">{heading}{body}</section>'
    result = stop.result
    text = "".join(said(sentence, "p") for sentence in result.text)
    blocks = "".join(block() for block in result.blocks)
    figures = "".join(_figure(picture, language) for picture in result.pictures)
    return (
        f'<section class="card panel" id="{stop.panel.name}">{heading}<h2>{said(result.finding)}</h2><div class="words">{text}</div>'
        f'<div class="figures of-{len(result.pictures)}">{figures}</div>{blocks}{_checks(result)}{_deeper(result)}</section>'
    )


def _figure(picture: Picture, language: str) -> str:
    try:
        svg = picture.draw(language)
    except Exception as mistake:  # the table behind it still holds the numbers
        svg = f"<p><code>{escape(f'{type(mistake).__name__}: {mistake}')}</code></p>"
    table = f"<details><summary>{said(NUMBERS)}</summary>{table_html(picture.table)}</details>"
    kind = ' class="wide"' if picture.is_wide else ""
    return f'<figure{kind}><h3>{said(picture.title)}</h3>{said(picture.notice, "p", class_="notice")}<div class="drawing">{svg}</div>{table}</figure>'


def _checks(result: PanelResult) -> str:
    if not result.checks:
        return ""
    items = "".join(f'<li class="{"good" if check.passed else "bad"}">{_check(check)}</li>' for check in result.checks)
    return f'<h3 class="small">{said(EXPECTED)}</h3><ul class="checked">{items}</ul>'


def _check(check: Check) -> str:
    sign = {"within": "=", "at_least": "≥", "at_most": "≤"}[check.kind]
    around = f" ± {short(check.tolerance)}" if check.tolerance else ""
    unit = f" {check.unit}" if check.unit else ""
    mark = "✓" if check.passed else "✗"
    name = said(Sentence(check.name, check.name_in("ja")))
    source = f" <small>{escape(check.source)}</small>" if check.source else ""
    return f"<b>{mark}</b> {name}: {short(check.measured)}{unit} ({sign} {short(check.expected)}{around}){source}"


def _deeper(result: PanelResult) -> str:
    return f'<h3 class="small">{said(DEEPER)}</h3><ul class="deeper">{"".join(_command(one) for one in result.deeper)}</ul>'


def _command(one: Deeper) -> str:
    return f"<li><code>{escape(one.command)}</code> {said(Sentence(prose_free(one.sentence.en), prose_free(one.sentence.ja)))}</li>"


def prose_free(text: str) -> str:
    """Return text without back quotes: beside a command there is code enough."""
    return text.replace("`", "")
