"""Targets far from the scale of the network's output."""

import math
from typing import ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both, number, short
from ._progress import falls_short

LIMIT = 30.0
LEAST_STEPS = 30
LEFT = 4.0  # times the way that the mean output has gone so far is still before it: at this pace as many runs again would not do
UNLEARNED = 0.15
KINDS = ("mse", "l1", "smooth_l1", "huber", "gaussian_nll")


class TargetScaling(AbstractRule):
    """Fires when regression targets lie more than 30 times as far from zero, or are 30 times as wide, as an output of unit scale, while progress is poor.

    A freshly initialised network gives outputs of about unit size or below; its head alone must then travel the whole distance, at a gradient that grows
    with it. An output that is still worse than the best constant, with four times the way before it that it has gone, is evidence enough, however fast the
    loss falls. Targets that are 30 times *smaller* than the output drown in the noise of the initialisation and fire as well; so do targets of several
    columns of which half are 30 times smaller than the largest and are not learned, whatever becomes of the sum.
    """

    id: ClassVar = "KZ304"
    name: ClassVar = "target_scaling"
    title: ClassVar = both("scale of the targets", "目標値の尺度")
    family: ClassVar = "data"
    rank: ClassVar = 21
    wind: ClassVar = 1.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if the targets' scale is far from the output's and progress is poor."""
        if trace.loss_kind not in KINDS or not trace.has("target_mean", "output_mean"):
            return None
        mean, std = number(trace, "target_mean"), number(trace, "target_std")
        out_mean, out_std = number(trace, "output_mean", first=1), number(trace, "output_std", first=1)
        what = f"targets of {short(mean)} ± {short(std)}, output of {short(out_mean)} ± {short(out_std)}"
        ratio = math.hypot(std, mean - out_mean) / max(out_std, 1.0)
        is_clear = trace.progress_is_poor or (ratio > 2 * LIMIT and falls_short(trace.progress, 0.6, 0.3)) or is_far_away(trace, mean, std, out_mean)
        if ratio > LIMIT and is_clear:
            return self._found(trace, ratio, what, confidence=0.65 + 0.3 * min(math.log10(ratio / LIMIT), 1.0))
        small = math.hypot(out_mean - mean, out_std) / max(math.hypot(mean, std), 1e-30)
        if small > LIMIT and std < 0.05 and trace.progress_is_poor and not (trace.progress is not None and trace.progress.is_diverging):
            return self._found(trace, small, what, confidence=0.7)
        return self._columns(trace)

    def _columns(self, trace: Trace) -> Finding | None:
        ratio, explained = number(trace, "target_columns_ratio"), number(trace, "small_columns_explained")
        if trace.step < LEAST_STEPS or not (ratio > LIMIT and explained < UNLEARNED):
            return None
        return self.finding(
            confidence=0.75 + 0.15 * min(math.log10(ratio / LIMIT), 1.0),
            place="the targets",
            place_ja="目標値",
            wind=-1.0,
            evidence=[
                Evidence(
                    "scale of the largest column over that of the small ones",
                    ratio,
                    LIMIT,
                    "",
                    "their share of the loss is its square",
                    "目標値の列の尺度の比",
                    "損失に占める割合はその 2 乗",
                ),
                Evidence("share of the small columns that is explained", explained, UNLEARNED, "", "", name_ja="小さい列の説明された割合"),
            ],
            sentence=both(
                f"Half of the targets' columns are {short(ratio)} times smaller than the largest and are not learned: the loss is that of the large ones.",
                f"目標値の列の半分は最大の列より {short(ratio)} 倍小さく、学習されていません。損失は大きい列だけで決まっています。",
            ),
        )

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


def is_far_away(trace: Trace, mean: float, std: float, start: float) -> bool:
    """Return whether the mean output is further from the targets' mean than these from one another, which is worse than the best constant, and has most of
    the way before it.
    """
    left, gone = abs(mean - number(trace, "output_mean")), abs(number(trace, "output_mean") - start)
    return trace.step >= LEAST_STEPS and left > max(std, LEFT * gone)
