"""Take longer steps, as far as the curvature allows."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, learning_rate, measured, optimizer_line, rounded, short

if TYPE_CHECKING:
    from ..maps import Training

SAFE = 0.3  # of the stability limit: curvature usually rises when training gets going (progressive sharpening)
HEALTHY_UPDATE = 1e-3  # of the weights a step
LEAST, MOST = 4.0, 1000.0
UNMEASURED = 10.0


class RaiseLearningRate(AbstractCure):
    r"""Multiplies the learning rate to updates of about a thousandth of the weights, but by no more than :math:`0.3/s`, where *s* is the stability ratio.

    Limits:
        The stability ratio was measured where the training stands; it rises as training goes on, hence 0.3 and not 1.
    """

    name: ClassVar = "raise_learning_rate"
    treats: ClassVar = ("lr_too_low",)
    order: ClassVar = 1
    changes: ClassVar = both("Raises the learning rate.", "学習率を上げます。")
    side_effects: ClassVar = both("The loss becomes noisier.", "損失の揺れが大きくなります。")
    reference: ClassVar = (
        "Cohen et al. 2021, arXiv 2103.00065, section 3 (progressive sharpening); You, "
        "Gitman and Ginsburg 2017, arXiv 1708.03888, section 4 (update beside weight)"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the new learning rate, rounded down."""
        rate = learning_rate(trace)
        if not rate > 0:
            return None
        ratio, update = measured(finding, "stability ratio"), measured(finding, "size of the updates")
        factor = factor_from(ratio, update)
        new = rounded(rate * factor)
        stays = f", still {short(ratio * new / rate)} of its stability limit" if math.isfinite(ratio) else ""
        ja = f"（それでも安定限界の {short(ratio * new / rate)} 倍）" if math.isfinite(ratio) else ""
        return self.prescription(
            parameters={"learning_rate": new, "from": rate},
            code=optimizer_line(trace, f"was lr={rate:.4g}", lr=new),
            sentence=both(f"Raises the learning rate from {rate:.4g} to {new:.4g}{stays}.", f"学習率を {rate:.4g} から {new:.4g} に上げます{ja}。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with the new learning rate; parameter groups keep their ratios."""
        from ._surgery import with_settings

        return with_settings(training, lr=parameters["learning_rate"])


def factor_from(ratio: float, update: float) -> float:
    """Return by what to multiply a learning rate with this stability ratio and this relative update (NaN where one was not measured).

    >>> factor_from(0.001, 1e-5), factor_from(0.01, 1e-6), factor_from(float("nan"), float("nan"))
    (100.0, 30.0, 10.0)
    """
    wanted = HEALTHY_UPDATE / update if update > 0 else UNMEASURED
    allowed = SAFE / ratio if ratio > 0 else MOST
    return round(min(max(wanted, LEAST), max(allowed, 1.0), MOST), 9)
