"""Drop fewer units."""

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, measured, short

if TYPE_CHECKING:
    from ..maps import Training

USUAL = 0.2


class LowerDropout(AbstractCure):
    """Sets every dropout to 0.2, the upper end of what hidden layers of small networks bear without needing more units."""

    name: ClassVar = "lower_dropout"
    treats: ClassVar = ("over_regularised",)
    order: ClassVar = 1
    changes: ClassVar = both("Lowers the dropout rate.", "ドロップアウト率を下げます。")
    side_effects: ClassVar = both("Less regularisation: watch the validation loss.", "正則化が弱まります。検証損失に注意してください。")
    reference: ClassVar = "Srivastava et al. 2014, Dropout, Journal of Machine Learning Research 15, 1929-1958, section 7.3"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the loop over the dropout modules; ``None`` where the evidence speaks of something else."""
        del trace
        rate = measured(finding, "dropout")
        if not math.isnan(rate) and rate <= USUAL:
            return None
        if math.isnan(rate) and finding.evidence:
            return None
        was = "" if math.isnan(rate) else f"  # was {rate:.2g}"
        en = "" if math.isnan(rate) else f" from {short(rate)}"
        ja = "" if math.isnan(rate) else f" {short(rate)} から"
        return self.prescription(
            parameters={"p": USUAL},
            code=f"for module in model.modules():\n    if isinstance(module, nn.Dropout):\n        module.p = {USUAL:g}{was}",
            sentence=both(f"Lowers dropout{en} to {USUAL:g}.", f"ドロップアウト率を{ja} {USUAL:g} に下げます。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with this dropout rate wherever a module or a call of a function has a higher one; ``None`` where none has."""
        from ._fresh import goes
        from ._order import FUNCTIONS
        from ._surgery import SwapsWhileForward, with_model

        limit, rates = float(parameters["p"]), list[float]()

        def lowered(function: Any, x: Any, p: float = 0.5, *rest: Any, **keywords: Any) -> Any:
            return function(x, min(p, limit), *rest, **keywords)

        def noted(function: Any, x: Any, p: float = 0.5, *rest: Any, **keywords: Any) -> Any:
            rates.append(p)
            return function(x, p, *rest, **keywords)

        goes(with_model(training, SwapsWhileForward({one: partial(noted, one) for one in FUNCTIONS["dropout"]}).attach))
        swaps = SwapsWhileForward({one: partial(lowered, one) for one in FUNCTIONS["dropout"]})
        return with_model(training, swaps.attach) if any(rate > limit for rate in rates) else None
