"""Inputs far from unit scale."""

from typing import ClassVar

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Trace
from ._base import AbstractRule, both, short
from ._progress import falls_short, is_slow

LARGEST_RMS = 10.0
LEAST_STEPS = 50  # after so many, a loss above that of guessing is no matter of the start
LARGEST_OFFSET = 5.0
LARGEST_RATIO = 100.0
STRONG, EXTREME = 3.0, 10.0  # times the limit: evidence so strong that slow, or merely unfinished, progress is enough


class InputScaling(AbstractRule):
    r"""Fires when the first layer's inputs are far from unit scale, offset, or of very different scales, while progress is poor.

    Initialisation keeps signals at unit size only for inputs of unit size; the curvature of the first layer is :math:`E[xx^T]` times that of its output, so
    its largest eigenvalue grows with rms² and with (mean/std)², and its condition number with the square of the ratio between features (LeCun et al. 1998,
    "Efficient BackProp", section 4.3).
    """

    id: ClassVar = "KZ303"
    name: ClassVar = "input_scaling"
    title: ClassVar = both("scale of the inputs", "入力の尺度")
    family: ClassVar = "data"
    rank: ClassVar = 20
    wind: ClassVar = 1.0
    can_decide_at: ClassVar = 0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if inputs are badly scaled and progress is poor."""
        fact = trace.facts.get("input")
        is_worse_than_guessing = trace.progress is not None and trace.progress.explained < 0 and trace.step >= LEAST_STEPS
        if not fact or not (falls_short(trace.progress, 0.8, 0.12) or is_worse_than_guessing):
            return None
        ratio = fact["largest_std"] / max(fact["typical_std"], 1e-30) if fact["features"] > 1 else 1.0
        measures = [
            (fact["rms"], LARGEST_RMS, "root-mean-square of the inputs", "入力の二乗平均平方根"),
            (fact["offset"] if fact["rms"] > 1.5 else 0.0, LARGEST_OFFSET, "offset of the inputs in standard deviations", "標準偏差を単位とする入力の偏り"),
            (ratio if fact["largest_std"] > 3 else 0.0, LARGEST_RATIO, "ratio between the scales of the features", "特徴量どうしの尺度の比"),
            (0.02 / max(fact["rms"], 1e-30), 1.0, "smallness of the inputs (0.02 / rms)", "入力の小ささ（0.02 / rms）"),
        ]
        value, limit, en, ja = max(measures, key=lambda m: m[0] / m[1])
        if value <= limit:
            return None
        excess = value / limit
        if not (trace.progress_is_poor or excess > EXTREME or (excess > STRONG and is_slow(trace.progress))):
            return None
        return self.finding(
            confidence=0.6 + 0.35 * min((excess - 1) / 9, 1.0),
            place=fact["layer"],
            evidence=[Evidence(en, value, limit, "", "LeCun et al. 1998, section 4.3", name_ja=ja, source_ja="LeCun et al. 1998、4.3 節")],
            wind=-1.0 if "smallness" in en else None,
            sentence=both(
                f"The inputs of {layer_name_of(fact)} are not of unit scale: {en} is {short(value)} (limit {short(limit)}).",
                f"{layer_name_of(fact)} の入力が標準的な尺度から外れています。{ja}が {short(value)}（限度 {short(limit)}）です。",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say that the inputs are of unit scale."""
        fact = trace.facts.get("input")
        if not fact or fact["rms"] > LARGEST_RMS / 2:
            return None
        return both(f"input scale (rms {short(fact['rms'])})", f"入力の尺度（rms {short(fact['rms'])}）")


def layer_name_of(fact: dict[str, object]) -> str:
    """Return the name of the layer that reads the batch, as it stands in sentences."""
    return f"`{fact['layer']}`"
