"""Begin with small steps."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, measured, rounded

if TYPE_CHECKING:
    from ..maps import Training

OUT_OF_REACH = 20.0  # a warm-up lets curvature fall several-fold while steps grow (Gilmer et al. 2021, figure 3), not by more decades
LEAST_STEPS = 100


class WarmUp(AbstractCure):
    r"""Raises the learning rate linearly to its value over the first steps: for Adam over :math:`2/(1-\beta_2)` steps.

    By then Adam knows the second moment of its gradients.

    Limits:
        Helps where the curvature is large only at the start; a rate far above the stability limit stays too high.
    """

    name: ClassVar = "warm_up"
    treats: ClassVar = ("lr_too_high", "loss_spike")
    order: ClassVar = 1
    changes: ClassVar = both("Raises the learning rate linearly over the first steps.", "最初の数ステップで学習率を徐々に上げます。")
    side_effects: ClassVar = both("The first steps learn less.", "最初のうちは学習が遅くなります。")
    reference: ClassVar = (
        "Goyal et al. 2017, arXiv 1706.02677, section 2.2; Gilmer et al. 2021, arXiv 2110.04369; Ma and Yarats 2021, arXiv 1910.04209 (2/(1 - beta2) steps)"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the scheduler, with a start below the stability limit; ``None`` where the rate is far above it."""
        ratio = measured(finding, "stability ratio")
        if ratio > OUT_OF_REACH:
            return None
        betas = trace.optimizer.get("betas")
        steps = round(2 / (1 - float(betas[1]))) if isinstance(betas, list | tuple) and len(betas) > 1 and betas[1] < 1 else LEAST_STEPS
        start = rounded(min(0.8 / ratio, 0.1)) if ratio > 0 else 0.01
        return self.prescription(
            parameters={"steps": steps, "start_factor": start},
            code=f"scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor={start:g}, "
            f"total_iters={steps})\nscheduler.step()  # after each optimizer.step()",
            sentence=both(
                f"Raises the learning rate from {start:g} of its value to the whole over {steps} steps.",
                f"{steps} ステップかけて、学習率を {start:g} 倍から本来の値まで上げます。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose rates rise over the first steps, under the schedule it has; the warm-up takes a quarter of the steps at most."""
        from ._surgery import with_warm_up

        return with_warm_up(training, min(int(parameters["steps"]), max(training.steps // 4, 1)), float(parameters["start_factor"]))
