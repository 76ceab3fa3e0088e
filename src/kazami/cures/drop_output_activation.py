"""Take the activation off the output."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, output_layer, path_of, short

if TYPE_CHECKING:
    from ..maps import Training

CALLS = {"softmax": "softmax(dim=-1)", "sigmoid": "sigmoid()", "tanh": "tanh()", "relu": "relu()"}


class DropOutputActivation(AbstractCure):
    """Feeds the loss what the last layer returns, with nothing after it: logits for a loss with its own softmax or sigmoid, any value for a regression."""

    name: ClassVar = "drop_output_activation"
    treats: ClassVar = ("double_softmax", "output_activation")
    order: ClassVar = 0
    changes: ClassVar = both("Gives the loss the raw output of the last layer.", "最後の層の出力をそのまま損失に渡します。")
    side_effects: ClassVar = both(
        "Whoever reads the model's output as probabilities must apply the activation himself at evaluation.",
        "モデルの出力を確率として使う側は、評価時に自分で活性化関数を掛ける必要があります。",
    )
    reference: ClassVar = "PyTorch documentation, torch.nn.CrossEntropyLoss and torch.nn.BCEWithLogitsLoss (the input holds unnormalised logits)"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines that leave the activation out; ``None`` where the loss lacks one instead (``nll_loss`` without logarithm)."""
        fact = trace.facts.get("softmax_before_log_softmax") or trace.facts.get("activation_before_logits_loss")
        bounded = trace.facts.get("output_range")
        last = output_layer(trace)
        layer = path_of(last.name) if last else "the last layer"
        if fact:
            return self._logits(fact, layer)
        if bounded and finding.name == "output_activation":
            return self._unbounded(bounded, layer, trace)
        return None

    def _logits(self, fact: dict[str, Any], layer: str) -> Prescription:
        activation, loss = str(fact.get("activation", "softmax")), str(fact.get("loss", "cross_entropy"))
        lines = [f"loss = F.{loss}(logits, target)  # logits: what {layer} returns, no {activation} after it"]
        if activation in ("softmax", "sigmoid"):
            lines.append(f"probabilities = logits.{CALLS[activation]}  # for evaluation only")
        return self.prescription(
            parameters={"activation": activation, "loss": loss},
            code="\n".join(lines),
            sentence=both(
                f"Removes {activation} from the output, because {loss} applies its own.", f"{loss} が内部で処理するため、出力から {activation} を外します。"
            )
            if activation in ("softmax", "sigmoid")
            else both(
                f"Removes {activation} from the output, because {loss} expects unbounded logits.",
                f"{loss} は範囲に制限のないロジットを期待するため、出力から {activation} を外します。",
            ),
        )

    def _unbounded(self, fact: dict[str, Any], layer: str, trace: Trace) -> Prescription:
        activation = str(fact["activation"])
        loss = {"l1": "F.l1_loss", "smooth_l1": "F.smooth_l1_loss", "huber": "F.huber_loss"}.get(trace.loss_kind, "F.mse_loss")
        span = f"{short(fact['target_low'])} to {short(fact['target_high'])}"
        return self.prescription(
            parameters={"activation": activation, "loss": trace.loss_kind, "target_low": fact["target_low"], "target_high": fact["target_high"]},
            code=f"loss = {loss}(output, target)  # output: what {layer} returns, no {activation} after it",
            sentence=both(
                f"Removes {activation} from the output, so that it can reach targets from {span}.",
                f"出力から {activation} を外し、目標値（{span.replace(' to ', ' … ')}）に届くようにします。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose model does not call this activation last, or whose loss does not; ``None`` where neither calls it."""
        from ._losses import without_last_activation

        return without_last_activation(training, parameters["activation"])
