"""Keep the weights that validated best."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both

if TYPE_CHECKING:
    from ..maps import Training


class EarlyStopping(AbstractCure):
    """Stores the weights at the lowest validation loss, so that what is learned by heart afterwards does no harm."""

    name: ClassVar = "early_stopping"
    treats: ClassVar = ("overfitting",)
    order: ClassVar = 1
    changes: ClassVar = both("Keeps the weights of the lowest validation loss.", "検証損失が最小のときの重みを残します。")
    side_effects: ClassVar = both(
        "The validation set takes part in a choice: report results on a third set.", "検証データが選択に使われるため、結果は別のデータで報告してください。"
    )
    reference: ClassVar = "Prechelt 1998, Early stopping - but when?, in Neural Networks: Tricks of the Trade, Springer LNCS 1524, 55-69"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines for the loop over epochs."""
        del finding, trace
        return self.prescription(
            parameters={"keep": "best"}, code='if validation_loss < best:\n    best = validation_loss\n    torch.save(model.state_dict(), "best.pt")'
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose model is evaluated with the weights that ``evaluate`` liked best; ``None`` without ``evaluate``, or with a closure."""
        from ._evaluation import with_best_weights

        del parameters
        return with_best_weights(training)
