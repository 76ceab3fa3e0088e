"""Targets that a network makes itself, and that run away with it."""

import math
from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Floats, Trace
from ._base import AbstractRule, both, short

LIMIT = 4.0  # over the newest half of the steps, between medians of its first and last eighth: linear growth 1.7, quadratic 2.8, cubic 4.6
STILL = 1.3  # the later increase over the one before: linear growth 1, quadratic 1.3, exponential of the limit's size 2
UNSEEN_LIMIT = 100.0  # where no sample came twice
LEAST = 12
BETWEEN = 3 / 8  # of all records lie between the two medians


class GrowingTargets(AbstractRule):
    r"""Fires when regression targets that move with the network grow faster than a sum of rewards can, and go on doing so.

    Bootstrapped targets :math:`y = r + \gamma f(s')` pass rewards on by one step at each sweep: from zero they grow linearly at first and level off at
    :math:`r/(1-\gamma)`. A loop whose gain is above 1 (function approximation, the maximum of noisy values, bootstrapping from another distribution) grows
    exponentially instead. Fires when the root-mean-square target grew more than fourfold over the newest half of the steps, its increase is still rising,
    and the output grew along. That targets move is known from samples that came again and asked for more; where none came again the growth must be a
    hundredfold.

    References:
        Tsitsiklis and Van Roy 1997; Sutton and Barto 2018, section 11.3 (the deadly triad); van Hasselt et al. 2018 (arXiv 1812.02648).
    """

    id: ClassVar = "KZ319"
    name: ClassVar = "growing_targets"
    title: ClassVar = both("targets that grow with the network", "学習とともに増大する目標値")
    family: ClassVar = "data"
    rank: ClassVar = 14
    wind: ClassVar = 2.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if targets run away."""
        (steps, targets), (then, outputs) = size_of(trace, "target"), size_of(trace, "output")
        if targets.size < LEAST or outputs.size < LEAST:
            return None
        is_moving = "moving_targets" in trace.facts
        growth, acceleration = growth_of(targets, steps)
        along, _ = growth_of(outputs, then)
        if not (growth > (LIMIT if is_moving else UNSEEN_LIMIT) and acceleration > STILL and along > math.sqrt(growth)):
            return None
        rate = math.log(growth) / (BETWEEN * max(int(steps[-1] - steps[0]), 1))
        return self.finding(
            confidence=0.75 + (0.1 if is_moving else 0.0) + 0.08 * min(math.log10(growth / LIMIT), 1.0),
            severity="error" if growth > UNSEEN_LIMIT else "warning",
            step=int(steps[np.searchsorted(steps, (steps[0] + steps[-1]) / 2)]),
            place="the targets of the loss",
            place_ja="損失の目標値",
            evidence=[
                Evidence(
                    "growth of the targets over the newest half of the steps",
                    growth,
                    LIMIT,
                    "",
                    "a sum of rewards grows linearly",
                    "後半での目標値の増大",
                    "報酬の和は線形にしか増えない",
                ),
                Evidence("increase of the newest quarter over the one before", acceleration, STILL, "", "", name_ja="増え方の伸び"),
                Evidence("rate of growth", rate, None, "per step", "", name_ja="増大率"),
            ],
            sentence=both(
                f"The targets are made by the network itself and run away with it: they grew {short(growth)}-fold over the newest half of the steps "
                f"({short(rate)} per step), to {short(float(targets[-1]))}.",
                f"目標値がネットワーク自身から作られ、ともに増大し続けています。後半で {short(growth)} 倍（1ステップあたり {short(rate)}）、"
                f"現在 {short(float(targets[-1]))}。",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say that targets move, but do not run away."""
        steps, targets = size_of(trace, "target")
        if "moving_targets" not in trace.facts or targets.size < LEAST:
            return None
        growth, _ = growth_of(targets, steps)
        if not growth < LIMIT / 2:
            return None
        return both(f"targets made by the network ({short(growth)}-fold over the newest half)", f"ネットワークが作る目標値（後半で {short(growth)} 倍）")


def size_of(trace: Trace, of: str) -> tuple[Floats, Floats]:
    """Return the steps at which the targets or the outputs were seen and their root-mean-square size there, the finite ones."""
    mean, spread = trace[f"{of}_mean"], trace[f"{of}_std"]
    if mean.values.shape != spread.values.shape:
        return np.empty(0), np.empty(0)
    size = np.hypot(mean.values, spread.values)
    is_finite = np.isfinite(size)
    return spread.steps[is_finite].astype(np.float64), size[is_finite]


def growth_of(sizes: Floats, steps: Floats) -> tuple[float, float]:
    """Return by what a series was multiplied over the newest half of the steps, and its increase over the newest quarter over that of the quarter before;
    medians over an eighth of the steps each. NaN where such an eighth holds no record: steps are recorded more seldom later on.
    """
    place = (steps - steps[0]) / max(float(steps[-1] - steps[0]), 1.0)

    def level(begin: float, end: float) -> float:
        inside = sizes[(place >= begin) & (place <= end)]
        return float(np.median(inside)) if inside.size else math.nan

    half, middle, newest = level(1 / 2, 5 / 8), level(11 / 16, 13 / 16), level(7 / 8, 1.0)
    before, now = middle - half, newest - middle
    return newest / half if half > 0 else math.nan, now / before if before > 0 else math.nan
