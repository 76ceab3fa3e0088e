"""Let weight decay pull less than the gradient."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, measured, optimizer_line, rounded

if TYPE_CHECKING:
    from ..maps import Training

LEFT = 0.95  # of the weights' norm, where nothing but decay acts over the same steps
USUAL_FACTOR = 0.1


class LowerDecay(AbstractCure):
    r"""Divides the weight decay so that over the steps seen it alone would have left 95 % of the weights.

    Decay alone shrinks weights by :math:`e^{-k\lambda}` with some *k* that the run itself shows: *s* of the weights were left, so :math:`k\lambda = -\ln
    s`, and
    :math:`\lambda' = \lambda \ln 0.95/\ln s`.
    """

    name: ClassVar = "lower_decay"
    treats: ClassVar = ("over_decay", "over_regularised")
    order: ClassVar = 1
    changes: ClassVar = both("Lowers the weight decay.", "重み減衰を弱めます。")
    side_effects: ClassVar = both("Weights grow larger; watch the validation loss.", "重みが大きくなります。検証損失に注意してください。")
    reference: ClassVar = "Loshchilov and Hutter 2019, Decoupled weight decay regularization, arXiv 1711.05101"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the new decay; ``None`` where there is none, or dropout is to blame."""
        decay = trace.optimizer.get("weight_decay")
        if not isinstance(decay, int | float) or decay <= 0 or not math.isnan(measured(finding, "dropout")):
            return None
        shrunk = measured(finding, "weights left")
        factor = math.log(LEFT) / math.log(shrunk) if 0 < shrunk < LEFT else USUAL_FACTOR
        new = rounded(float(decay) * min(max(factor, 1e-4), USUAL_FACTOR))
        return self.prescription(
            parameters={"weight_decay": new, "from": float(decay)},
            code=optimizer_line(trace, f"was weight_decay={decay:.3g}", weight_decay=new),
            sentence=both(f"Lowers the weight decay from {decay:.3g} to {new:.3g}.", f"重み減衰を {decay:.3g} から {new:.3g} に下げます。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with the new weight decay."""
        from ._surgery import with_settings

        return with_settings(training, weight_decay=parameters["weight_decay"])
