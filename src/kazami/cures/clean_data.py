"""Take non-finite numbers out of the data."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, bad_event, both

if TYPE_CHECKING:
    from ..maps import Training


class CleanData(AbstractCure):
    """Leaves out the samples whose inputs or targets hold NaN or Inf.

    Limits:
        Find out where they come from: a missing value, a division in the pre-processing, a broken file.
    """

    name: ClassVar = "clean_data"
    treats: ClassVar = ("nan_inf", "nonfinite_weights")
    order: ClassVar = 0
    changes: ClassVar = both("Leaves out samples that are not finite.", "有限でない値を含むサンプルを除きます。")
    side_effects: ClassVar = both(
        "Fewer samples; if values are missing for a reason, the rest is no longer representative.",
        "サンプルが減ります。欠損に理由がある場合は、残りのデータに偏りが生じます。",
    )
    reference: ClassVar = "PyTorch documentation, torch.isfinite and torch.nan_to_num; Rubin 1976, Biometrika 63(3), 581-592 (missing data)"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the filter on inputs or targets; ``None`` where the data are not to blame."""
        source = bad_event(finding, trace)["source"]
        if source not in ("batch", "target"):
            return None
        data = "inputs" if source == "batch" else "target"
        ja = "入力" if source == "batch" else "目標値"
        return self.prescription(
            parameters={"data": data, "step": finding.step},
            code=f"keep = torch.isfinite({data}).reshape(len({data}), -1).all(dim=1)\ninputs, target = inputs[keep], target[keep]",
            sentence=both(
                f"Leaves out samples with NaN or Inf in the {data}; the first came at step {finding.step}.",
                f"{ja}に NaN や Inf を含むサンプルを除きます（最初はステップ {finding.step}）。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training on the samples that are finite; ``None`` where all are, none is, or what is not finite is made inside the model."""
        from ._data import with_clean_data

        return with_clean_data(training, of_targets=parameters["data"] == "target")
