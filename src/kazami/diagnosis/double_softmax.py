"""A softmax before a loss that already contains one."""

from typing import ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both


class DoubleSoftmax(AbstractRule):
    """Fires when the live graph has a softmax whose output enters a log-softmax (``cross_entropy`` contains one).

    Exact. The logits then lie in [0, 1], so with C classes the loss cannot fall below log(1 + (C-1)/e) and its gradient is divided by up to C.
    """

    id: ClassVar = "KZ311"
    name: ClassVar = "double_softmax"
    title: ClassVar = both("softmax applied twice", "ソフトマックスの重複")
    family: ClassVar = "structure"
    rank: ClassVar = 6
    wind: ClassVar = -1.0
    can_decide_at: ClassVar = 0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if a softmax stands before a log-softmax."""
        fact = trace.facts.get("softmax_before_log_softmax")
        if not fact:
            return None
        return self.finding(
            confidence=0.97,
            severity="error",
            step=int(fact.get("step", 1)),
            place="the output of the model",
            place_ja="モデルの出力",
            evidence=[
                Evidence(
                    "softmax operations before the loss",
                    2.0,
                    1.0,
                    "",
                    "torch.nn.functional.cross_entropy applies log-softmax itself",
                    name_ja="損失までのソフトマックスの数",
                    source_ja="cross_entropy 自身が log-softmax を含む",
                )
            ],
            sentence=both(
                "The model's output goes through softmax twice: once in the model and once inside the "
                "cross-entropy. The gradient is squeezed and the loss cannot come near zero.",
                "モデルの出力にソフトマックスが二重に掛かっています（モデル内と交差エントロピー内）。勾配が押しつぶされ、損失は0に近づけません。",
            ),
        )
