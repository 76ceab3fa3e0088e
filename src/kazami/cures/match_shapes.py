"""Give output and target the same shape."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training

LOSSES = {
    "l1": "F.l1_loss",
    "smooth_l1": "F.smooth_l1_loss",
    "huber": "F.huber_loss",
    "bce": "F.binary_cross_entropy",
    "bce_with_logits": "F.binary_cross_entropy_with_logits",
}


class MatchShapes(AbstractCure):
    """Squeezes or unsqueezes one side of the loss, by the shapes that were seen, so that each prediction meets its own target."""

    name: ClassVar = "match_shapes"
    treats: ClassVar = ("target_broadcast",)
    order: ClassVar = 0
    changes: ClassVar = both("Gives output and target the same shape before the loss.", "損失を計算する前に、出力と目標の形をそろえます。")
    side_effects: ClassVar = both(
        "The loss is a mean over N terms instead of N × N: its values change.", "損失が N × N 項ではなく N 項の平均になるため、値が変わります。"
    )
    reference: ClassVar = "PyTorch documentation, Broadcasting semantics (torch.broadcast_tensors)"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the reshaping that fits the shapes seen."""
        fact = trace.facts.get("target_broadcast") or {}
        output, target = tuple(fact.get("output", ())), tuple(fact.get("target", ()))
        side, call = reshaping(output, target)
        arguments = f"output{call}, target" if side == "output" else f"output, target{call}"
        loss = LOSSES.get(trace.loss_kind, "F.mse_loss")
        return self.prescription(
            parameters={"side": side, "call": call.lstrip("."), "output": list(output), "target": list(target)},
            code=f"loss = {loss}({arguments})" + (f"  # output {output}, target {target}" if output else ""),
            sentence=both(
                f"Gives the {side} the shape of the {'target' if side == 'output' else 'output'}: `{side}{call}`.",
                f"{'出力' if side == 'output' else '目標'}の形を{'目標' if side == 'output' else '出力'}に合わせます: `{side}{call}`",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose loss gets output and target in one shape; ``None`` where its step is its own."""
        from ._losses import with_reshaped

        return with_reshaped(training, parameters["side"], parameters["call"])


def reshaping(output: tuple[int, ...], target: tuple[int, ...]) -> tuple[str, str]:
    """Return which side to reshape (``"output"`` or ``"target"``) and the call: the side with one axis too many loses it, else the target follows the output.

    >>> reshaping((32, 1), (32,)), reshaping((32,), (32, 1)), reshaping((32, 10, 1), (32, 10))
    (('output', '.squeeze(-1)'), ('target', '.squeeze(-1)'), ('output', '.squeeze(-1)'))
    """
    for side, longer, shorter in (("output", output, target), ("target", target, output)):
        extra = next((axis for axis in reversed(range(len(longer))) if longer[axis] == 1 and longer[:axis] + longer[axis + 1 :] == shorter), None)
        if extra is not None:
            return side, f".squeeze({-1 if extra == len(longer) - 1 else extra})"
    if not output or _size(output) == _size(target):
        return ("target", ".view_as(output)") if output else ("output", ".squeeze(-1)")
    return "target", ".expand_as(output)"


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
