"""Take away what cuts parameters off from the loss."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, path_of

if TYPE_CHECKING:
    from ..maps import Training


def _is_wiped(trace: Trace) -> bool:
    counts = trace.facts.get("wiped_gradients", {})  # they got gradients, which were cleared before the step
    return bool(counts) and counts["wiped"] == counts["of"]


class LetGradientsThrough(AbstractCure):
    """Removes the ``detach()``, ``no_grad`` block, ``.data``, ``torch.tensor`` or conversion to numpy between parameters and loss; or leaves unused ones out.

    Limits:
        Where the cut stands is not seen, only on which side of it the parameters lie.
    """

    name: ClassVar = "let_gradients_through"
    treats: ClassVar = ("frozen_parameters",)
    order: ClassVar = 0
    changes: ClassVar = both(
        "Removes the detach() or no_grad between these parameters and the loss.", "これらのパラメータと損失の間にある detach() や no_grad を取り除きます。"
    )
    side_effects: ClassVar = both(
        "Backward reaches more of the model: it takes more time and memory.", "逆伝播がモデルのより広い範囲に届くため、時間とメモリが増えます。"
    )
    reference: ClassVar = "PyTorch documentation, Autograd mechanics, Locally disabling gradient computation"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the forward line without the cut, for parameters that never got a gradient."""
        del finding
        lost = [str(name) for name in trace.facts.get("never_given_a_gradient", ())]
        if not lost or trace.facts.get("not_in_optimizer") or _is_wiped(trace):
            return None
        if trace.facts.get("is_loss_bare"):
            return self.prescription(
                parameters={"parameters": lost},
                code="loss.backward()  # the loss itself: no torch.tensor(loss), .item() or .detach() of it, and no argmax or round before it",
                sentence=both("Calls backward on the loss itself and not on a copy of it.", "損失の複製ではなく、損失そのものに対して backward を呼びます。"),
            )
        layers = list(dict.fromkeys(name.rpartition(".")[0] for name in lost))
        first = layers[0]
        call = f"{path_of(first)}(x)" if first else "model(x)"
        return self.prescription(
            parameters={"parameters": lost},
            code=f"x = {call}  # no .detach(), .data, .item(), .numpy() or torch.no_grad() from here to the loss",
            sentence=both(
                f"Removes what cuts `{first or lost[0]}` off from the loss (detach(), no_grad, .data), or the layer if it is not used.",
                f"`{first or lost[0]}` を損失から切り離しているもの（detach()、no_grad、.data）を取り除きます。使わない層なら、層そのものを外します。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose forward lets gradients through to these parameters; ``None`` where no cut in it is seen."""
        from ._cuts import with_gradients_let_through

        return with_gradients_let_through(training, parameters["parameters"])
