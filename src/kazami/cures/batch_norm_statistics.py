"""Let evaluation use the statistics of the present weights."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training


class BatchNormStatistics(AbstractCure):
    """Takes the running mean and variance of batch normalisation again, as plain averages over the training batches at the present weights (PreciseBN).

    Limits:
        Where batches of one or two samples are the cause, no average helps: take another normalisation.
    """

    name: ClassVar = "batch_norm_statistics"
    treats: ClassVar = ("train_eval_mismatch",)
    order: ClassVar = 2
    changes: ClassVar = both("Takes the statistics of batch normalisation again before evaluation.", "評価の前にバッチ正規化の統計量を取り直します。")
    side_effects: ClassVar = both("One forward pass over some training batches before each evaluation.", "評価のたびに、訓練バッチでの順伝播が必要になります。")
    reference: ClassVar = (
        "Wu and Johnson 2021, Rethinking 'Batch' in BatchNorm, arXiv 2105.07576, section 3; PyTorch documentation, torch.optim.swa_utils.update_bn"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the line."""
        del finding, trace
        return self.prescription(parameters={"recalibrate": True}, code="torch.optim.swa_utils.update_bn(train_loader, model)  # before model.eval()")

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose model takes its statistics again before each evaluation; ``None`` where it normalises no batches."""
        from ._evaluation import with_statistics_again

        del parameters
        return with_statistics_again(training)
