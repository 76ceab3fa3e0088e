"""The proof of ``kazami cure`` as one self-contained page: what to change, that it helps, what was tried besides, and what is not the cause."""

import re
from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files

from ..records.finding import Finding, Prescription, Sentence
from ..records.proof import Proof, Tried
from ..records.run_info import RunInfo
from ..records.trace import Trace
from .html import fill
from .loss_bands import band_of
from .loss_svg import loss_svg
from .numerals import short
from .proof_facts import TRIED_ON, cause_in_words, curves_in_words, is_accepted, measure_in_words, table_in_words, told_apart
from .weather_pair import weather_pair
from .weather_svg import hatching, level_styles
from .words import both

Cell = tuple[str, str, Sentence]  # HTML, CSS class, heading on a narrow screen


def render_proof_html(
    info: RunInfo, proof: Proof, *, diff: str = "", lines: str = "", before: Trace | None = None, after: Trace | None = None, language: str = "en"
) -> str:
    """Return the page of one proof as the text of one HTML file, to be written as UTF-8.

    It holds its style and its script and asks nothing of any network; without a script it can be read as well. Strings of the user stand in it only escaped.

    Args:
        info: Head of the run directory of the cure.
        proof: What was found.
        diff: The change as a unified diff of the user's file.
        lines: The lines to add, where there is no diff.
        before: What was seen of the unchanged training; by default what the proof itself holds.
        after: What was seen of the changed one, likewise.
        language: The language the page opens in, ``"en"`` or ``"ja"``; the reader can switch, and ``?lang=ja`` in the address wins.
    """
    before, after = before or proof.trace_before, after or proof.trace_after
    sections = (
        _changes(proof, diff, lines),
        _table(proof),
        _curves(proof, language),
        _weather(before, after, language),
        _tried(proof),
        _excluded(proof),
        _diagnosis(proof.findings),
        _setting(info),
    )
    holes = {
        "language": "ja" if language == "ja" else "en",
        "title": escape(f"{info.id} · {proof.verdict.in_language(language)} · kazami"),
        "style": _style(),
        "script": _part("proof.js"),
        "style_hash": _hash(_style()),
        "script_hash": _hash(_part("proof.js")),
        "hatching": hatching(),
        "state": "cured" if proof.cured else "well" if proof.nothing_to_cure else "open",
        "badge": said(both("proved" if proof.cured else "well" if proof.nothing_to_cure else "not_proved")),
        "run": escape(info.id),
        "verdict": said(proof.verdict),
        "facts": _facts(proof),
        "sections": "".join(sections),
        "foot": said(both("foot")),
    }
    return fill(_part("proof.html"), holes).encode("utf-8", "replace").decode("utf-8")


def said(sentence: Sentence, tag: str = "span", class_: str = "") -> str:
    """Return a sentence in both languages, of which the page shows one; what stands between back quotes becomes code.

    >>> said(Sentence("a `<b>`", "あ"), "p")
    '<p lang="en" class="en">a <code>&lt;b&gt;</code></p><p lang="ja" class="ja">あ</p>'
    """
    more = f" {class_}" if class_ else ""
    return "".join(f'<{tag} lang="{one}" class="{one}{more}">{prose(sentence.in_language(one))}</{tag}>' for one in ("en", "ja"))


