"""Let frozen parameters move."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, learning_rate, path_of

if TYPE_CHECKING:
    from ..maps import Training


class Unfreeze(AbstractCure):
    """Sets ``requires_grad`` for parameters that are frozen, and sees that the optimizer holds them, at a rate above zero."""

    name: ClassVar = "unfreeze"
    treats: ClassVar = ("frozen_parameters",)
    order: ClassVar = 1
    changes: ClassVar = both("Lets the frozen parameters move.", "凍結されたパラメータを動けるようにします。")
    side_effects: ClassVar = both(
        "Pre-trained weights change: consider a smaller learning rate for them.", "事前学習済みの重みも変わります。その部分の学習率は小さめにしてください。"
    )
    reference: ClassVar = "PyTorch documentation, torch.nn.Module.requires_grad_; Howard and Ruder 2018, arXiv 1801.06146, section 3.3 (gradual unfreezing)"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines for the frozen part, or for groups at a rate of zero, where nothing else holds the parameters still."""
        del finding
        facts = trace.facts
        frozen = sorted({*facts.get("frozen", {}), *facts.get("requires_no_gradient", ())})
        if facts.get("not_in_optimizer"):
            return None
        if not frozen:
            is_held = int(trace.optimizer.get("groups", 1)) > 1 and not facts.get("never_given_a_gradient")
            return self._rate(learning_rate(trace)) if is_held and learning_rate(trace) > 0 else None
        modules = list(dict.fromkeys(name.removesuffix(".weight").removesuffix(".bias") for name in frozen))
        paths = [path_of(name) for name in modules]
        lines = [f"{path}.requires_grad_(True)" for path in paths]
        code = "\n".join(lines) if len(lines) <= 3 and "weight" not in paths else "model.requires_grad_(True)"
        named = ", ".join(f"`{name}`" for name in modules[:3]) + (" …" if len(modules) > 3 else "")
        return self.prescription(
            parameters={"parameters": frozen},
            code=code + "  # before the optimizer is made",
            sentence=both(f"Lets {named} be trained.", f"{named} を学習の対象にします。"),
        )

    def _rate(self, rate: float) -> Prescription:
        return self.prescription(
            parameters={"parameters": [], "learning_rate": rate},
            code=f'for group in optimizer.param_groups:\n    group["lr"] = group["lr"] or {rate:g}',
            sentence=both(f"Gives the groups at a learning rate of 0 the {rate:g} of the others.", f"学習率が 0 のグループを、ほかと同じ {rate:g} にします。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose frozen parameters are trained, in the optimizer's first group; ``None`` where it has none of them."""
        from ._parameters import with_all_parameters

        return with_all_parameters(training, unfreeze=parameters["parameters"])
