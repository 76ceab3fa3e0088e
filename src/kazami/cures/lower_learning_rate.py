"""Take shorter steps, by a number from the run itself."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, bad_event, both, ended_a_storm, is_adaptive, learning_rate, measured, optimizer_line, rounded, short

if TYPE_CHECKING:
    from ..maps import Training

SAFE = 0.8  # of the stability limit: room for the noise of a batch
LARGEST_FACTOR = 0.25  # a smaller change is lost in the noise of the measurement
SMALLEST_FACTOR = 1e-4  # a blown-up curvature says no more
WILD = 1.0  # of the weights a step
BEYOND = 1.2  # a ratio about 1 is the edge of stability, where many trainings do well
HEALTHY_UPDATE = 0.01  # of the weights a step: a tenth of where lr_too_high speaks
OVERFLOWING = (
    "addmm",
    "mm",
    "bmm",
    "baddbmm",
    "convolution",
    "linear",
    "mul",
    "add",
    "sub",
    "sum",
    "mean",
    "mse",
)  # finite operands of usual size never overflow here
# What is left of the learning rate where nothing was measured: KZ201's own counterfactual is a quarter, KZ203's a half; a number that overflowed had grown
# at least tenfold.
UNMEASURED = {"oscillating_loss": 0.5, "nan_inf": 0.1, "nonfinite_weights": 0.1}


class LowerLearningRate(AbstractCure):
    r"""Sets the learning rate to :math:`0.8\,\eta/s`, where *s* is the sharpness over the optimizer's own threshold.

    Where only the size of the updates is known, to what makes them a hundredth of the weights.

    A gradient step along an eigendirection of curvature :math:`\lambda` multiplies by :math:`1 - \eta\lambda`, and the threshold is proportional to
    :math:`1/\eta` (2/η for gradient descent,
    2(1+β)/η with momentum, 38/η for Adam's defaults), so *s* is proportional to η: 0.8/s takes it to 0.8 of the limit.

    Limits:
        Curvature measured after a blow-up is not that of a healthy training: the factor is held between 1e-4 and 1/4. Adaptive methods obey the smaller of
        both numbers.
    """

    name: ClassVar = "lower_learning_rate"
    treats: ClassVar = (
        "lr_too_high",
        "dead_units",
        "nan_inf",
        "nonfinite_weights",
        "exploding_gradient",
        "oscillating_loss",
        "saturated",
        "saturated_but_moving",
        "train_eval_mismatch",
    )
    order: ClassVar = 1
    changes: ClassVar = both("Lowers the learning rate.", "学習率を下げます。")
    side_effects: ClassVar = both("Needs more steps for the same way.", "同じところに達するまでのステップ数が増えます。")
    reference: ClassVar = "Cohen et al. 2021, arXiv 2103.00065; Cohen et al. 2022, arXiv 2207.14484"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the new learning rate; ``None`` where the finding does not come from steps that are too large."""
        rate = learning_rate(trace)
        if not rate > 0 or not blames_the_steps(finding, trace):
            return None
        factor, en, ja = factor_for(finding, trace)
        new = rounded(rate * factor)
        return self.prescription(
            parameters={"learning_rate": new, "from": rate},
            code=optimizer_line(trace, f"was lr={rate:.4g}", lr=new),
            sentence=both(f"Lowers the learning rate from {rate:.4g} to {new:.4g}{en}.", f"学習率を {rate:.4g} から {new:.4g} に下げます{ja}。"),
            is_singled_out=finding.name in ("lr_too_high", "oscillating_loss") or ended_a_storm(finding),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with the new learning rate; parameter groups keep their ratios."""
        from ._surgery import with_settings

        return with_settings(training, lr=parameters["learning_rate"])


def blames_the_steps(finding: Finding, trace: Trace) -> bool:
    """Return whether a finding can come from too large steps: units that died or saturated on the way, numbers that overflowed, gradients that grew."""
    if finding.name == "dead_units":
        return finding.step > 1
    if finding.name == "saturated":
        return finding.rank >= 45
    if finding.name in ("nan_inf", "nonfinite_weights"):
        event = bad_event(finding, trace)
        overflowed = event["source"] in ("weight", "update") or event["operation"] in OVERFLOWING
        return ended_a_storm(finding) or (overflowed and finding.step > 1)
    return finding.name != "exploding_gradient" or not math.isnan(measured(finding, "over the run"))


def factor_for(finding: Finding, trace: Trace) -> tuple[float, str, str]:
    """Return by what to multiply the learning rate, and why, in both languages.

    The curvature counts, unless the very first step was longer than the weights themselves: what is measured after it is no longer the curvature of the
    start. Adaptive methods take steps of a size of their own from the start, so there the updates count.
    """
    stops, rate = measured(finding, "learning rate below which"), learning_rate(trace)
    if 0 < stops < rate:
        return bounded(SAFE * stops / rate), f", {SAFE} of where the output layer stops swinging", f"（出力層の振動が止まる学習率の {SAFE} 倍）"
    ratio, update = first_ratio(finding, trace), first_update(finding, trace)
    by_curvature = SAFE / ratio if ratio > BEYOND else math.nan
    by_update = HEALTHY_UPDATE / update if update > HEALTHY_UPDATE / LARGEST_FACTOR else math.nan
    if math.isnan(by_curvature) and math.isnan(by_update):
        return UNMEASURED.get(finding.name, LARGEST_FACTOR), "", ""
    is_blurred = update > WILD or is_adaptive(trace)
    if math.isnan(by_curvature) or (is_blurred and not math.isnan(by_update) and (is_adaptive(trace) or by_update > by_curvature)):
        return bounded(by_update), f" (updates were {short(update)} of the weights)", f"（更新量が重みの {short(update)} 倍だったため）"
    factor = bounded(by_curvature)
    en = f", {short(ratio * factor)} of its stability limit (first exceeded {short(ratio)} times)"
    return factor, en, f"（安定限界を初めて超えたときの {short(ratio)} 倍から {short(ratio * factor)} 倍へ）"


def bounded(factor: float) -> float:
    """Return the factor between the smallest and the largest that are sensible."""
    return min(max(factor, SMALLEST_FACTOR), LARGEST_FACTOR)


def first_ratio(finding: Finding, trace: Trace) -> float:
    """Return the stability ratio when it first went beyond its limit, NaN where none was measured.

    What is measured later is the curvature of a training that was thrown off its course.
    """
    shown, seen = measured(finding, "stability ratio"), trace["stability_ratio"].values
    beyond = seen[np.isfinite(seen) & (seen > BEYOND)]
    return min(float(beyond[0]), shown if shown > BEYOND else math.inf) if beyond.size else shown


def first_update(finding: Finding, trace: Trace) -> float:
    """Return the relative update of the first recorded step in the layer that moved least; the finding's own number where that is ordinary or unknown."""
    rows = trace["update_ratio"].values[:1]
    rows = rows[np.isfinite(rows)]
    least = float(rows.min()) if rows.size else math.nan
    return least if least > HEALTHY_UPDATE / LARGEST_FACTOR else measured(finding, "size of the updates")
