"""Let a softmax run over the classes."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training


class SoftmaxAxis(AbstractCure):
    """Writes the axis of the classes into a log-softmax that runs over another one.

    Limits:
        Carried out on a training only where the model, or its loss function, calls the log-softmax itself.
    """

    name: ClassVar = "softmax_axis"
    treats: ClassVar = ("output_activation",)
    order: ClassVar = 0
    changes: ClassVar = both("Lets the log-softmax run over the classes.", "log-softmax をクラスの軸で計算します。")
    side_effects: ClassVar = both("None: the answers become probabilities of classes.", "ありません。出力がクラスの確率になります。")
    reference: ClassVar = "PyTorch documentation, torch.nn.NLLLoss"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the call with the right axis."""
        del finding
        fact = trace.facts.get("softmax_axis")
        if not fact:
            return None
        axis, classes = int(fact["axis"]), int(fact["classes"])
        return self.prescription(
            parameters={"axis": axis, "classes": classes}, code=f"log_probabilities = F.log_softmax(logits, dim={classes})  # not dim={axis}"
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose log-softmaxes over the one axis run over the other; ``None`` where none does."""
        from ._fresh import goes
        from ._order import FUNCTIONS
        from ._surgery import Swap, SwapsWhileForward, with_model

        axis, classes, met = int(parameters["axis"]), int(parameters["classes"]), list[int]()

        def turned(function: Any, x: Any, dim: int, *rest: Any, **keywords: Any) -> Any:
            is_wrong = x.dim() > classes and dim % x.dim() == axis
            met.extend([dim] if is_wrong else [])
            return function(x, classes if is_wrong else dim, *rest, **keywords)

        swaps, loss = {one: partial(turned, one) for one in FUNCTIONS["log_softmax"]}, training.loss

        def with_axis(output: Any, target: Any) -> Any:
            with Swap(swaps):
                return loss(output, target)

        after = with_model(training, SwapsWhileForward(swaps).attach)
        after = after if training.train_step is not None else after.replaced(loss=with_axis)
        return after if goes(after) and met else None
