"""Take the logarithm of a softmax in one operation."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training


class LogSoftmax(AbstractCure):
    r"""Replaces ``log(softmax(x))`` by :math:`x - \operatorname{logsumexp}(x)`, which is finite for all finite logits."""

    name: ClassVar = "log_softmax"
    treats: ClassVar = ("log_of_softmax", "nan_inf")
    order: ClassVar = 0
    changes: ClassVar = both("Computes the logarithm of the softmax in one exact operation.", "ソフトマックスの対数を、一つの正確な演算で計算します。")
    side_effects: ClassVar = both(
        "None: the values are the same wherever the old ones were finite.", "ありません。元の値が有限だったところでは同じ値になります。"
    )
    reference: ClassVar = (
        "Blanchard, Higham and Higham 2021, Accurately computing the log-sum-exp and softmax functions, IMA Journal of Numerical Analysis 41(4), 2311-2330"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the one operation; for a non-finite number only where a softmax stands under the logarithm."""
        if finding.name == "nan_inf" and not (trace.facts.get("log_of_softmax") and "log" in f"{finding.place} {finding.sentence.en}"):
            return None
        return self.prescription(
            parameters={"dim": -1}, code="log_probabilities = F.log_softmax(logits, dim=-1)  # not torch.log(torch.softmax(logits, dim=-1))"
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training that takes the logarithm of a softmax in one operation, in model or loss; ``None`` where its first step takes none."""
        from ._twins import with_carried_logs

        del parameters
        return with_carried_logs(training, ignores_slight=True)
