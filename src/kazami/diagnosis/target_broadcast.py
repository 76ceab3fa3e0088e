"""Output and target of different shapes that broadcast: every prediction is compared with every target."""

from typing import ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both


class TargetBroadcast(AbstractRule):
    """Fires when a loss is taken between shapes such as ``(N, 1)`` and ``(N,)``, which broadcast to ``(N, N)``: the best answer is then the mean of all
    targets.

    Exact: read from the shapes of the loss call, or of the subtraction in the live graph.

    Limits:
        A table of all pairs that is wanted (a ranking or contrastive loss) has gradients on both sides and does not fire.
    """

    id: ClassVar = "KZ310"
    name: ClassVar = "target_broadcast"
    title: ClassVar = both("shapes of output and target", "出力と目標の形")
    family: ClassVar = "structure"
    rank: ClassVar = 5
    wind: ClassVar = -2.0
    can_decide_at: ClassVar = 0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if output and target broadcast against one another."""
        fact = trace.facts.get("target_broadcast")
        if not fact:
            return None
        output, target = tuple(fact["output"]), tuple(fact["target"])
        n = max((*output, *target))
        return self.finding(
            confidence=0.97,
            severity="error",
            step=int(fact.get("step", 1)),
            place="the loss",
            place_ja="損失",
            evidence=[
                Evidence("terms in the loss", float(n * n), float(n), "", "one term per prediction", name_ja="損失の項の数", source_ja="予測 1 つにつき 1 項")
            ],
            sentence=both(
                f"The loss compares every prediction with every target: output {output} and target "
                f"{target} broadcast to {n} × {n}, so the network can only learn the mean.",
                f"損失がすべての予測をすべての目標と比べています。出力 {output} と目標 {target} が {n} × {n} に拡張されるため、平均しか学習できません。",
            ),
        )
