"""A run on one sheet of Markdown, short enough for an issue, a chat or a language model: verdict, evidence, change, setting."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.proof import Proof
from ..records.run_info import RunInfo
from ..records.trace import Trace
from .numerals import short
from .outcome import by_weight, not_the_cause, primary, run_wind, suppressed_in_words, verdict
from .palette import HEALTHY
from .places import placed
from .proof_facts import cause_in_words, measure_in_words
from .words import certainty, counted, say, unit_in
from .wrapping import clean

MOST = 3900  # characters
MOST_LAYERS = 8
BREEZE = sum(HEALTHY) / 2
OF_LAYERS = ("layer_wind", "gradient_norm", "update_ratio", "dead_share", "saturated_share")

Block = tuple[str, list[str]]  # a heading, and what stands below it, the most important first


def case_sheet(info: RunInfo, trace: Trace, findings: Sequence[Finding], *, proof: Proof | None = None, language: str = "en") -> str:
    """Return the sheet, at most 3 900 characters: what does not fit is left out from the end of its part, and counted.

    Args:
        info: Head of the run.
        trace: What was seen.
        findings: Most important first.
        proof: What ``kazami cure`` found, if it was asked.
        language: ``"en"`` or ``"ja"``.

    Limits:
        Strings of the user stand in it without control characters, but may be Markdown of their own.
    """
    head = proof.verdict if proof is not None else verdict(info, findings)
    wind = run_wind(info, findings)
    facts = [clean(info.id), say("wind_now", language, word=wind.word_ja if language == "ja" else wind.word), say("steps", language, n=info.steps)]
    lines = [f"# {clean(head.in_language(language))}", " · ".join(fact for fact in facts if fact)]
    left = MOST - sum(len(line) + 1 for line in lines)
    blocks = [*_of_proof(proof, language), *_of_run(info, trace, by_weight(findings), language, said=head)]
    seen: set[str] = set()
    for heading, entries in blocks:
        if heading in seen:  # the proof has said it
            continue
        seen.add(heading)
        taken = _fitting(heading, entries, left, language)
        lines += taken
        left -= sum(len(line) + 1 for line in taken)
    return "\n".join(lines) + "\n"


def _fitting(heading: str, entries: list[str], room: int, language: str) -> list[str]:
    """Return heading and entries as far as they fit, the last line counting the others; nothing where not even one fits."""
    for n in range(len(entries), 0, -1):
        more = [] if n == len(entries) else [say("more_in_report", language, n=len(entries) - n)]
        lines = ["", f"## {heading}", *entries[:n], *more]
        if sum(len(line) + 1 for line in lines) <= room:
            return lines
    return []


def _of_proof(proof: Proof | None, language: str) -> Iterator[Block]:
    if proof is None:
        return
    yield say("change", language), [f"{clean(one.sentence.in_language(language))}\n{_code(one.code)}" for one in proof.changes]
    rows = [f"| {row.seed} | {short(row.before)} | {short(row.after)} | {short(row.gain)} |" for row in proof.table]
    head = " | ".join(say(key, language) for key in ("seed", "unchanged", "changed_after", "gain"))
    if rows:
        yield f"{say('proof_table', language)}: {measure_in_words(proof).in_language(language)}", [f"| {head} |\n|---|---|---|---|", *rows]
    tried = [f"- {one.name}: {clean(one.why.in_language(language))}" for one in proof.tried]
    yield clean(cause_in_words(proof).in_language(language)).rstrip("。."), tried
    yield say("not_the_cause", language), _bullets(proof.not_the_cause, language)


def _of_run(info: RunInfo, trace: Trace, findings: Sequence[Finding], language: str, *, said: Sentence) -> Iterator[Block]:
    first = primary(findings)
    if first is not None:
        yield (
            f"{say('cause', language)}: {first.name} ({first.id})",
            [*([] if first.sentence == said else [clean(first.sentence.in_language(language))]), *_cause(first, trace, language)],
        )
        yield say("what_to_change", language), _changes(info, first, language)
    yield say("newest_numbers", language), _numbers(trace, language)
    yield say("also", language), [f"- {one.id} {clean(one.sentence.in_language(language))}" for one in findings if one is not first]
    yield say("not_the_cause", language), _bullets(not_the_cause(findings), language)
    left_out = suppressed_in_words(info)
    yield say("suppressed", language), [f"- {left_out.in_language(language)}"] if left_out else []
    yield say("not_seen", language), [f"- {clean(text)}" for text in dict.fromkeys([*info.blind, *trace.blind])]
    yield say("setting", language), _setting(info, trace, language)


def _cause(finding: Finding, trace: Trace, language: str) -> list[str]:
    since = say("since_step", language, n=finding.step) if finding.step > 0 else say("since_start", language)
    where = clean(placed(finding, trace.layers).in_language(language)) or say("whole_model", language)
    sure = f"{say(certainty(finding.confidence), language)} ({short(finding.confidence)})"
    facts = [f"- {say(key, language)}: {value}" for key, value in (("where", where), ("since", since), ("sure", sure))]
    if finding.file:
        facts[0] += f" (`{clean(finding.file)}{f':{finding.line}' if finding.line is not None else ''}`)"
    return [*facts, *(f"- {_number(item, language)}" for item in finding.evidence)]


def _changes(info: RunInfo, finding: Finding, language: str) -> list[str]:
    """Return the prescriptions, least change first; the first line says that nobody has tried them."""
    made = [f"{clean(one.sentence.in_language(language))}\n{_code(one.code)}" for one in sorted(finding.prescriptions, key=lambda one: one.order)]
    if made and info.script:
        made[0] = f"{say('try_next', language, script=clean(info.script))}\n{made[0]}"
    return made


def _numbers(trace: Trace, language: str) -> list[str]:
    """Return the course of the loss and the newest numbers of the layers whose wind is farthest from a breeze, in the model's order."""
    lines = []
    loss = trace["loss"]
    if len(loss):
        best = int(np.nanargmin(loss.values)) if not np.isnan(loss.values).all() else 0
        ends = {"first": loss.values[0], "last": loss.values[-1], "best": loss.values[best]}
        steps = {"a": int(loss.steps[0]), "b": int(loss.steps[-1]), "c": int(loss.steps[best])}
        trivial = f"{say('clause', language)}{say('loss_trivial', language, value=short(trace.trivial_loss))}" if trace.trivial_loss is not None else ""
        lines.append(f"- {say('loss_course', language, **{name: short(float(value)) for name, value in ends.items()}, **steps)}{trivial}")
    newest = {name: trace[name].values[-1] for name in OF_LAYERS if len(trace[name]) and trace[name].values.ndim == 2}
    if not trace.layers or "layer_wind" not in newest:
        return lines
    far = np.abs(np.nan_to_num(newest["layer_wind"], nan=np.inf, posinf=np.inf, neginf=np.inf) - BREEZE)
    shown = sorted(sorted(range(len(far)), key=lambda column: -far[column])[:MOST_LAYERS])
    named = [say("wind" if name == "layer_wind" else name, language) for name in newest]
    lines.append(f"\n| {' | '.join([say('name', language), say('shape', language), *named])} |\n|{'---|' * (len(newest) + 2)}")
    for column in (column for column in shown if column < len(trace.layers)):
        layer = trace.layers[column]
        what = f"{layer.kind} {layer.fan_in}→{layer.fan_out} {layer.activation}"
        lines.append(f"| {_cell(layer.name)} | {_cell(what)} | {' | '.join(_measured(values[column]) for values in newest.values())} |")
    return lines


