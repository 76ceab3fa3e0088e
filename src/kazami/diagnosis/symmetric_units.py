"""Units that are copies of one another and stay so."""

from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both, early, hidden, layer_name, recent

LIMIT = 0.5


class SymmetricUnits(AbstractRule):
    """Fires when more than half of a hidden layer's units have the same weights and the same gradients as another, from the start until now.

    Equal units stay equal under every gradient method: the layer then has the capacity of a single unit. Zero or constant initialisation is the usual cause.
    """

    id: ClassVar = "KZ107"
    name: ClassVar = "symmetric_units"
    title: ClassVar = both("units that differ from one another", "ユニット同士の違い")
    family: ClassVar = "initialisation"
    rank: ClassVar = 13
    wind: ClassVar = -2.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if a hidden layer's units are copies."""
        born, now = early(trace, "distinct_units", 1), recent(trace, "distinct_units", 5)
        copies = [i for i in hidden(trace) if trace.layers[i].fan_out > 2 and born[i] <= LIMIT and now[i] <= LIMIT]
        if not copies or (trace.progress is not None and trace.progress.explained > 0.7):
            return None
        first = trace.layers[copies[0]]
        distinct = round(float(np.nanmin(now[copies])) * first.fan_out)
        return self.finding(
            confidence=0.95,
            severity="error",
            place=first.name,
            evidence=[
                Evidence(
                    "different units",
                    float(distinct),
                    float(first.fan_out),
                    "units",
                    "identical weights and gradients",
                    name_ja="異なるユニットの数",
                    source_ja="重みと勾配が同一",
                )
            ],
            sentence=both(
                f"The units of {layer_name(first)} are copies of one another ({distinct} of "
                f"{first.fan_out} differ) and get the same gradient, so they can never part.",
                f"{layer_name(first)} のユニットは互いに同じもので（異なるのは {first.fan_out} 個中 {distinct} 個）、勾配も同じため、いつまでも分かれません。",
            ),
        )
