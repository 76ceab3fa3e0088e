"""Fill the gaps in the inputs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, bad_event, both

if TYPE_CHECKING:
    from ..maps import Training


class FillData(AbstractCure):
    """Replaces non-finite inputs by 0, the mean of a standardised feature."""

    name: ClassVar = "fill_data"
    treats: ClassVar = ("nan_inf", "nonfinite_weights")
    order: ClassVar = 1
    changes: ClassVar = both("Replaces non-finite inputs by 0.", "有限でない入力を 0 に置き換えます。")
    side_effects: ClassVar = both("A filled value looks like a measured one to the network.", "補った値を、ネットワークは測定値と区別できません。")
    reference: ClassVar = "PyTorch documentation, torch.nan_to_num"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the line; ``None`` where the inputs are not to blame (targets are never filled)."""
        if bad_event(finding, trace)["source"] != "batch":
            return None
        return self.prescription(parameters={"value": 0.0}, code="inputs = torch.nan_to_num(inputs, nan=0.0, posinf=0.0, neginf=0.0)")

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose model fills its inputs, and what it makes of them before its first layer; ``None`` where there is nothing to fill."""
        from ._data import with_filled_data

        return with_filled_data(training, float(parameters["value"]))