def _measured(value: float) -> str:
    return "–" if np.isnan(value) else short(float(value))


def _cell(text: str) -> str:
    return clean(text).replace("|", "\\|")


def _number(item: Evidence, language: str) -> str:
    unit = f" {unit_in(item.unit, language)}" if item.unit else ""
    source = f", {item.source_in(language)}" if item.source else ""
    limit = f" ({say('limit_head', language).lower()} {short(item.limit)}{unit}{source})" if item.limit is not None else ""
    return f"{clean(item.name_in(language))}: **{short(item.value)}{unit}**{limit}"


def _setting(info: RunInfo, trace: Trace, language: str) -> list[str]:
    told = {name: value for name, value in trace.optimizer.items() if name != "name" and isinstance(value, int | float) and not isinstance(value, bool)}
    optimizer = " ".join([str(trace.optimizer.get("name", "")), *(f"{name}={short(value)}" for name, value in told.items())]).strip()
    layers = (
        f"{counted('layers', len(trace.layers), language)}: "
        + ", ".join(clean(layer.name) for layer in trace.layers[:8])
        + (" …" if len(trace.layers) > 8 else "")
    )
    rows = [
        ("command", clean(info.command)),
        ("optimizer", clean(optimizer)),
        ("loss_kind", trace.loss_kind),
        ("per_layer_short", layers if trace.layers else ""),
        ("seeds", ", ".join(f"{name} {seed}" for name, seed in info.seeds.items())),
        ("ended_by", _ending(info, language)),
        ("versions", ", ".join(f"{name} {number}" for name, number in info.versions.items())),
    ]
    return [f"- {say(key, language)}: {value}" for key, value in rows if value]


def _ending(info: RunInfo, language: str) -> str:
    if info.reason in ("", "finished"):
        return ""
    return info.reason if info.exit_code is None else say("exit_code", language, reason=info.reason, code=info.exit_code)


def _bullets(sentences: Sequence[Sentence], language: str) -> list[str]:
    return [f"- {clean(one.in_language(language))}" for one in sentences]


def _code(code: str) -> str:
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}python\n{code}\n{fence}"
