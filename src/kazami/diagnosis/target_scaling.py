"""Targets far from the scale of the network's output."""

import math
from typing import ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both, number, short
from ._progress import falls_short

LIMIT = 30.0
KINDS = ("mse", "l1", "smooth_l1", "huber", "gaussian_nll")


class TargetScaling(AbstractRule):
    """Fires when regression targets lie more than 30 times as far from zero, or are 30 times as wide, as an output of unit scale, while progress is poor.

    A freshly initialised network gives outputs of about unit size or below; its head alone must then travel the whole distance, at a gradient that grows
    with it. Targets that are 30 times
    *smaller* than the output drown in the noise of the initialisation and fire as well.
    """

    id: ClassVar = "KZ304"
    name: ClassVar = "target_scaling"
    title: ClassVar = both("scale of the targets", "目標値の尺度")
    family: ClassVar = "data"
    rank: ClassVar = 21
    wind: ClassVar = 1.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if the targets' scale is far from the output's and progress is poor."""
        if trace.loss_kind not in KINDS or not trace.has("target_mean", "output_mean") or not falls_short(trace.progress, 0.6, 0.3):
            return None
        mean, std = number(trace, "target_mean"), number(trace, "target_std")
        out_mean, out_std = number(trace, "output_mean", first=1), number(trace, "output_std", first=1)
        distance = math.hypot(std, mean - out_mean)
        unit = max(out_std, 1.0)
        ratio = distance / unit
        small = out_std / max(distance, 1e-30)
        if not (trace.progress_is_poor or ratio > 2 * LIMIT):
            return None
        if ratio > LIMIT:
            return self._found(
                trace,
                ratio,
                f"targets of {short(mean)} ± {short(std)}, output of {short(out_mean)} ± {short(out_std)}",
                confidence=0.65 + 0.3 * min(math.log10(ratio / LIMIT), 1.0),
            )
        if small > LIMIT and std < 0.05:
            return self._found(trace, small, f"targets of {short(mean)} ± {short(std)}, output of {short(out_mean)} ± {short(out_std)}", confidence=0.6)
        return None

    def _found(self, trace: Trace, ratio: float, what: str, confidence: float) -> Finding:
        diverging = trace.progress is not None and trace.progress.is_diverging
        return self.finding(
            confidence=confidence,
            place="the targets",
            place_ja="目標値",
            wind=1.0 if diverging else -1.0,
            evidence=[
                Evidence(
                    "scale of targets over scale of output",
                    ratio,
                    LIMIT,
                    "",
                    "distance the head must travel",
                    name_ja="目標値と出力の尺度の比",
                    source_ja="出力層が進むべき距離",
                )
            ],
            sentence=both(
                f"The targets' scale is {short(ratio)} times off the output's: {what}.",
                f"目標値の尺度が出力の尺度から {short(ratio)} 倍ずれています（{what.replace('targets of', '目標').replace('output of', '出力')}）。",
            ),
        )
