"""Steps far smaller than the curvature allows."""

import math
from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Progress, Trace
from ._base import AbstractRule, both, hidden, is_adaptive, matrices, number, recent, short
from ._curves import of_run, over_layers
from ._steps import FILLED as FILLED
from ._steps import falls_fast, filled_ratio, greatest_update, largest_rate, ratio_at_the_largest_rate

LIMIT = 0.05
SMALL_UPDATE = 3e-4
LEAST_STEPS = 10
UNFILLED = 10.0  # RMSprop's first steps are 1/√(1 - α) times as long as later ones
LONG = 60  # steps, before their way is judged without the loss
STOOD = 0.05  # of the weights: less than what tells one initialisation of 400 inputs from another; a fifth of it where no curvature was seen
STRAIGHT = 0.95
TRAVELLED = 0.5  # of the weights' own size, all steps together: a loss that such a way has not moved does not wait for longer steps


class LrTooLow(AbstractRule):
    r"""Fires when much is left to gain, little is being gained, and steps are far below what the curvature allows.

    Witnesses: a stability ratio below 0.05 (a step twenty times as long would still be stable), relative updates below 3e-4 in the middle layer, and a loss
    that falls in a straight line, as slowly as its gradient says. Silent where gradients vanish or units are dead: a larger step would not help there.

    Where the loss tells nothing (that of a player in a game, or one that lies within its own noise) it fires after 60 steps that together moved no weight
    matrix by more than 5 %, with a stability ratio below 0.01; by more than 1 % where no curvature was seen. A warm-up still under way is waited for.
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
        if progress is None or progress.is_diverging or trace.step < LEAST_STEPS:
            return None
        if not math.isfinite(progress.explained) or (progress.noise > 1 and not progress.is_falling):
            return self._by_its_way(trace)  # the loss of a player, or one that is all noise, does not tell how far the training has come
        ratio, update, rate, is_over = filled_ratio(trace), middle_update(trace), number(trace, "learning_rate", 1), has_decayed(trace)
        if is_over:  # what is small now was meant to be: only what was small at the largest rate counts
            ratio, update, rate = ratio_at_the_largest_rate(trace), greatest_update(trace), largest_rate(trace)
        is_far_below = ratio < LIMIT / 5  # a hundred times as long a step would be stable
        is_slow = progress.explained < 0.6 and progress.pace < (0.25 if is_far_below and is_over else 0.12 if is_far_below else 0.08)
        is_straight = math.isnan(ratio) and number(trace, "update_cosine") > STRAIGHT  # the second witness where curvature cannot be seen
        largest = SMALL_UPDATE * (min(math.sqrt(LIMIT / max(ratio, 1e-30)), 10.0) if is_far_below else 5 if is_straight else 1)
        has_come_far = travelled(trace, update) > TRAVELLED and not progress.is_falling
        was_large = is_adaptive(trace) and greatest_update(trace) > UNFILLED * largest  # it shrinks where the gradient is all noise, at any rate
        if has_no_signal(trace) or has_come_far or was_large or falls_fast(trace) or not is_slow or ratio > LIMIT or not update < largest:
            return None
        return self._found(trace, progress, ratio, update, rate)

    def _by_its_way(self, trace: Trace) -> Finding | None:
        """Look at the steps alone: all of them together have hardly changed a weight."""
        progress, ratio, update = trace.progress, ratio_at_the_largest_rate(trace), greatest_update(trace)
        rates = trace["learning_rate"].values
        if progress is None or trace.step < LONG or has_no_signal(trace) or rates.size == 0 or not bool(np.isfinite(rates).all()):
            return None
        is_rising = rates[-1] > 2 * rates[0] and rates[-1] >= rates.max()  # a warm-up
        way = travelled(trace, update)
        if is_rising or ratio > LIMIT or not way < (STOOD if ratio < LIMIT / 5 else STOOD / 5):
            return None
        return self._found(trace, progress, ratio, update, float(rates.max()), way)

    def _found(self, trace: Trace, progress: Progress, ratio: float, update: float, rate: float, way: float = math.nan) -> Finding:
        confidence = 0.55 + 0.15 * min(math.log10(SMALL_UPDATE * 3 / max(update, 1e-30)), 1.5)
        if ratio < LIMIT:
            confidence += 0.1
        fall = f"{max(progress.fall, 0):.1%}"
        gained, gained_ja = f"the loss has gained only {fall} in {trace.step} steps.", f"{trace.step} ステップで損失は {fall} しか減っていません。"
        if math.isfinite(way):
            gained = f"all {trace.step} steps together have moved no weight matrix by more than {way:.1%}."
            gained_ja = f"{trace.step} ステップすべてを合わせても、重みはどの層でも {way:.1%} しか動いていません。"
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
                Evidence("way of all steps together beside the weights", way, STOOD, "", "", name_ja="全ステップを合わせた移動量（重み比）"),
                Evidence(
                    "size of the updates beside the weights", update, SMALL_UPDATE, "", "calibration", name_ja="重みに対する更新量の大きさ", source_ja="較正"
                ),
            ],
            sentence=both(
                f"The learning rate {short(rate)} is too low: updates are {short(update)} of the weights, and {gained}",
                f"学習率 {short(rate)} が低すぎます。更新量は重みの {short(update)} 倍で、{gained_ja}",
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
