"""Steps far smaller than the curvature allows."""

import math
from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Trace
from ._base import AbstractRule, both, hidden, matrices, number, recent, short
from ._curves import of_run, over_layers

LIMIT = 0.05
SMALL_UPDATE = 3e-4
LEAST_STEPS = 10
STRAIGHT = 0.95
TRAVELLED = 0.5  # of the weights' own size, all steps together: a loss that such a way has not moved does not wait for longer steps


class LrTooLow(AbstractRule):
    r"""Fires when much is left to gain, little is being gained, and steps are far below what the curvature allows.

    Witnesses: a stability ratio below 0.05 (a step twenty times as long would still be stable), relative updates below 3e-4 in the middle layer, and a loss
    that falls in a straight line, as slowly as its gradient says. Silent where gradients vanish or units are dead: a larger step would not help there.
    """

    id: ClassVar = "KZ202"
    name: ClassVar = "lr_too_low"
    title: ClassVar = both("learning rate against its lower limit", "学習率の下限")
    family: ClassVar = "step"
    rank: ClassVar = 42
    wind: ClassVar = -1.0
    curves: ClassVar = {
        "stability ratio (sharpness over the optimizer's threshold)": of_run("stability_ratio"),
        "size of the updates beside the weights": over_layers("update_ratio", np.max),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if steps are far too small for what is left to gain."""
        progress = trace.progress
        if progress is None or progress.is_diverging or trace.step < LEAST_STEPS or not math.isfinite(progress.explained):
            return None
        ratio, update, rate = number(trace, "stability_ratio", 6), middle_update(trace), number(trace, "learning_rate", 1)
        if has_decayed(trace):  # what is small now was meant to be: only what was small at the largest rate counts
            ratio, update, rate = math.nan, greatest_update(trace), float(np.nanmax(trace["learning_rate"].values))
        is_far_below = ratio < LIMIT / 5  # a hundred times as long a step would be stable
        is_slow = progress.explained < 0.6 and progress.pace < (0.12 if is_far_below else 0.08)
        is_straight = math.isnan(ratio) and number(trace, "update_cosine") > STRAIGHT  # the second witness where curvature cannot be seen
        largest = SMALL_UPDATE * (10 if is_far_below else 5 if is_straight else 1)
        has_come_far = travelled(trace, update) > TRAVELLED and not progress.is_falling
        if has_no_signal(trace) or has_come_far or not is_slow or ratio > LIMIT or not update < largest:
            return None
        confidence = 0.55 + 0.15 * min(math.log10(SMALL_UPDATE * 3 / max(update, 1e-30)), 1.5)
        if ratio < LIMIT:
            confidence += 0.1
        return self.finding(
            confidence=confidence,
            evidence=[
                Evidence(
                    "stability ratio (sharpness over the optimizer's threshold)",
                    ratio,
                    LIMIT,
                    "",
                    "a step 20 times as long is stable",
                    name_ja="安定比（鋭さ÷オプティマイザの限界）",
                    source_ja="20 倍のステップでも安定",
                ),
                Evidence(
                    "size of the updates beside the weights", update, SMALL_UPDATE, "", "calibration", name_ja="重みに対する更新量の大きさ", source_ja="較正"
                ),
            ],
            sentence=both(
                f"The learning rate {short(rate)} is too low: updates are {short(update)} of the weights, and "
                f"the loss has gained only {max(progress.fall, 0):.1%} in {trace.step} steps.",
                f"学習率 {short(rate)} が低すぎます。更新量は重みの {short(update)} 倍で、{trace.step} "
                f"ステップで損失は {max(progress.fall, 0):.1%} しか減っていません。",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say that steps are large enough."""
        update = middle_update(trace)
        if not update > 1e-3:
            return None
        return both(f"steps too small (updates are {short(update)} of the weights)", f"小さすぎるステップ（更新量は重みの {short(update)} 倍）")


def middle_update(trace: Trace) -> float:
    """Return the largest of the newest relative updates of the weight matrices: if even that is small, all are."""
    values = recent(trace, "update_ratio")
    columns = matrices(trace) or hidden(trace) or list(range(len(trace.layers)))
    finite = [values[i] for i in columns if np.isfinite(values[i])]
    return float(np.max(finite)) if finite else math.nan


def greatest_update(trace: Trace) -> float:
    """Return the largest relative update of the weight matrices at any recorded step."""
    table = trace["update_ratio"].values
    columns = matrices(trace) or hidden(trace) or list(range(len(trace.layers)))
    finite = table[:, columns][np.isfinite(table[:, columns])] if len(table) else table
    return float(finite.max()) if finite.size else math.nan


def has_no_signal(trace: Trace) -> bool:
    """Return whether hidden layers are cut off (dead units, or gradients of exactly zero): no learning rate would move them."""
    dead, zero = recent(trace, "dead_share", 3), recent(trace, "zero_gradient_share", 3)
    return bool(np.any(dead > 0.95)) or bool(np.any(zero[hidden(trace)] > 0.98))


def has_decayed(trace: Trace) -> bool:
    """Return whether a schedule has brought the rate below a tenth of its largest."""
    rates = trace["learning_rate"].values
    return rates.size > 0 and bool(rates[-1] < 0.1 * rates.max())


def travelled(trace: Trace, update: float) -> float:
    r"""Return the way that updates of one size make together, :math:`u\sqrt{n(1+c)/(1-c)}` for *n* steps whose neighbours have the cosine *c* (no longer than
    in a straight line).
    """
    cosine = number(trace, "update_cosine")
    cosine = min(max(cosine, 0.0), 1.0 - 1.0 / max(trace.step, 2)) if math.isfinite(cosine) else 0.0
    return update * math.sqrt(trace.step * (1 + cosine) / (1 - cosine))
