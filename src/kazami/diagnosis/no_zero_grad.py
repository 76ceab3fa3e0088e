"""Gradients of earlier steps that nobody cleared."""

from typing import ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both

LEAST_STEPS = 3


class NoZeroGrad(AbstractRule):
    """Fires when the gradients that an optimizer step consumed are still in place, number for number, as the next backward begins, three steps in a row.

    Exact: the new gradients are then added to the old ones, and the step follows the sum of all gradients since the start.
    """

    id: ClassVar = "KZ306"
    name: ClassVar = "no_zero_grad"
    title: ClassVar = both("gradients cleared between steps", "ステップ間の勾配の消去")
    family: ClassVar = "structure"
    rank: ClassVar = 4
    wind: ClassVar = 1.5

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if gradients are never cleared."""
        kept = int(trace.facts.get("kept_gradients", 0))
        if kept < LEAST_STEPS or kept < trace.step // 2:
            return None
        return self.finding(
            confidence=0.97,
            severity="error",
            step=2,
            evidence=[
                Evidence(
                    "steps in a row with gradients not cleared",
                    float(kept),
                    float(LEAST_STEPS),
                    "steps",
                    "exact comparison",
                    name_ja="勾配が消去されず続いたステップ数",
                    source_ja="厳密な比較",
                )
            ],
            sentence=both(
                "Gradients are never cleared: every backward adds to those of all earlier steps (zero_grad is missing).",
                "勾配が一度も消去されていません。backward のたびに、以前のすべてのステップの勾配に加算されています（zero_grad がありません）。",
            ),
        )
