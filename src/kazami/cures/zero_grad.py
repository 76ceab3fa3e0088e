"""Clear the gradients of the last step."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training


class ZeroGrad(AbstractCure):
    """Inserts ``optimizer.zero_grad()`` before each backward."""

    name: ClassVar = "zero_grad"
    treats: ClassVar = ("no_zero_grad",)
    order: ClassVar = 0
    changes: ClassVar = both("Clears the gradients before each backward.", "backward の前に毎回、勾配を消去します。")
    side_effects: ClassVar = both(
        "Steps become smaller, since they no longer add up: a learning rate tuned without it may be too low.",
        "勾配が累積しなくなりステップが小さくなるため、これなしで調整した学習率は低すぎるかもしれません。",
    )
    reference: ClassVar = "PyTorch documentation, torch.optim.Optimizer.zero_grad"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the line."""
        del finding, trace
        return self.prescription(parameters={"zero_grad": True}, code="optimizer.zero_grad()  # before loss.backward()")

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training that clears its gradients before each step; ``None`` where it does already."""
        from ._surgery import with_cleared_gradients

        del parameters
        if training.train_step is not None:
            return with_cleared_gradients(training)
        return training.replaced(zero_grad=True) if not training.zero_grad else None
