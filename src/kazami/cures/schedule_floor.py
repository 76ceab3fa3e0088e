"""Keep the schedule from turning the learning rate off."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, learning_rate, rounded

if TYPE_CHECKING:
    from ..maps import Training

FLOOR = 0.1


class ScheduleFloor(AbstractCure):
    """Holds the learning rate at no less than a tenth of its largest value."""

    name: ClassVar = "schedule_floor"
    treats: ClassVar = ("dead_schedule",)
    order: ClassVar = 1
    changes: ClassVar = both("Gives the schedule a floor.", "スケジュールに下限を設けます。")
    side_effects: ClassVar = both("The last steps are noisier than with a schedule that ends at zero.", "0 まで下げる場合より、終盤の揺れが大きくなります。")
    reference: ClassVar = (
        "Loshchilov and Hutter 2017, SGDR, arXiv 1608.03983, equation 5 (the lower bound of "
        "the cosine); Hoffmann et al. 2022, arXiv 2203.15556, appendix B (a floor of a tenth)"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines with a tenth of the largest learning rate seen."""
        top = learning_rate(trace)
        if not top > 0:
            return None
        floor = rounded(FLOOR * top)
        since = f" (it fell below a thousandth at step {finding.step})" if finding.step > 0 else ""
        return self.prescription(
            parameters={"floor": floor, "largest": top},
            code=f'for group in optimizer.param_groups:  # after scheduler.step()\n    group["lr"] = max(group["lr"], {floor:.3g})',
            sentence=both(f"Keeps the learning rate at {floor:.3g} or more{since}.", f"学習率を {floor:.3g} 以上に保ちます。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose schedule has this floor; ``None`` where it has none."""
        from ._losses import with_schedule_floor

        return with_schedule_floor(training, float(parameters["floor"]))
