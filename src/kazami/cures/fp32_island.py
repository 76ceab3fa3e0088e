"""Compute in float32 what float16 cannot hold."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, bad_event, both

if TYPE_CHECKING:
    from ..maps import Training


class Fp32Island(AbstractCure):
    """Takes the operation that overflows, or where it is not known the whole forward pass, out of half precision.

    Limits:
        An island behind a product that is already infinite comes too late; what overflows is then found at the next run.
    """

    name: ClassVar = "fp32_island"
    treats: ClassVar = ("fp16_overflow",)
    order: ClassVar = 2
    changes: ClassVar = both("Computes what overflows in float32.", "桁あふれする計算だけを float32 で行います。")
    side_effects: ClassVar = both("That part is slower and takes twice the memory.", "その部分は遅くなり、メモリも2倍使います。")
    reference: ClassVar = "Micikevicius et al. 2018, Mixed precision training, arXiv 1710.03740, section 3.3"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines around the operation."""
        event = bad_event(finding, trace)
        operation = event["operation"] if event["source"] == "operation" else ""
        what = f"{operation} after {event['layer']}" if operation and event["layer"] else operation or "the part that overflows"
        code = f'with torch.autocast("cuda", enabled=False):  # around {what}\n    inputs = inputs.float()'
        sentence = both(f"Computes `{operation}` in float32.", f"`{operation}` を float32 で計算します。") if operation else None
        return self.prescription(parameters={"operation": operation}, code=code, sentence=sentence)

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with the operation in float32, or all of it where that does not suffice at the first step; ``None`` without float16."""
        from ._island import with_float32

        return with_float32(training, str(parameters["operation"]))
