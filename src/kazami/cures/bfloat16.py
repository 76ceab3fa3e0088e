"""Take a half precision with the range of float32."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training


class Bfloat16(AbstractCure):
    """Runs the mixed-precision part in bfloat16, which has float32's range (to 3e38) where float16 ends at 65504 and at 6e-8.

    Limits:
        Eight bits of precision instead of eleven; needs hardware that has it.
    """

    name: ClassVar = "bfloat16"
    treats: ClassVar = ("fp16_underflow", "fp16_overflow")
    order: ClassVar = 1
    changes: ClassVar = both("Uses bfloat16 instead of float16.", "float16 の代わりに bfloat16 を使います。")
    side_effects: ClassVar = both(
        "Fewer digits: keep the weights and the optimizer in float32.", "有効桁数が減ります。重みとオプティマイザは float32 のままにしてください。"
    )
    reference: ClassVar = "Kalamkar et al. 2019, A study of bfloat16 for deep learning training, arXiv 1905.12322; Micikevicius et al. 2018, arXiv 1710.03740"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines around the forward pass."""
        del finding, trace
        return self.prescription(
            parameters={"dtype": "bfloat16"}, code='with torch.autocast("cuda", dtype=torch.bfloat16):\n    loss = loss_fn(model(inputs), target)'
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training that takes bfloat16 wherever it takes float16; ``None`` where it takes none, or does not run in bfloat16 on this machine."""
        from ._precision import with_bfloat16

        del parameters
        return with_bfloat16(training)
