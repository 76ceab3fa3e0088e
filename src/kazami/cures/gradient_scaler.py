"""Multiply the loss so that small gradients survive half precision."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training

SCALER = """scaler = torch.amp.GradScaler("cuda")  # once
scaler.scale(loss).backward()
scaler.step(optimizer)
scaler.update()"""
FULL = """model = model.float()  # before the optimizer is made
with torch.autocast("cuda", dtype=torch.{format}):
    output = model(inputs)"""


class GradientScaler(AbstractCure):
    """Starts backward from a larger number and divides the gradients again before the step, with weights kept in float32.

    Limits:
        Weights stored in half precision lose their updates whatever the scale, so there they are stored in float32 first; a scaler that has already fallen
        below 1 cannot be helped by another.
    """

    name: ClassVar = "gradient_scaler"
    treats: ClassVar = ("fp16_underflow",)
    order: ClassVar = 1
    changes: ClassVar = both("Scales the loss up for backward, and the gradients down again.", "逆伝播の間だけ損失を大きくし、勾配を元の大きさに戻します。")
    side_effects: ClassVar = both("A few steps are left out while the scale is found.", "スケールが定まるまで数ステップが飛ばされます。")
    reference: ClassVar = "Micikevicius et al. 2018, Mixed precision training, arXiv 1710.03740, sections 3.1 and 3.2"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines of the loop; where weights are stored in half precision those that store them in float32; ``None`` where a scaler is in use."""
        del finding
        half = trace.facts.get("half_precision", {})
        stored, kind = bool(half.get("weights")), str(half.get("format", "float16"))
        if "scaler" in trace.facts and not stored:
            return None
        code = "\n".join(part for part in (FULL.format(format=kind) if stored else "", SCALER if kind == "float16" else "") if part)
        en = "Stores the weights in float32 and computes in autocast" + (", with a gradient scaler." if kind == "float16" else ".")
        ja = "重みを float32 で保持し、計算は autocast で行います" + ("（勾配スケーラーつき）。" if kind == "float16" else "。")
        return self.prescription(parameters={"full_weights": stored, "scale": kind == "float16"}, code=code, sentence=both(en, ja) if stored else None)

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with float32 weights where they were in half precision, and with a loss scale; ``None`` where neither can be done."""
        from ._scaling import with_full_weights, with_loss_scale

        changed = with_full_weights(training) if parameters["full_weights"] else training
        if changed is None or not parameters["scale"]:
            return changed
        return with_loss_scale(changed) or (changed if parameters["full_weights"] else None)
