"""What the ranks of one job saw, put together: errors that one rank alone met, ranks that fell silent, how far their losses lie apart."""

import dataclasses
import math
import time
from collections.abc import Mapping, Sequence

from ..records import Finding, RunInfo, Sentence
from ..reports.numerals import short
from ..storage import StoredRun

PATIENCE_S = 2.0  # for the other ranks to end, once the first has: they end together, or not at all
PAUSE_S = 0.05
NEWEST = 32  # steps whose losses are averaged: a batch's own loss says little


def ended_together(stored: StoredRun, n_ranks: int) -> dict[int, RunInfo]:
    """Return what each rank tells of itself, once all have ended or after two seconds."""
    until = time.monotonic() + PATIENCE_S
    while True:
        heads = stored.heads()
        others = [head for rank, head in heads.items() if rank]
        if (len(others) >= n_ranks - 1 and all(head.ended for head in others)) or time.monotonic() > until:
            return heads
        time.sleep(PAUSE_S)


def newest_losses(stored: StoredRun, heads: Mapping[int, RunInfo]) -> dict[int, float]:
    """Return the mean loss of each rank over its newest steps, of one rank alone nothing."""
    found: dict[int, float] = {}
    for rank, head in heads.items() if len(heads) > 1 else ():
        series = stored.series(rank=rank, only={"loss"}, after=max(head.steps - NEWEST, 0)).get("loss")
        if series is not None and len(series):
            found[rank] = float(series.values.mean())
    return found


def with_other_ranks(
    info: RunInfo, findings: Sequence[Finding], heads: Mapping[int, RunInfo], losses: Mapping[int, float] | None = None, *, is_first_to_end: bool = False
) -> tuple[RunInfo, list[Finding]]:
    """Return head and findings of rank 0 with what the others add.

    An error that another rank met and rank 0 did not, or met first, is told with the rank; their warnings are not, for each rank sees batches of its own.

    Args:
        info: Head of rank 0.
        findings: Of rank 0, most important first.
        heads: What each rank tells of itself.
        losses: The newest loss of each rank.
        is_first_to_end: Rank 0 failed or was stopped a moment ago: the others have had no time to end.
    """
    others = {rank: head for rank, head in heads.items() if rank}
    if not others:
        return info, list(findings)
    together = list(findings)
    for rank, head in others.items():
        for finding in _errors_of(head):
            _take(together, finding, rank, head, info)
    together = _with_one_primary(together)
    silent = [_silence(rank, head, info, is_first_to_end) for rank, head in others.items() if info.ended and not head.ended]
    said_before = tuple(map(_not_ended, others))  # when rank 0 ended; by now they may have
    blind = [one for one in info.blind if not one.startswith(said_before)]
    blind += [one for one in silent if one not in blind]
    environment = {**info.environment, "ranks": _said({0: info, **others}, losses or {})}
    return dataclasses.replace(info, blind=blind, environment=environment, findings=[one.to_dict() for one in together]), together


def _errors_of(head: RunInfo) -> list[Finding]:
    try:
        found = [Finding.from_dict(item) for item in head.findings]
    except (TypeError, KeyError, AttributeError, ValueError):  # what it wrote is damaged: the others still count
        return []
    return [finding for finding in found if finding.severity == "error"]


def _take(together: list[Finding], finding: Finding, rank: int, head: RunInfo, first: RunInfo) -> None:
    """Add a finding of another rank, or put it in the place of the same finding where that rank met it first."""
    place = next((at for at, one in enumerate(together) if one.name == finding.name), None)
    if place is None:
        together.append(_named(finding, rank).replaced(is_primary=finding.is_primary))
        return
    own = together[place]
    if (finding.step, _is_second_hand(head, finding.step)) < (own.step, _is_second_hand(first, own.step)):
        together[place] = _named(finding, rank).replaced(is_primary=own.is_primary)


def _is_second_hand(head: RunInfo, step: int) -> bool:
    """Return whether a rank had met no bad number on its own way forward by a step: what it met came by the gradients that the ranks share."""
    facts = head.trace.get("facts")
    bad = facts.get("first_bad") if isinstance(facts, dict) else None
    return not (isinstance(bad, dict) and int(bad.get("step", step + 1)) <= step)


def _named(finding: Finding, rank: int) -> Finding:
    sentence = Sentence(f"Rank {rank}: {finding.sentence.en}", f"ランク {rank}：{finding.sentence.ja}")
    place = f"rank {rank}: {finding.place}" if finding.place else f"rank {rank}"
    place_ja = f"ランク {rank}：{finding.place_ja or finding.place}".rstrip("：")
    return finding.replaced(sentence=sentence, place=place, place_ja=place_ja)


def _with_one_primary(findings: list[Finding]) -> list[Finding]:
    ordered = sorted(findings, key=lambda one: (not one.is_primary, one.severity == "info"))
    return [one.replaced(is_primary=one.is_primary and at == 0) for at, one in enumerate(ordered)]


def _silence(rank: int, head: RunInfo, first: RunInfo, is_first_to_end: bool) -> str:
    steps = f"its last word is of step {head.steps}, that of rank 0 of step {first.steps}."
    if is_first_to_end:
        return f"{_not_ended(rank)}: {steps}"
    return f"Rank {rank} did not say how it ended: {steps} It was killed, or still ran."


def _not_ended(rank: int) -> str:
    return f"Rank {rank} had not ended when rank 0 did"


def _said(heads: Mapping[int, RunInfo], losses: Mapping[int, float]) -> str:
    """Return ``"2: loss 0.81 to 0.84; 40 steps"``."""
    steps = sorted({head.steps for head in heads.values()})
    finite = [loss for loss in losses.values() if math.isfinite(loss)]
    words = [f"loss {short(min(finite))} to {short(max(finite))}"] if finite else []
    words.append(f"{steps[0]} steps" if len(steps) == 1 else f"{steps[0]} to {steps[-1]} steps")
    return f"{len(heads)}: {'; '.join(words)}"
