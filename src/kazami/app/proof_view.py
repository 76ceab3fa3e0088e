"""A stored proof as the page shows it: before and after on the same axes, the table of seeds, and every candidate with what became of it."""

import math
from collections.abc import Sequence

import numpy as np

from ..records import Proof, RunInfo, Trace
from ..records.finding import Sentence
from ..reports.loss_bands import Band, band_of, range_of
from ..reports.proof_facts import TRIED_ON, cause_in_words, curves_in_words, is_accepted, measure_in_words, table_in_words, told_apart
from ..reports.view import view
from ..reports.view_data import Change, MapPicture
from ..storage import StoredProof
from .wire_cures import CurvePair, LossBand, MetricRow, ProofLine, ProofView, SeedRow, TriedRow

COLUMNS = 300  # of each map; two stand beside each other
LOSS_AT_END = Sentence("loss at the end (lower is better)", "終わりの損失（小さいほど良い）")


def proof_line(run: str, info: RunInfo, proof: Proof) -> ProofLine:
    """Return the line of a proof in the list."""
    state = "proved" if proof.cured else "well" if proof.nothing_to_cure else "open"
    return ProofLine(run, info.started, state, proof.verdict, proof.seconds)  # type: ignore[arg-type]


def proof_view(run: str, info: RunInfo, stored: StoredProof) -> ProofView:
    """Return everything the page shows of a proof.

    Args:
        run: Id of its run directory.
        info: Head of that directory.
        stored: What it holds.
    """
    proof = stored.proof
    before = [row.before for row in proof.table if row.before is not None]
    after = [row.after for row in proof.table if row.after is not None]
    return ProofView(
        line=proof_line(run, info, proof),
        command=info.command,
        cause=cause_in_words(proof),
        on=TRIED_ON.get(proof.on, Sentence(proof.on, proof.on)),
        changes=[Change(change.name, change.code, change.sentence) for change in proof.changes],
        diff=stored.diff,
        lines=stored.lines,
        table_title=table_in_words(proof),
        measure=measure_in_words(proof),
        chance=chance_of(before, after, len(proof.table)),
        metrics=_metrics(proof),
        rows=[SeedRow(row.seed, _number(row.before), _number(row.after), _number(row.gain)) for row in proof.table],
        placebo=[min(proof.placebo), max(proof.placebo)] if len(proof.placebo) > 1 else [],
        curves=_curves(proof),
        map_before=_map(info, stored.before),
        map_after=_map(info, stored.after),
        tried=_tried(proof),
        excluded=list(proof.not_the_cause),
    )


def chance_of(before: Sequence[float], after: Sequence[float], n: int) -> float:
    r"""Return the probability that all of ``n`` changed trainings do better than all unchanged ones though the change does nothing; NaN where they overlap.

    Of the :math:`\binom{2n}{n}` ways to deal the scores to the two arms, equally likely then, one does (the exact permutation test).

    >>> chance_of([0.1, 0.2, 0.1], [0.8, 0.9, 0.7], 3)
    0.05
    """
    if not n or len(after) < n or (before and min(after) <= max(before)):
        return math.nan
    return 1 / math.comb(2 * n, n)


def _metrics(proof: Proof) -> list[MetricRow]:
    rows = []
    if proof.table:
        scores = [(_number(row.before), _number(row.after)) for row in proof.table]
        rows.append(_metric(measure_in_words(proof), scores, is_higher_better=True))
    ends = [(_end(before), _end(after)) for before, after in zip(proof.losses_before, proof.losses_after, strict=False)]
    if ends:
        rows.append(_metric(LOSS_AT_END, ends, is_higher_better=False))
    return rows


def _metric(name: Sentence, pairs: Sequence[tuple[float, float]], *, is_higher_better: bool) -> MetricRow:
    sign = 1 if is_higher_better else -1
    improved = sum(not math.isnan(after) and (math.isnan(before) or sign * (after - before) > 0) for before, after in pairs)
    both = [after - before for before, after in pairs if math.isfinite(after) and math.isfinite(before)]
    firsts, seconds = _spread([before for before, _ in pairs]), _spread([after for _, after in pairs])
    return MetricRow(name, *firsts, *seconds, float(np.median(both)) if both else math.nan, improved, len(pairs))


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the middle, the lowest and the highest of the finite ones; NaN where most are not finite."""
    finite = [value for value in values if math.isfinite(value)]
    if 2 * len(finite) <= len(values):
        return math.nan, math.nan, math.nan
    return float(np.median(finite)), min(finite), max(finite)


def _end(losses: Sequence[float]) -> float:
    band = band_of([losses])
    return math.nan if band is None or band.lost is not None else band.end


def _curves(proof: Proof) -> CurvePair:
    length = max((len(curve) for curve in (*proof.losses_before, *proof.losses_after)), default=0)
    before, after = band_of(proof.losses_before, length), band_of(proof.losses_after, length)
    headroom = 4.0 if before is not None and after is not None else math.inf  # one alone cannot press the other flat
    low, high, is_logarithmic = range_of(before, after, headroom=headroom) if before or after else (0.0, 1.0, False)
    bands = _band(before, proof.losses_before, length), _band(after, proof.losses_after, length)
    return CurvePair(curves_in_words(before, after), *bands, low, high, is_logarithmic, length)


def _band(band: Band | None, curves: Sequence[Sequence[float]], length: int) -> LossBand | None:
    if band is None:
        return None
    own = [one.middle for one in (band_of([curve], length) for curve in curves if len(curve)) if one is not None]
    return LossBand(band.steps, band.middle, band.low, band.high, own, band.lost)


def _map(info: RunInfo, trace: Trace | None) -> MapPicture | None:
    if trace is None:
        return None
    picture = view(info, trace, (), columns=COLUMNS).map
    return picture if picture.names else None


def _tried(proof: Proof) -> list[TriedRow]:
    return [
        TriedRow(
            names=[change.name for change in one.changes],
            told=" + ".join(change.name.replace("_", " ") + told_apart(change) for change in one.changes),
            codes=[change.code for change in one.changes],
            steps=one.steps,
            score=_number(one.score),
            gain=_number(one.gain),
            why=one.why,
            helped=one.helped,
            is_accepted=is_accepted(one, proof),
        )
        for one in proof.tried
    ]


def _number(value: float | None) -> float:
    return math.nan if value is None else value
