"""Step the schedule once an epoch instead of once a batch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training

SEVERAL = 3  # falls within one epoch: a schedule that counts epochs falls once in one
SMOOTH = 0.5  # share of recorded steps between which the rate fell: a schedule stepped once an epoch stands still in between


class SlowerSchedule(AbstractCure):
    """Moves ``scheduler.step()`` out of the loop over batches, where the learning rate is seen to fall at nearly every optimizer step."""

    name: ClassVar = "slower_schedule"
    treats: ClassVar = ("dead_schedule",)
    order: ClassVar = 0
    changes: ClassVar = both("Steps the schedule once an epoch.", "スケジューラを 1 エポックに 1 回だけ進めます。")
    side_effects: ClassVar = both("The learning rate stays high for longer.", "学習率が高い期間が長くなります。")
    reference: ClassVar = "PyTorch documentation, torch.optim, How to adjust learning rate (the scheduler is stepped in the loop over epochs)"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return where the line belongs.

        ``None`` where the rate stands still between most steps and through its first epoch, or reached its end only near the last step.
        """
        rates = trace["learning_rate"].values
        live = rates[np.isfinite(rates) & (rates > 0)]
        is_smooth = live.size >= 5 and float(np.mean(np.diff(live) < 0)) >= SMOOTH
        if not (is_smooth or _falls_in_first_epoch(trace) >= SEVERAL) or finding.step > 0.8 * trace.step:
            return None
        return self.prescription(
            parameters={"step_once_per": "epoch"},
            code="scheduler.step()  # in the loop over epochs, not over batches; or give it the number of batches",
            sentence=both(
                f"Steps the schedule once an epoch: now it falls at every batch and ends at step {finding.step}.",
                f"スケジューラを 1 エポックに 1 回だけ進めます。現在はバッチごとに下がり、ステップ {finding.step} で尽きています。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose schedule is stepped once a pass of its batches; ``None`` where it has none."""
        from ._losses import with_rare_schedule

        del parameters
        return with_rare_schedule(training)


def _falls_in_first_epoch(trace: Trace) -> int:
    """Return how often the rate fell within the first pass of the data, 0 where no pass was seen."""
    batches = trace.facts.get("epoch", {}).get("batches")
    rates = trace["learning_rate"]
    if not batches or len(rates) < SEVERAL:
        return 0
    falls = rates.steps[1:][np.diff(rates.values) < 0]
    return int(np.sum(falls <= int(trace.facts["epoch"]["first"]) + int(batches)))
