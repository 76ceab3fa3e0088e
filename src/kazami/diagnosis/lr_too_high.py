"""Steps beyond what the curvature allows."""

import math
from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Trace
from ..signals import rolling_median
from ._answers import gives_one_answer
from ._base import AbstractRule, both, is_adaptive, matrices, number, recent, short
from ._curves import of_run, over_layers, over_start
from ._progress import falls_short
from ._runaway import overflow_ahead
from ._steps import FILLED, REWRITTEN, TORN, largest_rate, only_came_down, overshoot, peak_update, rose_with_its_targets

LARGE_UPDATE = 0.1
SEVERAL = 16  # numbers: the norm of so many varies by 1/√(2·16), that of one passes through zero and makes any step look long


class LrTooHigh(AbstractRule):
    r"""Fires when progress is poor and the steps are too large by the optimizer's own threshold, or by their size beside the weights.

    First witness: the stability ratio :math:`\lambda_{max}(P^{-1/2} H P^{-1/2}) / \lambda^*` with the threshold of the optimizer in use (2/η for gradient
    descent, 2(1+β)/η with momentum, 38/η for Adam with its defaults), measured on the live graph. Above 1 a step grows along the sharpest direction.
    Second: updates of more than a tenth of the weights, sustained. Third: a loss that stands above where it began. Training at a ratio of about 1 that
    makes progress (the edge of stability) does not fire.

    A loss that falls only because the first steps threw it far above its start, and that still stands above guessing, is no progress.

    In a game, whose losses tell nothing, first updates of twice the weights and a tenth of them ever since are evidence enough.

    References:
        Cohen et al. 2021 (arXiv 2103.00065), 2022 (arXiv 2207.14484).
    """

    id: ClassVar = "KZ201"
    name: ClassVar = "lr_too_high"
    title: ClassVar = both("learning rate against its upper limit", "学習率の上限")
    family: ClassVar = "step"
    rank: ClassVar = 40
    wind: ClassVar = 2.0
    curves: ClassVar = {
        "stability ratio (sharpness over the optimizer's threshold)": of_run("stability_ratio"),
        "loss over its start": over_start("loss"),
        "size of the updates beside the weights": over_layers("update_ratio", np.median),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if steps are too large while progress is poor."""
        progress = trace.progress
        ratio, update, peak = stability(trace), typical_update(trace), peak_update(trace)
        if (
            progress is None
            or trace.step < 2
            or not (progress.is_poor or (peak > REWRITTEN and (falls_short(progress, 0.6, 0.3) or rose_with_its_targets(trace) or only_came_down(trace))))
        ):
            return self._in_a_game(trace)
        weight = 0.0
        if ratio > 1.2:
            weight += 0.45 + 0.2 * min(math.log10(ratio), 1.0)
        if update > LARGE_UPDATE:
            weight += 0.3 + 0.2 * min(math.log10(update / LARGE_UPDATE), 1.0)
        if peak > TORN and not update > LARGE_UPDATE:
            weight += 0.3 + 0.2 * min(math.log10(peak / TORN), 1.0)
            weight += 0.2 if gives_one_answer(trace) else 0.0  # what the first steps left of the initialisation lets nothing of the inputs through
        if overshoot(trace) > 3:
            weight += 0.2
        if progress.is_diverging:
            weight += 0.35 if weight > 0 or not is_adaptive(trace) else 0.2
        if is_oscillating_high(trace):
            weight += 0.15
        if weight < 0.5:
            return None
        return self._found(trace, min(weight, 0.96), ratio, max(update, peak if peak > TORN else 0.0))

    def _in_a_game(self, trace: Trace) -> Finding | None:
        """Look at the steps alone where the loss tells nothing: of players who pull against one another."""
        if "adversarial" not in trace.facts or trace.step < FILLED:
            return None
        columns = [index for index in matrices(trace) if math.prod(trace.layers[index].shape) >= SEVERAL]
        now = [value for value in recent(trace, "update_ratio")[columns] if np.isfinite(value)]
        peak, update = peak_update(trace, columns), float(np.median(now)) if now else math.nan
        if not (peak > REWRITTEN and update > LARGE_UPDATE):
            return None
        return self._found(trace, 0.7 + 0.2 * min(math.log10(update / LARGE_UPDATE), 1.0), stability(trace), update)

    def _found(self, trace: Trace, confidence: float, ratio: float, update: float) -> Finding:
        rate = largest_rate(trace)  # the one that was set: schedules fall from it, or rise to it
        stability = ("stability ratio (sharpness over the optimizer's threshold)", "安定比（鋭さ÷オプティマイザの限界）")
        evidence = [Evidence(stability[0], ratio, 1.0, "", "Cohen et al. 2021, 2022", stability[1])] if math.isfinite(ratio) else []
        if trace.progress is not None and trace.progress.is_diverging and trace.progress.first > 0:
            risen = trace.progress.now / trace.progress.first
            evidence.append(Evidence("loss over its start", risen, 1.0, "", "a loss that rises", "損失（開始時比）", "上昇する損失"))
        evidence += overflow_ahead(trace)
        size = ("size of the updates beside the weights", "重みに対する更新量の大きさ")
        evidence.append(Evidence(size[0], update, LARGE_UPDATE, "", "a tenth of the weights a step", size[1], "1 ステップで重みの 10 分の 1"))
        if all(math.isnan(item.value) for item in evidence) and trace.progress is not None:
            evidence.append(Evidence("loss", trace.progress.now, None, "", "", name_ja="損失"))
        loss = trace["loss"]
        worse = loss.steps[~(loss.values <= 1.5 * max(trace.progress.first, 1e-12))] if trace.progress is not None else loss.steps[:0]
        why = (
            f"{short(ratio)} times its stability limit"
            if ratio > 1.2
            else f"updates are {short(update)} of the weights"
            if update > LARGE_UPDATE
            else "the loss rises above where it began"
        )
        ja = f"安定限界の {short(ratio)} 倍" if ratio > 1.2 else f"更新量が重みの {short(update)} 倍" if update > LARGE_UPDATE else "損失が開始時より上昇"
        return self.finding(
            confidence=confidence,
            step=int(worse[0]) if worse.size else 1,
            severity="error" if trace.progress is not None and trace.progress.is_diverging else "warning",
            evidence=evidence,
            sentence=both(f"The learning rate {short(rate)} is too high: {why}.", f"学習率 {short(rate)} が高すぎます（{ja}）。"),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say how far below its limit the learning rate is."""
        ratio = stability(trace)
        if not ratio < 0.7 or typical_update(trace) > LARGE_UPDATE / 2:
            return None
        return both(f"learning rate ({short(ratio)} of its stability limit)", f"学習率（安定限界の {short(ratio)} 倍）")


def stability(trace: Trace) -> float:
    """Return the largest stability ratio that three measurements in a row reach, so that a training thrown off once still shows why; NaN where not measured."""
    series = trace["stability_ratio"]
    filled = series.steps >= (FILLED if is_adaptive(trace) else 0)  # until its averages have filled, an adaptive optimizer's ratio is large and means nothing
    values = series.values[filled & np.isfinite(series.values)]
    return float(rolling_median(values, 3).max()) if values.size else math.nan


def typical_update(trace: Trace) -> float:
    """Return the median over layers of the newest relative updates ‖ΔW‖/‖W‖."""
    values = recent(trace, "update_ratio")
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else math.nan


def is_oscillating_high(trace: Trace) -> bool:
    """Return whether successive updates point against one another while the loss stands high."""
    cosine = number(trace, "update_cosine")
    return cosine < -0.3 and trace.progress is not None and trace.progress.explained < 0.5
