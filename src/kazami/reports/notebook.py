"""Records in a notebook: cards without script that take the notebook's own colours, and whole pages in frames of their own, so that none meets another."""

import math
import re
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from ..records.estimate import Estimate
from ..records.finding import Evidence, Finding
from ..records.proof import Proof
from ..records.regime import Regime
from ..records.run_info import RunInfo
from .numerals import short
from .palette import DEAD_CALM, NOT_FINITE, STORM
from .places import placed
from .proof_html import render_proof_html
from .proof_text import proof_block
from .words import certainty, say, unit_in

FRAME_HEIGHT = 720  # pixels; the page inside scrolls
MOST_POINTS = 400  # of a curve
CARD = "border:1px solid rgba(128,128,128,.45);border-radius:10px;padding:12px 16px;margin:6px 0;max-width:900px;line-height:1.5;overflow-wrap:anywhere"
MUTED = "opacity:.72;font-size:90%"
PRE = "background:rgba(128,128,128,.12);border-radius:6px;padding:8px 10px;margin:6px 0;overflow-x:auto;white-space:pre"
CELL = "padding:2px 14px 2px 0;text-align:left;vertical-align:top"
MARKS = {"error": ("✕", STORM), "warning": ("!", STORM), "info": ("i", DEAD_CALM)}


def html_of(thing: Any, language: str = "en") -> str:
    """Return the rich form of a finding, a list of findings, a proof, a regime or an estimate.

    It needs no network and no script of the notebook's; several in one notebook do not meet, since a card has no names in it and a page has its own frame.
    """
    match thing:
        case Finding():
            return card_of_finding(thing, language)
        case list():
            return cards_of_findings(thing, language)
        case Proof():
            return framed(render_proof_html(RunInfo(id=""), thing, language=language), thing.verdict.in_language(language))
        case Regime():
            return card_of_regime(thing, language)
        case Estimate():
            return card_of_estimate(thing, language)
        case _:
            return f"<pre>{escape(repr(thing))}</pre>"


def text_of(thing: Any, language: str = "en") -> str:
    """Return the form for a front end that shows no HTML."""
    match thing:
        case Finding():
            return f"{thing.id} {thing.name} ({say(f'severity_{thing.severity}', language)}): {thing.sentence.in_language(language)}"
        case list():
            return "\n".join(text_of(one, language) for one in thing) or say("nothing_wrong", language)
        case Proof():
            return proof_block(thing, language=language)
        case Regime():
            return f"{thing.label} ({thing.letter}): {thing.sentence.in_language(language)}"
        case Estimate():
            return f"{thing.name}: {_with_error(thing)} {thing.unit}"
        case _:
            return repr(thing)


def framed(page: str, title: str, height: int = FRAME_HEIGHT) -> str:
    """Return a whole page in a frame: its script sees nothing of the notebook, and its own policy forbids every request."""
    style = f"width:100%;height:{height}px;border:1px solid rgba(128,128,128,.45);border-radius:10px"
    return f'<iframe sandbox="allow-scripts allow-downloads" loading="lazy" title="{escape(title)}" style="{style}" srcdoc="{escape(page)}"></iframe>'


def card_of_finding(finding: Finding, language: str) -> str:
    """Return one finding: what is wrong, where, by which numbers, what to change, and what is not the cause."""
    mark, colour = MARKS[finding.severity]
    badge = f'<span style="display:inline-block;min-width:1.5em;text-align:center;border-radius:1em;color:#fff;background:{colour}">{mark}</span>'
    where = placed(finding, ()).in_language(language) or say("whole_model", language)
    since = say("since_step", language, n=finding.step) if finding.step > 0 else say("since_start", language)
    facts = " · ".join([f"{finding.id} {finding.name}", where, since, f"{say(certainty(finding.confidence), language)} ({short(finding.confidence)})"])
    parts = [f"<div>{badge} <b>{_worded(finding.sentence.in_language(language))}</b></div>", f'<div style="{MUTED}">{escape(facts)}</div>']
    parts.append(_evidence(finding.evidence, language))
    for index, one in enumerate(sorted(finding.prescriptions, key=lambda one: one.order)):
        word = say("change" if index == 0 else "other_change", language)
        parts.append(f"<div>{escape(word)}: {_worded(one.sentence.in_language(language))}</div><pre style='{PRE}'>{escape(one.code)}</pre>")
    if finding.not_the_cause:
        excluded = "".join(f"<li>{_worded(one.in_language(language))}</li>" for one in finding.not_the_cause)
        parts.append(f"<details><summary>{escape(say('not_the_cause', language))} ({len(finding.not_the_cause)})</summary><ul>{excluded}</ul></details>")
    return _card(parts, language)


