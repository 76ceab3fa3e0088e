"""Let a slow copy of the network make the targets."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training

RATE = 0.005
LINES = """with torch.no_grad():  # after each optimizer.step(); make the targets with `slow`
    for ours, theirs in zip(slow.parameters(), model.parameters()):
        ours.lerp_(theirs, {rate:g})"""


class TargetNetwork(AbstractCure):
    r"""Makes the targets with a copy of the network that follows it by :math:`\theta' \leftarrow \theta' + \tau(\theta - \theta')`.

    Limits:
        Slows a loop whose gain is above 1 and does not bring the gain below 1: a discount of 1 or more, a missing end of episode or a sum in the place of a
        maximum have to be corrected.
    """

    name: ClassVar = "target_network"
    treats: ClassVar = ("growing_targets",)
    order: ClassVar = 3
    changes: ClassVar = both("Makes the targets with a slow copy of the network.", "目標値をゆっくり追従するネットワークの複製で作ります。")
    side_effects: ClassVar = both(
        "Learns later from what it has found; one more copy of the weights.", "新しく学んだことの反映が遅れ、重みの複製がもう一つ必要です。"
    )
    reference: ClassVar = "Lillicrap et al. 2016, arXiv 1509.02971, section 3; Mnih et al. 2015, Nature 518, 529-533"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines behind the optimizer's step."""
        del finding, trace
        return self.prescription(parameters={"rate": RATE}, code=LINES.format(rate=RATE))

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training in whose own step the model, called without gradients, answers with a slow copy of its weights; ``None`` where it never is."""
        from ._slow_copy import with_slow_targets

        return with_slow_targets(training, float(parameters["rate"]))
