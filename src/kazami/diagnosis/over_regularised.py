"""Dropout that leaves next to nothing."""

from typing import ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both
from ._progress import is_slow

LIMIT = 0.8


class OverRegularised(AbstractRule):
    """Fires when dropout silences more than 80 % of a layer's outputs while progress is poor or slow (the rate is read from the masks in the live graph)."""

    id: ClassVar = "KZ307"
    name: ClassVar = "over_regularised"
    title: ClassVar = both("strength of dropout", "ドロップアウトの強さ")
    family: ClassVar = "step"
    rank: ClassVar = 27
    wind: ClassVar = -1.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if dropout leaves too little."""
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
