"""A schedule that has turned the learning rate off."""

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both, short
from ._curves import over_largest

LIMIT = 1e-3
OFF = 0.3  # of the steps: a cosine to zero is below a thousandth for its last fiftieth, ten halvings for the last tenth
# A rate that falls by the same factor at every step is worth so many steps at its largest value in all, however long the training goes on.
FEWEST = 50.0
SPENT = 0.02  # of these are left
STRAIGHT = 0.98  # R² of its logarithm against the step
LEAST_STEPS = 20


class DeadSchedule(AbstractRule):
    r"""Fires when the learning rate has been below a thousandth of its largest value (or zero) for three steps in ten while much is left to gain.

    A rate that falls geometrically is known to be over sooner: all steps together are worth :math:`\sum_t \gamma^t = 1 / (1 - \gamma)` steps at the largest
    rate. It fires once 98 % of them are taken, if they are fewer than fifty in all and progress is poor.
    """

    id: ClassVar = "KZ209"
    name: ClassVar = "dead_schedule"
    title: ClassVar = both("learning-rate schedule", "学習率スケジュール")
    family: ClassVar = "step"
    rank: ClassVar = 35
    wind: ClassVar = -1.5
    curves: ClassVar = {
        "learning rate over its largest value": over_largest("learning_rate"),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if the schedule has ended the training early."""
        rates = trace["learning_rate"]
        progress = trace.progress
        if len(rates) < 5 or not bool(np.isfinite(rates.values).all()) or progress is None or progress.is_diverging or not progress.explained <= 0.6:
            return None
        top = int(np.argmax(rates.values))
        share = float(rates.values[-1] / rates.values[top]) if rates.values[top] > 0 else 0.0
        off = np.flatnonzero(rates.values[top:] < LIMIT * rates.values[top])
        since = int(rates.steps[top + off[0]]) if off.size else int(rates.steps[0])
        if share >= LIMIT or rates.steps[-1] - since < OFF * rates.steps[-1]:  # the last steps of a usual schedule are off as well
            return self._spent(trace, top, share)
        return self.finding(
            confidence=0.88,
            step=since,
            place="the schedule",
            place_ja="学習率スケジュール",
            evidence=[Evidence("learning rate over its largest value", share, LIMIT, "", "KZ206", name_ja="学習率（最大値比）")],
            sentence=both(
                f"The schedule has turned the learning rate down to {short(share)} of its largest value since step {since}, while much is left to learn.",
                f"スケジュールがステップ {since} から学習率を最大値の {short(share)} 倍まで下げていますが、まだ学習の余地が大きく残っています。",
            ),
        )

    def _spent(self, trace: Trace, top: int, share: float) -> Finding | None:
        """Return a finding if the rate falls geometrically and nothing is left of the few steps it is worth."""
        rates = trace["learning_rate"]
        worth = worth_of(rates.steps[top:].astype(float), rates.values[top:])
        if not trace.progress_is_poor or share > SPENT or not worth <= FEWEST:
            return None
        return self.finding(
            confidence=0.86,
            step=int(rates.steps[top]),
            place="the schedule",
            place_ja="学習率スケジュール",
            evidence=[
                Evidence(
                    "steps at the largest rate that all steps are worth",
                    worth,
                    FEWEST,
                    "steps",
                    "KZ209",
                    name_ja="全ステップの価値（最大の学習率でのステップ数）",
                )
            ],
            sentence=both(
                f"The schedule lowers the learning rate so fast that all steps, past and to come, are worth {short(worth)} steps at its largest value; "
                f"{short(share)} of it is left.",
                f"スケジュールが学習率を急激に下げており、過去と今後の全ステップを合わせても最大の学習率での {short(worth)} ステップ分しかありません"
                f"（現在は最大値の {short(share)} 倍）。",
            ),
        )


def worth_of(steps: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    r"""Return how many steps at the largest rate a geometric schedule is worth, :math:`1 / (1 - \gamma)`; infinity where it is no such schedule.

    >>> round(worth_of(np.arange(40.0), 0.1 * 0.9 ** np.arange(40.0)), 6)
    10.0
    """
    if len(steps) < LEAST_STEPS or steps[-1] - steps[0] < LEAST_STEPS or not bool((values > 0).all()) or not values[-1] < values[0]:
        return math.inf
    logs = np.log(values)
    slope, offset = np.polyfit(steps, logs, 1)
    residual = float(np.var(logs - slope * steps - offset) / np.var(logs))
    return float(1 / -np.expm1(slope)) if slope < 0 and 1 - residual >= STRAIGHT else math.inf