def cards_of_findings(findings: Sequence[Finding], language: str) -> str:
    """Return findings, most important first."""
    if not findings:
        return _card([f"<b>{escape(say('nothing_wrong', language))}</b>"], language)
    return "".join(card_of_finding(finding, language) for finding in findings)


def card_of_regime(regime: Regime, language: str) -> str:
    """Return a regime: its letter and sentence, its own numbers, its evidence."""
    own = " · ".join(f"{name} = {short(value) if isinstance(value, float) else value}" for name, value in regime.parameters.items())
    letter = f"<span style='font:600 130%/1.4 monospace;border:1px solid;border-radius:6px;padding:0 .45em;margin-right:.5em'>{escape(regime.letter)}</span>"
    facts = " · ".join([part for part in (regime.label, own, f"{say(certainty(regime.confidence), language)} ({short(regime.confidence)})") if part])
    head = f"<div>{letter}<b>{escape(regime.sentence.in_language(language))}</b></div>"
    return _card([head, f'<div style="{MUTED}">{escape(facts)}</div>', _evidence(regime.evidence, language)], language)


def card_of_estimate(estimate: Estimate, language: str) -> str:
    """Return an estimate: its numbers with their errors, how it settled, and the conditions under which it is true."""
    head = f"<div><b>{escape(estimate.name)} = {escape(_with_error(estimate))}</b> {escape(estimate.unit)}</div>"
    steps = f"<div style='{MUTED}'>{escape(say('steps', language, n=estimate.steps))}</div>"
    said = [(word, [one.in_language(language) for one in texts]) for word, texts in (("⚠", estimate.warnings), ("•", estimate.conditions))]
    notes = "".join(f"<div style='{MUTED}'>{mark} {escape(text)}</div>" for mark, texts in said for text in texts)
    return _card([head, steps, _settling(estimate), notes], language)


def _worded(sentence: str) -> str:
    """Return a sentence as HTML; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(sentence))


def _card(parts: Sequence[str], language: str) -> str:
    return f'<div lang="{language}" style="{CARD}">{"".join(parts)}</div>'


def _evidence(evidence: Sequence[Evidence], language: str) -> str:
    if not evidence:
        return ""
    heads = "".join(f"<th style='{CELL}'>{escape(say(word, language))}</th>" for word in ("evidence", "value", "limit_head", "source"))
    rows = "".join(_evidence_row(item, language) for item in evidence)
    return f"<table style='border-collapse:collapse;margin:6px 0;background:none'><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _evidence_row(item: Evidence, language: str) -> str:
    unit = f" {unit_in(item.unit, language)}" if item.unit else ""
    limit = "" if item.limit is None else f"{short(item.limit)}{unit}"
    cells = (item.name_in(language), f"{short(item.value)}{unit}", limit, item.source_in(language))
    return f"<tr style='background:none'>{''.join(f'<td style={CELL!r}>{escape(cell)}</td>' for cell in cells)}</tr>"


def _with_error(estimate: Estimate) -> str:
    values, errors = np.atleast_1d(np.asarray(estimate.value, dtype=float)), np.atleast_1d(np.asarray(estimate.uncertainty, dtype=float))
    return ", ".join(f"{short(float(v))} ± {short(float(e))}" if math.isfinite(e) else short(float(v)) for v, e in zip(values, errors, strict=True))


def _settling(estimate: Estimate) -> str:
    """Draw the running mean of the first number over the steps, with its last value as a line."""
    if len(estimate.local) < 2:
        return ""
    curve = estimate.convergence if estimate.local.ndim == 1 else estimate.convergence[:, 0]
    curve = curve[:: max(1, -(-len(curve) // MOST_POINTS))]
    known = curve[np.isfinite(curve)]
    if len(known) < 2:
        return ""
    low, high = float(known.min()), float(known.max())
    span = (high - low) or 1.0
    points = " ".join(f"{6 + 588 * at / (len(curve) - 1):.1f},{6 + 78 * (high - value) / span:.1f}" for at, value in enumerate(curve) if math.isfinite(value))
    level = 6 + 78 * (high - float(known[-1])) / span
    label = f"{short(low)} … {short(high)}"
    line = f"<line x1='6' x2='594' y1='{level:.1f}' y2='{level:.1f}' stroke='{NOT_FINITE}' stroke-dasharray='4 4'/>"
    drawn = f"<polyline points='{points}' fill='none' stroke='currentColor' stroke-width='1.5'/>"
    return f"<svg role='img' aria-label='{escape(label)}' viewBox='0 0 600 90' style='width:100%;max-width:600px;display:block'>{line}{drawn}</svg>"
