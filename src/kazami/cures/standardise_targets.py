"""Train on standardised targets, and give predictions in the old unit."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, typical

if TYPE_CHECKING:
    from ..maps import Training

LOSSES = {"l1": "F.l1_loss", "smooth_l1": "F.smooth_l1_loss", "huber": "F.huber_loss"}


class StandardiseTargets(AbstractCure):
    r"""Takes the loss between the output and :math:`(y - \mu)/\sigma`, and turns predictions back by :math:`\sigma f(x) + \mu`.

    Limits:
        The loss is then in units of the targets' spread: a squared error is divided by its square.
    """

    name: ClassVar = "standardise_targets"
    treats: ClassVar = ("target_scaling", "output_activation")
    order: ClassVar = 3
    changes: ClassVar = both("Standardises the targets and turns predictions back.", "目標値を標準化し、予測は元の単位に戻します。")
    side_effects: ClassVar = both("The loss is in other units; re-tune the learning rate.", "損失の単位が変わります。学習率を調整し直してください。")
    reference: ClassVar = "LeCun, Bottou, Orr and Müller 1998, Efficient BackProp, section 4.5"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines with the mean and the spread of the targets seen; ``None`` where none were seen, or no regression is at hand."""
        if finding.name == "output_activation" and not trace.facts.get("output_range"):
            return None
        mean, std = typical(trace, "target_mean", 50), typical(trace, "target_std", 50)
        if math.isnan(mean) or math.isnan(std):
            return None
        mean, std = float(f"{mean:.3g}"), float(f"{std if std > 1e-6 * abs(mean) and std > 0 else abs(mean) or 1.0:.3g}")
        loss = LOSSES.get(trace.loss_kind, "F.mse_loss")
        shift = f"- {mean:g}" if mean >= 0 else f"+ {-mean:g}"
        back = f"+ {mean:g}" if mean >= 0 else f"- {-mean:g}"
        return self.prescription(
            parameters={"mean": mean, "std": std, "loss": trace.loss_kind},
            code=f"loss = {loss}(output, (target {shift}) / {std:g})\nprediction = output * {std:g} {back}  # at evaluation",
            sentence=both(
                f"Trains on (target {shift}) / {std:g} and turns predictions back.", f"(目標 {shift}) / {std:g} に対して学習し、予測を元の単位に戻します。"
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training on standardised targets, whose model turns its outputs back; ``None`` where its step is its own."""
        from ._losses import with_standardised_targets

        return with_standardised_targets(training, float(parameters["mean"]), float(parameters["std"]))
