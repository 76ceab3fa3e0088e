"""Fill the gaps in the inputs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, bad_event, both

if TYPE_CHECKING:
    from ..maps import Training

CODE = """finite = inputs[torch.isfinite(inputs)]
inputs = torch.nan_to_num(inputs, nan=0.0, posinf=float(finite.max()), neginf=float(finite.min()))"""


class FillData(AbstractCure):
    """Replaces missing inputs by 0, the mean of a standardised feature, and infinite ones by the largest and smallest finite inputs of the batch."""

    name: ClassVar = "fill_data"
    treats: ClassVar = ("nan_inf", "nonfinite_weights")
    order: ClassVar = 1
    changes: ClassVar = both(
        "Replaces NaN in the inputs by 0, and infinity by the largest finite input.", "入力の NaN を 0 に、無限大を有限な入力の最大値に置き換えます。"
    )
    side_effects: ClassVar = both("A filled value looks like a measured one to the network.", "補った値を、ネットワークは測定値と区別できません。")
    reference: ClassVar = "PyTorch documentation, torch.nan_to_num"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the line; ``None`` where the inputs are not to blame (targets are never filled)."""
        if bad_event(finding, trace)["source"] != "batch":
            return None
        return self.prescription(parameters={"value": 0.0}, code=CODE)

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose model fills its inputs, and what it makes of them before its first layer; ``None`` where there is nothing to fill."""
        from ._data import with_filled_data

        return with_filled_data(training, float(parameters["value"]))
