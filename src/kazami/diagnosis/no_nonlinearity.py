"""A deep network that is secretly linear."""

from typing import ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both

WORKS = 0.7


class NoNonlinearity(AbstractRule):
    """Fires when two or more weight layers follow one another with no operation between input and output that bends (exact, from the live graph).

    Such a network equals one matrix. A layer narrower than both its ends limits the rank on purpose (linear auto-encoder, factorisation) and does not fire;
    a training that explains 70 % of its loss all the same gets a remark only.
    """

    id: ClassVar = "KZ301"
    name: ClassVar = "no_nonlinearity"
    title: ClassVar = both("non-linearity between layers", "層の間の非線形性")
    family: ClassVar = "structure"
    rank: ClassVar = 9
    wind: ClassVar = -1.0
    can_decide_at: ClassVar = 0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if the whole network is affine."""
        fact = trace.facts.get("affine_chain")
        seen = trace.facts.get("seen", {})
        if not fact or fact["narrowest"] < min(fact["inputs"], fact["outputs"]) or seen.get("affine_chain", 1) < seen.get("graphs", 1):
            return None
        if not {"adversarial", "turned"}.isdisjoint(trace.facts) and fact["layers"] <= 2:
            return None  # the product of two players' moves, on which they pull: it is the game itself
        works = trace.progress is not None and trace.progress.explained > WORKS
        return self.finding(
            confidence=0.95,
            severity="info" if works else "warning",
            step=int(fact.get("step", 1)),
            wind=0.0 if works else None,
            rank=80 if works else None,
            evidence=[
                Evidence(
                    "weight layers in a row without an activation",
                    float(fact["layers"]),
                    1.0,
                    "",
                    "a product of matrices is one matrix",
                    name_ja="活性化関数なしで続く層の数",
                    source_ja="行列の積は一つの行列",
                )
            ],
            sentence=both(
                f"The network is linear: its {fact['layers']} weight layers have no activation between "
                f"them and equal one matrix of {fact['inputs']} × {fact['outputs']}.",
                f"このネットワークは線形です。{fact['layers']} 個の層の間に活性化関数がなく、{fact['inputs']} × {fact['outputs']} の一つの行列と同じです。",
            ),
        )
