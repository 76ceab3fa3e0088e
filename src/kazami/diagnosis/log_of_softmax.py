"""The logarithm of a softmax, taken in two operations."""

from typing import Any, ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both

SMALLEST_FLOAT32_EXPONENT = 103.0  # -ln of the smallest positive float32: a logit this far below the largest has probability exactly 0


class LogOfSoftmax(AbstractRule):
    """Tells that ``log(softmax(x))`` stands in the graph: its value is -inf and its gradient NaN once a logit lies 103 below the largest in float32.

    A remark while all is finite; an error with the first non-finite number.
    """

    id: ClassVar = "KZ312"
    name: ClassVar = "log_of_softmax"
    title: ClassVar = both("logarithm of a softmax", "ソフトマックスの対数")
    family: ClassVar = "structure"
    rank: ClassVar = 9
    wind: ClassVar = 2.0
    can_decide_at: ClassVar = 0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if the graph takes the logarithm of a softmax."""
        fact = trace.facts.get("log_of_softmax")
        if not fact:
            return None
        bad = trace.facts.get("first_bad") or trace.facts.get("bad_gradient")
        from_log = bad is not None and _operation(bad) in ("log", "softmax")
        return self.finding(
            confidence=0.9 if from_log else 0.6,
            severity="error" if from_log else "info",
            step=int(fact.get("step", 1)),
            place="the loss",
            place_ja="損失",
            wind=2.0 if from_log else 0.0,
            rank=3 if from_log else 70,
            evidence=[
                Evidence(
                    "largest safe distance between logits",
                    SMALLEST_FLOAT32_EXPONENT,
                    None,
                    "",
                    "smallest positive float32",
                    name_ja="ロジット間の安全な最大差",
                    source_ja="float32 の最小の正数",
                )
            ],
            sentence=both(
                "The loss takes log(softmax(x)) in two operations: a probability that rounds to zero gives -inf and a NaN gradient. log_softmax is exact.",
                "損失が log(softmax(x)) を二段階で計算しています。0に丸められた確率は -inf と NaN の勾配になります。log_softmax なら正確です。",
            ),
        )


def _operation(bad: dict[str, Any]) -> str:
    """Return the operation an event of non-finite numbers names."""
    return str(bad.get("operation") or (bad.get("singular") or {}).get("operation") or "")
