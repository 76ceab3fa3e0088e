"""Keep the output and take the loss that fits it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training

# What stands before the loss, and the loss that fits it.
FITTING = {
    ("sigmoid", "binary_cross_entropy_with_logits"): "F.binary_cross_entropy(output, target)",
    ("softmax", "cross_entropy"): "F.nll_loss(torch.log(output.clamp_min(1e-7)), target)",
    ("identity", "nll_loss"): "F.cross_entropy(output, target)",
    ("softmax", "nll_loss"): "F.nll_loss(F.log_softmax(logits, dim=-1), target)",
    ("sigmoid", "nll_loss"): "F.nll_loss(F.log_softmax(logits, dim=-1), target)",
    **{(given, "kl_div"): "F.kl_div(F.log_softmax(logits, dim=-1), target)" for given in ("identity", "softmax", "sigmoid")},
    **{(given, "ctc_loss"): "F.ctc_loss(F.log_softmax(logits, dim=-1), target, input_lengths, target_lengths)" for given in ("identity", "softmax", "sigmoid")},
}
OF_LOGARITHMS = ("nll_loss", "kl_div", "ctc_loss")


class MatchingLoss(AbstractCure):
    """Leaves the model alone and exchanges the loss for the one that expects such an output.

    Limits:
        Where the output is a sigmoid or softmax, the loss without logits is less exact than dropping the activation: probabilities round to 0 and 1.
    """

    name: ClassVar = "matching_loss"
    treats: ClassVar = ("output_activation", "double_softmax")
    order: ClassVar = 1
    changes: ClassVar = both("Uses the loss that fits the model's output.", "モデルの出力に合った損失に替えます。")
    side_effects: ClassVar = both(
        "Probabilities that round to 0 or 1 lose digits that logits would keep.", "0 や 1 に丸められた確率では、ロジットなら残る桁が失われます。"
    )
    reference: ClassVar = "PyTorch documentation, torch.nn.BCELoss, torch.nn.NLLLoss and torch.nn.CrossEntropyLoss"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the fitting loss, ``None`` where none fits better."""
        del finding
        facts = trace.facts
        fact = facts.get("nll_without_log") or facts.get("softmax_before_log_softmax") or facts.get("activation_before_logits_loss")
        if not fact:
            return None
        activation, loss = str(fact.get("activation", "identity")), str(fact.get("loss", ""))
        fitting = FITTING.get((activation, loss))
        if fitting is None:
            return None
        en = f"Gives {loss} the logarithm it expects (here it gets {'raw outputs' if activation == 'identity' else activation})."
        ja = f"{loss} が期待する対数確率を渡します（現在は{'生の出力' if activation == 'identity' else ' ' + activation + ' '}が渡されています）。"
        if loss not in OF_LOGARITHMS:
            en, ja = (
                f"Keeps {activation} and uses the loss that expects probabilities instead of {loss}.",
                f"{activation} を残し、{loss} の代わりに確率を受け取る損失を使います。",
            )
        return self.prescription(
            parameters={"activation": activation, "from": loss, "to": fitting.split("(")[0].removeprefix("F."), "call": fitting.removeprefix("F.")},
            code=f"loss = {fitting}",
            sentence=both(en, ja),
            is_singled_out=loss in OF_LOGARITHMS,
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with the other loss on outputs and targets; ``None`` where its step or loss is its own."""
        from ._fresh import if_it_goes
        from ._losses import FITTING_LOSSES

        fitting = FITTING_LOSSES.get(parameters.get("call", ""))
        return if_it_goes(training.replaced(loss=fitting)) if fitting is not None and training.train_step is None else None
