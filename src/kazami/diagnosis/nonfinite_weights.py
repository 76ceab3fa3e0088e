"""Weights that are no longer finite behind a loss that still is."""

from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both
from ._storms import AFTER_STORM, is_after_storm

LEAST_STEPS = 2


class NonfiniteWeights(AbstractRule):
    """Fires when a gradient or an update was not finite and the loss went on being finite for two steps or more.

    The damage sits where this loss does not look (yet): an embedding row, a branch that is masked out, a parameter of another loss, a bias of minus infinity
    before a ReLU. The first step that carries it to the loss turns that into NaN. Where loss, gradient or update had grown before, the storm's cause ranks
    first.

    Limits:
        Sees what a gradient norm or a recorded update shows; weights that were not finite when they were made are told as ``nan_inf``.
    """

    id: ClassVar = "KZ314"
    name: ClassVar = "nonfinite_weights"
    title: ClassVar = both("finite weights behind a finite loss", "損失が有限な間の重みの有限性")
    family: ClassVar = "symptom"
    rank: ClassVar = 2
    wind: ClassVar = 3.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if weights were spoiled while the loss stayed finite."""
        events = [event for event in (trace.facts.get("bad_gradient"), trace.facts.get("bad_update")) if event]
        losses = trace["loss"]
        if not events:
            return None
        first = min(events, key=lambda event: int(event["step"]))
        after = losses.values[losses.steps > int(first["step"])]
        if after.size < LEAST_STEPS or not bool(np.isfinite(after).all()):
            return None
        singular = first.get("singular") or {}
        after_storm = is_after_storm(trace, {"step": first["step"], "operation": singular.get("operation", "")})
        return self.finding(
            confidence=0.95,
            rank=AFTER_STORM if after_storm else None,
            severity="error",
            step=int(first["step"]),
            place=str(first["place"]),
            evidence=[
                Evidence(
                    "steps with a finite loss after the weights were spoiled",
                    float(after.size),
                    None,
                    "steps",
                    "",
                    name_ja="重みが壊れた後も損失が有限だったステップ数",
                )
            ],
            sentence=both(
                f"`{first['place']}` has not been finite since step {first['step']}, though the loss still is: the first batch that carries it to the loss "
                "will end the run.",
                f"`{first['place']}` はステップ {first['step']} から有限ではありませんが、損失はまだ有限です。これが損失に届く最初のバッチで学習が壊れます。",
            ),
        )
