"""Let one of two players learn more slowly than the other."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, learning_rate, rounded

if TYPE_CHECKING:
    from ..maps import Training

SLOWER = 0.25


class TwoTimeScales(AbstractCure):
    """Takes a quarter of the learning rate for one player, so that the other one is always near its best answer.

    Limits:
        Slows the rotation and damps it where the faster player's best answer changes smoothly; the game xy has none, and there an average, friction or a
        gradient penalty is needed. Where a training holds several optimizers, this is applied to the one that it hands out.
    """

    name: ClassVar = "two_time_scales"
    treats: ClassVar = ("player_rotation",)
    order: ClassVar = 1
    changes: ClassVar = both("Lets one player learn four times more slowly than the other.", "一方の学習率を他方の4分の1にします。")
    side_effects: ClassVar = both("The slower player needs more steps.", "遅い側はより多くのステップを必要とします。")
    reference: ClassVar = "Heusel et al. 2017, GANs trained by a two time-scale update rule, arXiv 1706.08500"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the slower rate; ``None`` where none was seen."""
        del finding
        rate = learning_rate(trace)
        if not rate > 0 or math.isinf(rate):
            return None
        new = rounded(rate * SLOWER)
        return self.prescription(
            parameters={"learning_rate": new, "from": rate},
            code=f'for group in optimizer.param_groups:  # of one player\n    group["lr"] = {new:.4g}  # was {rate:.4g}',
            sentence=both(f"Lets one player learn at {new:.4g} instead of {rate:.4g}.", f"一方の学習率を {rate:.4g} から {new:.4g} に下げます。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose optimizer has the slower rate."""
        from ._surgery import with_settings

        return with_settings(training, lr=parameters["learning_rate"])
