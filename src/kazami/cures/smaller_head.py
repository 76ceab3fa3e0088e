"""Start the last layer small."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, measured, output_layer, rounded, short, weight_of

if TYPE_CHECKING:
    from ..maps import Training


class SmallerHead(AbstractCure):
    """Scales the last layer so that the first outputs are of unit size and the first loss is that of a guess."""

    name: ClassVar = "smaller_head"
    treats: ClassVar = ("bad_init_scale",)
    order: ClassVar = 2
    changes: ClassVar = both("Scales down the last layer at the start.", "最後の層の初期値を小さくします。")
    side_effects: ClassVar = both("The first steps move the last layer most.", "最初の数ステップでは主に最後の層が動きます。")
    reference: ClassVar = "Zhang, Dauphin and Ma 2019, Fixup initialization, arXiv 1901.09321, section 3 (a small or zero classification layer)"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the factor that takes the first outputs to unit size; ``None`` unless the first loss stands well above a guess and outputs are large."""
        head, progress = output_layer(trace), trace.progress
        outputs = trace["output_std"].values
        size = float(outputs[0]) if outputs.size else math.nan
        if head is None or not size > 2 or not measured(finding, "gain of the initial weights") > 1:
            return None
        if progress is not None and progress.trivial is not None and progress.first < 2 * progress.trivial:
            return None
        factor = rounded(1 / size)
        return self.prescription(
            parameters={"layer": head.name, "factor": factor},
            code=f"{weight_of(head)}.data.mul_({factor:g})  # after the model is made",
            sentence=both(
                f"Multiplies the initial weights of `{head.name}` by {factor:g}: its first outputs have a spread of {short(size)}.",
                f"`{head.name}` の初期の重みを {factor:g} 倍します。最初の出力の広がりが {short(size)} あるためです。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose output layer begins smaller; ``None`` where the model has no such layer."""
        from ._surgery import with_weights

        return with_weights(training, [parameters["layer"]], lambda weight: weight.mul_(parameters["factor"]))
