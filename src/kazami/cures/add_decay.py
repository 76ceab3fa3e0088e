"""Pull weights that nothing asks for back to zero."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, optimizer_line

if TYPE_CHECKING:
    from ..maps import Training

DECAY = {"AdamW": 0.1, "SGD": 5e-4}


class AddDecay(AbstractCure):
    """Adds weight decay, decoupled where the optimizer is Adam."""

    name: ClassVar = "add_decay"
    treats: ClassVar = ("overfitting",)
    order: ClassVar = 1
    changes: ClassVar = both("Adds weight decay.", "重み減衰を加えます。")
    side_effects: ClassVar = both("Fits the training data less closely.", "訓練データへの適合が弱まります。")
    reference: ClassVar = (
        "Loshchilov and Hutter 2019, arXiv 1711.05101; Zagoruyko and Komodakis 2016, Wide residual networks, arXiv 1605.07146, section 3 (5e-4 for SGD)"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the optimizer's line with decay; ``None`` where there is as much already."""
        del finding
        name = str(trace.optimizer.get("name", "SGD"))
        kind = "AdamW" if name in ("Adam", "AdamW") else name
        new = DECAY.get(kind, DECAY["SGD"])
        old: Any = trace.optimizer.get("weight_decay") or 0.0
        if old >= new:
            return None
        return self.prescription(
            parameters={"weight_decay": new, "optimizer": kind},
            code=optimizer_line(trace, f"was {name}, weight_decay={old:g}", name=kind if kind != name else None, weight_decay=new),
            sentence=both(f"Adds a weight decay of {new:g}.", f"重み減衰 {new:g} を加えます。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with the new weight decay, decoupled where the optimizer is Adam; ``None`` where it takes none."""
        from ._surgery import with_settings

        decoupled = {"decoupled_weight_decay": True} if parameters["optimizer"] == "AdamW" else {}  # all that makes an AdamW of torch's Adam
        return with_settings(training, weight_decay=parameters["weight_decay"], **decoupled)
