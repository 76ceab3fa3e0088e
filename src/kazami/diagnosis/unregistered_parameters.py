"""Layers in a plain Python list, which nn.Module does not see."""

from typing import ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both


class UnregisteredParameters(AbstractRule):
    """Fires when backward gives gradients to parameters that hang in a list, tuple or dict of a module and are in no optimizer (exact)."""

    id: ClassVar = "KZ313"
    name: ClassVar = "unregistered_parameters"
    title: ClassVar = both("layers registered with their module", "層のモジュールへの登録")
    family: ClassVar = "structure"
    rank: ClassVar = 10
    wind: ClassVar = -1.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if parameters are used but never registered."""
        lost = list(trace.facts.get("unregistered", ()))
        if not lost:
            return None
        where = ", ".join(lost[:3]) + (" …" if len(lost) > 3 else "")
        return self.finding(
            confidence=0.97,
            severity="error",
            place=lost[0],
            evidence=[
                Evidence(
                    "parameters used but not registered",
                    float(len(lost)),
                    0.0,
                    "",
                    "model.parameters() does not give them",
                    name_ja="使われているが未登録のパラメータの数",
                    source_ja="model.parameters() に含まれない",
                )
            ],
            sentence=both(
                f"{len(lost)} parameters are used but will never be trained, because their layers hang in a plain Python container: {where}.",
                f"{len(lost)} 個のパラメータが使われていますが学習されません。層が普通の Python のリストや辞書に入っているためです: {where}",
            ),
        )
