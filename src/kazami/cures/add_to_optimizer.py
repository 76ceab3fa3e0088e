"""Give the optimizer the parameters it lacks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, optimizer_line, path_of

if TYPE_CHECKING:
    from ..maps import Training


class AddToOptimizer(AbstractCure):
    """Adds the parameters that backward reaches and no optimizer holds as a parameter group.

    Limits:
        Where a part of the model was replaced after the optimizer was made, making the optimizer afterwards says the same more simply.
    """

    name: ClassVar = "add_to_optimizer"
    treats: ClassVar = ("frozen_parameters",)
    order: ClassVar = 0
    changes: ClassVar = both("Gives the optimizer the parameters it lacks.", "オプティマイザに入っていないパラメータを渡します。")
    side_effects: ClassVar = both(
        "These parameters begin to move; the first steps may be rough.", "これらのパラメータが動き始めるため、最初の数ステップは荒れることがあります。"
    )
    reference: ClassVar = "PyTorch documentation, torch.optim.Optimizer.add_param_group"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the parameter groups to add, one for each part of the model that is left out."""
        del finding
        outside = [str(name) for name in trace.facts.get("not_in_optimizer", ())]
        if not outside:
            return None
        parts = list(dict.fromkeys(owner_of(name) for name in outside))
        lines = [f'optimizer.add_param_group({{"params": {parameters_of(part)}}})' for part in parts[:3]]
        model = f"after `{parts[0]}` was replaced" if parts[0] else "after the last change of the model"
        made = f"# or {model}:\n# {optimizer_line(trace)}"
        where = ", ".join(f"`{part or name}`" for part, name in zip(parts[:3], outside, strict=False))
        return self.prescription(
            parameters={"parameters": outside},
            code="\n".join([*lines, made] if int(trace.optimizer.get("groups", 1)) == 1 else lines),
            sentence=both(f"Adds the parameters of {where} to the optimizer.", f"{where} のパラメータをオプティマイザに加えます。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose optimizer has all parameters; ``None`` where it has them already."""
        from ._parameters import with_all_parameters

        del parameters
        return with_all_parameters(training)


def owner_of(name: str) -> str:
    """Return the module that owns a parameter, up to two levels deep; empty for a parameter of the model itself or a bare tensor."""
    return "" if name.startswith("tensor ") else ".".join(name.split(".")[:-1][:2])


def parameters_of(part: str) -> str:
    """Return the expression that gives the parameters of a part of the model."""
    return f"{path_of(part)}.parameters()" if part else "[parameter]"
