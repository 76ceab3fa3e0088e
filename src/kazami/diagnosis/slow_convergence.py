"""A valley: the steep directions are learned, and what is left lies along directions a thousand times flatter."""

import math
from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Floats, Trace
from ._base import AbstractRule, both, is_adaptive, layer_name, number, short
from ._progress import falls_short

FLATTER = 1e3  # as in the observable: directions with an eigenvalue below 1/1000 of the largest are flat
GAIN = 0.1
STANDARD_ERRORS = 3.0
SHARE = 2.0
LOOKS = 16
LEAST_LOOKS = 6
TOO_LOW = 0.05  # of the stability limit: a rate below it is KZ202's


class SlowConvergence(AbstractRule):
    r"""Fires when progress is slow although steps are as long as the steepest direction allows, and what is left to learn is linear in the inputs along
    directions whose eigenvalue of :math:`E[xx^T]` is a thousand times smaller.

    A step that is *r* of the stability limit removes :math:`e^{-1}` of the error along such a direction in :math:`\lambda_1/(2r\lambda_i) > 500/r` steps: as
    long as fewer steps were taken, nothing else is needed to explain why that is not learned.
    """

    id: ClassVar = "KZ205"
    name: ClassVar = "slow_convergence"
    title: ClassVar = both("directions of unequal curvature", "曲率の偏り（悪条件）")
    family: ClassVar = "data"
    rank: ClassVar = 37
    wind: ClassVar = -1.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if what is left to learn lies along flat directions while progress is slow."""
        seen = left_to_learn(trace)
        if seen is None or trace.progress is None or trace.progress.is_diverging or not falls_short(trace.progress, 0.8, 0.12):
            return None
        index, flat, error, sharp = seen
        ratio = number(trace, "stability_ratio", 6)
        reach = FLATTER / (2 * ratio) if ratio > 0 else FLATTER / 2
        if ratio < TOO_LOW or trace.step > reach or flat < max(GAIN, STANDARD_ERRORS * error, SHARE * sharp):
            return None
        place = trace.layers[index]
        condition = largest(trace)
        return self.finding(
            confidence=0.65 + 0.25 * min((flat - GAIN) / 0.4, 1.0) - (0.1 if is_adaptive(trace) else 0.0),
            place=place.name,
            evidence=[
                Evidence(
                    "share of the remaining signal along flat directions",
                    flat,
                    GAIN,
                    "",
                    "3 standard errors",
                    name_ja="平坦な方向に残る信号の割合",
                    source_ja="標準誤差の 3 倍",
                ),
                Evidence("the same along the other directions", sharp, None, "", "", name_ja="それ以外の方向に残る割合"),
                Evidence("condition number of the inputs' second moment", condition, FLATTER, "", "KZ205", name_ja="入力の二次モーメントの条件数"),
                Evidence("steps that the flat directions need", reach, None, "steps", "", name_ja="平坦な方向に必要なステップ数"),
            ],
            sentence=both(
                f"The inputs of {layer_name(place)} have a condition number of {short(condition)}: {flat:.0%} of what is left to learn lies along directions "
                f"that need more than {short(reach)} steps.",
                f"{layer_name(place)} の入力の条件数は {short(condition)} で、残る信号の {flat:.0%} は {short(reach)} ステップ以上かかる平坦な方向です。",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say that little is left along flat directions."""
        seen = left_to_learn(trace)
        if seen is None or seen[1] > GAIN / 2:
            return None
        return both(
            f"inputs of unequal directions ({max(seen[1], 0.0):.0%} of the signal lies along flat ones)",
            f"入力の悪条件（平坦な方向に残る信号は {max(seen[1], 0.0):.0%}）",
        )


def left_to_learn(trace: Trace) -> tuple[int, float, float, float] | None:
    """Return, for the layer that reads the batch, its column, the mean share of the signal along flat directions, its standard error, and the mean share along
    the others; ``None`` where they were looked at too seldom.
    """
    flat, sharp = (_newest(trace, name) for name in ("flat_gain", "sharp_gain"))
    columns = [index for index in range(min(flat.shape[1], len(trace.layers))) if np.isfinite(flat[:, index]).sum() >= LEAST_LOOKS]
    if not columns:
        return None
    index = columns[0]
    values, others = flat[:, index], sharp[:, index] if sharp.shape == flat.shape else np.array([np.nan])
    values, others = values[np.isfinite(values)], others[np.isfinite(others)]
    error = float(np.std(values, ddof=1)) / math.sqrt(values.size)
    return index, float(np.mean(values)), error, float(np.mean(others)) if others.size else 0.0


def _newest(trace: Trace, name: str) -> Floats:
    rows = trace[name].values[-LOOKS:]
    return rows if rows.ndim == 2 else np.empty((0, 0))


def largest(trace: Trace) -> float:
    """Return the newest condition number of the inputs."""
    values = trace["input_condition"].values
    values = values[np.isfinite(values)]
    return float(values[-1]) if values.size else math.nan
