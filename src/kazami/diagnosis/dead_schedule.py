"""A schedule that has turned the learning rate off."""

from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both, short
from ._curves import over_largest

LIMIT = 1e-3
OFF = 0.3  # of the steps: a cosine to zero is below a thousandth for its last fiftieth, ten halvings for the last tenth


class DeadSchedule(AbstractRule):
    """Fires when the learning rate has been below a thousandth of its largest value (or zero) for three steps in ten while much is left to gain."""

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
            return None
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
