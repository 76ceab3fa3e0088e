"""Evaluate an average of the weights instead of the last ones."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training

MEMORY = 100


class AverageWeights(AbstractCure):
    """Keeps an exponential average of the weights over about 100 steps: a swing around a minimum averages out.

    Limits:
        Heals the evaluation, not the training loss. Batch normalisation needs its statistics taken again for the average (``torch.optim.swa_utils.update_bn``).
    """

    name: ClassVar = "average_weights"
    treats: ClassVar = ("oscillating_loss", "player_rotation")
    order: ClassVar = 3
    changes: ClassVar = both("Evaluates an average of the weights over the last steps.", "直近のステップで平均した重みで評価します。")
    side_effects: ClassVar = both("One more copy of the weights in memory.", "重みの複製がもう一つメモリに必要です。")
    reference: ClassVar = "Polyak and Juditsky 1992, SIAM Journal on Control and Optimization 30(4), 838-855; Izmailov et al. 2018, arXiv 1803.05407"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the three lines; the memory is a tenth of the steps seen, at most 100."""
        del finding
        decay = round(1 - 1 / min(max(trace.step // 10, 10), MEMORY), 3)
        lines = [
            f"average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn({decay:g}))",
            "average.update_parameters(model)  # after each optimizer.step(); evaluate average, not model",
        ]
        return self.prescription(parameters={"decay": decay}, code="\n".join(lines))

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose model is evaluated with the average; what is trained stays as it is."""
        from ._evaluation import Averaged, with_other_weights

        return with_other_weights(training, lambda: Averaged(float(parameters["decay"])))
