"""Dropout that leaves next to nothing, or a penalty on the weights that leaves nothing to learn with."""

from typing import ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both, short
from ._progress import is_slow, share_left
from ._sums import GUESSED, HEAVY, outweighed

LIMIT = 0.8
LEAST_STEPS = 30


class OverRegularised(AbstractRule):
    """Fires when dropout silences more than 80 % of a layer's outputs while progress is poor or slow (the rate is read from the masks in the live
    graph), or where a penalty on the weights, written into the loss, has twice the gradient of the error or takes it back while the error stands at guessing.
    """

    id: ClassVar = "KZ307"
    name: ClassVar = "over_regularised"
    title: ClassVar = both("strength of dropout", "ドロップアウトの強さ")
    family: ClassVar = "step"
    rank: ClassVar = 27
    wind: ClassVar = -1.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if dropout leaves too little."""
        penalty = self._by_a_penalty(trace)
        if penalty is not None:
            return penalty
        fact = trace.facts.get("dropout")
        if not fact or fact["rate"] < LIMIT or not is_slow(trace.progress):
            return None
        return self.finding(
            confidence=0.85,
            place="dropout",
            place_ja="ドロップアウト",
            evidence=[
                Evidence("dropout rate", fact["rate"], LIMIT, "", "masks in the live graph", name_ja="ドロップアウト率", source_ja="計算グラフ中のマスク")
            ],
            sentence=both(
                f"Dropout silences {fact['rate']:.0%} of a layer at every step: too little of the signal is left to learn from.",
                f"ドロップアウトが毎ステップ {fact['rate']:.0%} の出力を消しており、学習に必要な信号が残っていません。",
            ),
        )

    def _by_a_penalty(self, trace: Trace) -> Finding | None:
        found = outweighed(trace) if trace.step >= LEAST_STEPS else None
        if found is None or not found[1].get("is_penalty"):
            return None
        error, penalty = found
        ratio = float(penalty["gradient_share"]) / max(float(error["gradient_share"]), 1e-30)
        return self.finding(
            confidence=0.85,
            place="the loss",
            place_ja="損失",
            evidence=[
                Evidence("error over that of the best constant", share_left(error), GUESSED, "", "", name_ja="最良の定数に対する誤差の比"),
                Evidence("gradient of the penalty over that of the error", ratio, HEAVY, "", "", name_ja="罰則項と誤差の勾配の比"),
                Evidence("penalty over its first value", float(penalty["now"] / penalty["first"]), 0.5, "", "", name_ja="罰則項（開始時比）"),
            ],
            sentence=both(
                f"The penalty on the weights (weight {short(float(penalty['weight']))}) outweighs the error: the loss falls by the penalty alone, and the "
                f"error stands at {short(float(error['now']))}, where guessing does.",
                f"重みへの罰則項（係数 {short(float(penalty['weight']))}）が誤差より強く、損失は罰則項の分だけ減り、"
                f"誤差は当て推量と同じ {short(float(error['now']))} のままです。",
            ),
        )