def prose(text: str) -> str:
    """Return text as HTML, names in back quotes as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def _facts(proof: Proof) -> str:
    changes = ", ".join(change.name.replace("_", " ") for change in proof.changes)
    spent = Sentence(f"{short(proof.seconds)} s", f"{short(proof.seconds)} 秒")
    rows = [(both("changed"), f"<dd>{escape(changes)}</dd>")] if changes else []
    if proof.table:
        rows.append((both("seeds_and_steps"), f"<dd>{len(proof.table)} × {max(map(len, proof.losses_after), default=0)}</dd>"))
    rows += [(both("cause_by_trial"), f"<dd>{said(cause_in_words(proof))}</dd>")]
    if proof.tried:
        on = TRIED_ON.get(proof.on, Sentence(proof.on, proof.on))
        rows.append((both("tried_on"), f"<dd>{said(on)} <small>{said(spent)}</small></dd>"))
    return "".join(f"<div><dt>{said(name)}</dt>{value}</div>" for name, value in rows)


def _section(name: str, title: Sentence, body: str, eyebrow: str = "") -> str:
    above = f'<p class="eyebrow">{said(both(eyebrow))}</p>' if eyebrow else ""
    return f'<section class="card" id="{name}">{above}<h2>{said(title)}</h2>{body}</section>' if body else ""


def _changes(proof: Proof, diff: str, lines: str) -> str:
    explained = "".join(said(change.sentence, "p", "notice") for change in proof.changes)
    if diff:
        return _section("change", both("the_diff"), explained + _copyable(_coloured(diff), "diff"), "change")
    if lines:
        return _section("change", both("the_lines"), explained + _copyable(escape(lines, quote=False), "lines"), "change")
    return _section("change", both("the_changes"), "".join(_change(change) for change in proof.changes), "change") if proof.changes else ""


def _change(change: Prescription) -> str:
    return said(change.sentence, "p", "notice") + _copyable(escape(change.code, quote=False), f"code-{change.name}")


def _copyable(code: str, name: str) -> str:
    button = f'<button type="button" class="plain copy" data-copies="{escape(name)}">{said(both("copy"))}</button>'
    region = f'tabindex="0" role="region" aria-label="{both("change").en}" data-en="{both("change").en}" data-ja="{both("change").ja}"'
    return f'<div class="change">{button}<pre id="{escape(name)}" {region}><code>{code}</code></pre></div>'


def _coloured(diff: str) -> str:
    return "".join(f'<span class="{_kind(line)}">{escape(line, quote=False)}</span>' for line in diff.splitlines(keepends=True))


def _kind(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "file"
    return {"+": "added", "-": "removed", "@": "hunk"}.get(line[:1], "same")


def _table(proof: Proof) -> str:
    if not proof.table:
        return ""
    measure = measure_in_words(proof)
    heads = (both("seed"), both("unchanged"), both("changed_after"), both("gain"))
    rows = [
        [
            (str(row.seed), "name", heads[0]),
            (_scored(row.before), "number", heads[1]),
            (_scored(row.after), "number", heads[2]),
            (short(row.gain), "number", heads[3]),
        ]
        for row in proof.table
    ]
    notice = said(Sentence(f"What is compared: {measure.en}. Higher is better.", f"比べているもの：{measure.ja}。大きいほど良い値です。"), "p", "notice")
    return _section("seeds", table_in_words(proof), notice + _rows(heads, rows) + _placebo(proof), "proof_table")


def _scored(value: float | None) -> str:
    return said(both("no_score")) if value is None else short(value)


def _placebo(proof: Proof) -> str:
    if len(proof.placebo) < 2:
        return ""
    low, high = short(min(proof.placebo)), short(max(proof.placebo))
    en = f"Placebo: the seed alone, with nothing changed, gives {low} to {high}. The change has to be worth more than that with every seed."
    ja = f"プラセボ：何も変えずにシードだけを替えると {low} ～ {high} です。変更は、どのシードでもこれを上回らなければなりません。"
    return said(Sentence(en, ja), "p", "notice")


def _rows(heads: Iterable[Sentence], rows: Iterable[list[Cell]], classes: Iterable[str] = ()) -> str:
    kinds = ["name", *["number"] * 3] if not classes else list(classes)
    head = "".join(f'<th scope="col" class="{kind}">{said(one)}</th>' for one, kind in zip(heads, kinds, strict=True))
    body = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table class="evidence"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(cell: Cell) -> str:
    html, kind, head = cell
    return f'<td class="{kind}" data-en="{escape(head.en)}" data-ja="{escape(head.ja)}">{html}</td>'


def _curves(proof: Proof, language: str) -> str:
    length = max((len(curve) for curve in (*proof.losses_before, *proof.losses_after)), default=0)
    before, after = band_of(proof.losses_before, length), band_of(proof.losses_after, length)
    title = curves_in_words(before, after)
    drawn = "".join(loss_svg(before, after, title, language, is_wide=is_wide) for is_wide in (True, False))
    if not drawn:
        return ""
    keys = "".join(f'<span><i class="{kind}"></i>{said(both(word))}</span>' for kind, word, band in _keys(before, after) if band is not None)
    return _section("curves", title, f'<div class="keys">{keys}</div>{drawn}{said(both("curves_notice"), "p", "fine")}', "loss")


def _keys(before: object, after: object) -> tuple[tuple[str, str, object], ...]:
    return ("before", "without_change", before), ("after", "with_change", after)


def _weather(before: Trace | None, after: Trace | None, language: str) -> str:
    drawn = weather_pair(before, after, language)
    return _section("weather", both("weather_pair_title"), said(both("map_notice"), "p", "notice") + drawn, "weather_map") if drawn else ""


def _tried(proof: Proof) -> str:
    heads = (both("tried_change"), both("steps_head"), both("score"), both("gain"), both("became"))
    rows = [_tried_row(one, heads, is_accepted(one, proof)) for one in proof.tried]
    if not rows:
        return ""
    return _section("tried", cause_in_words(proof), _rows(heads, rows, ("name", "number", "number", "number", "")), "cause_by_trial")


def _tried_row(one: Tried, heads: tuple[Sentence, ...], is_proved: bool) -> list[Cell]:
    mark = '<b class="yes" aria-hidden="true">✓</b> ' if is_proved else ""
    names = mark + " + ".join(escape(change.name.replace("_", " ")) + escape(told_apart(change)) for change in one.changes)
    cells = (names, str(one.steps), short(one.score), "–" if one.gain is None else f"{'+' if one.gain > 0 else ''}{short(one.gain)}", said(one.why))
    kinds = ("name", "number", "number", "number", "")
    return [(html, kind, head) for html, kind, head in zip(cells, kinds, heads, strict=True)]


def _excluded(proof: Proof) -> str:
    items = "".join(f"<li>{said(sentence)}</li>" for sentence in proof.not_the_cause)
    return _section("excluded", both("not_the_cause"), f'<ul class="plain-list">{items}</ul>') if items else ""


def _diagnosis(findings: Iterable[Finding]) -> str:
    items = "".join(
        f'<li class="{finding.severity}"><span class="severity">{said(both(f"severity_{finding.severity}"))}</span> '
        f'<span class="mono">{escape(finding.id)} {escape(finding.name)}</span> {said(finding.sentence, "p")}</li>'
        for finding in findings
    )
    return _section("diagnosis", both("diagnosed"), f'<ul class="diagnosed">{items}</ul>') if items else ""


def _setting(info: RunInfo) -> str:
    versions = " ".join(f"{name} {number}" for name, number in info.versions.items())
    rows = [(key, value) for key, value in (("command", info.command), ("started", info.started), ("ended", info.ended), ("versions", versions)) if value]
    items = "".join(f"<dt>{said(both(key))}</dt><dd{' class=mono' if key == 'command' else ''}>{escape(value)}</dd>" for key, value in rows)
    return _section("setting", both("setting"), f'<dl class="setting">{items}</dl>') if items else ""


@cache
def _style() -> str:
    report = re.sub(r"^svg(?: text)? \{[^}]*\}$", "", _part("look.css"), flags=re.MULTILINE)  # these drawings bring sizes and colours of their own
    dark = re.search(r':root\[data-theme="dark"\] \{([^}]*)\}', report)
    unscripted = f":root:not([data-theme]){{{dark[1] if dark else ''}}}"
    return f"{report}{level_styles()}{_part('proof.css')}@media (prefers-color-scheme: dark) {{{unscripted}}}"


@cache
def _part(name: str) -> str:
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
