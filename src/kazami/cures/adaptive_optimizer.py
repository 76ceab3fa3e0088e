"""Give every parameter a step of its own size."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, is_adaptive

if TYPE_CHECKING:
    from ..maps import Training

RATE = 1e-3


class AdaptiveOptimizer(AbstractCure):
    """Replaces gradient descent by Adam, which divides each parameter's step by the size of its gradients, at its authors' learning rate.

    Limits:
        Helps where the scales lie along parameters (features of different size, embeddings); a rotated valley stays one.
    """

    name: ClassVar = "adaptive_optimizer"
    treats: ClassVar = ("slow_convergence",)
    order: ClassVar = 1
    changes: ClassVar = both("Uses Adam.", "オプティマイザを Adam にします。")
    side_effects: ClassVar = both(
        "Twice the optimizer's memory; other settings of decay and schedule.", "オプティマイザのメモリが増え、減衰やスケジュールの設定も変わります。"
    )
    reference: ClassVar = "Kingma and Ba 2015, Adam, arXiv 1412.6980, algorithm 1 (learning rate 0.001)"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the line; ``None`` where the optimizer is adaptive already."""
        del finding
        name = str(trace.optimizer.get("name", "SGD"))
        if is_adaptive(trace):
            return None
        decay = trace.optimizer.get("weight_decay")
        kind, extra = ("AdamW", f", weight_decay={decay:.3g}") if isinstance(decay, int | float) and decay > 0 else ("Adam", "")
        return self.prescription(
            parameters={"optimizer": kind, "learning_rate": RATE, "from": name},
            code=f"optimizer = torch.optim.{kind}(model.parameters(), lr={RATE:g}{extra})  # was {name}",
            sentence=both(f"Uses {kind} at {RATE:g} instead of {name}.", f"{name} の代わりに {kind}（学習率 {RATE:g}）を使います。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with the other optimizer over the same parameter groups."""
        from ._surgery import with_optimizer

        return with_optimizer(training, parameters["optimizer"], parameters["learning_rate"])
