"""Clear, go backward and step in this order."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training


class ReorderStep(AbstractCure):
    """Moves ``zero_grad()`` from between ``backward()`` and ``step()`` to before both, or a ``step()`` that came too early behind ``backward()``.

    Limits:
        Carried out on a training only where it has a step of its own; the standard one has the right order.
    """

    name: ClassVar = "reorder_step"
    treats: ClassVar = ("frozen_parameters",)
    order: ClassVar = 0
    changes: ClassVar = both(
        "Clears the gradients first, then goes backward, then steps, so that the step finds what backward has made.",
        "勾配の消去、逆伝播、更新の順に並べ替え、backward で求めた勾配が更新に使われるようにします。",
    )
    side_effects: ClassVar = both(
        "The weights move for the first time: a learning rate that was raised in vain will be too high.",
        "重みが初めて動きます。効果がないまま上げた学習率は、高すぎることになります。",
    )
    reference: ClassVar = "PyTorch tutorials, Optimizing Model Parameters"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the three lines, where every step that was looked at had lost its gradients."""
        del finding
        counts = trace.facts.get("wiped_gradients", {})
        if not counts.get("wiped") or counts["wiped"] != counts["of"]:
            return None
        return self.prescription(parameters={"order": "zero_grad, backward, step"}, code="optimizer.zero_grad()\nloss.backward()\noptimizer.step()")

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose own step is followed by the optimizer's, with nothing cleared in between; ``None`` for the standard step."""
        from ._surgery import with_step_last

        del parameters
        return with_step_last(training) if training.train_step is not None else None
