"""Weight decay that outweighs the gradient."""

from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both, matrices, number, short
from ._curves import norm_over_start


class OverDecay(AbstractRule):
    """Fires when the pull of weight decay on the weights is larger than the optimizer's whole remaining step, weights have shrunk, and progress is poor.

    For decoupled decay the pull is η·λ·‖W‖ a step; for coupled decay λ·‖W‖ is compared with the gradient.
    """

    id: ClassVar = "KZ208"
    name: ClassVar = "over_decay"
    title: ClassVar = both("weight decay", "重み減衰")
    family: ClassVar = "step"
    rank: ClassVar = 28
    wind: ClassVar = -1.5
    curves: ClassVar = {
        "weights left since the start": norm_over_start("weight_norm"),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if decay outweighs the gradient while progress is poor."""
        decay = trace.optimizer.get("weight_decay")
        if not isinstance(decay, int | float) or decay <= 0 or not trace.progress_is_poor or not trace.has("weight_norm", "gradient_norm"):
            return None
        columns = matrices(trace)
        weights, gradients = trace["weight_norm"], trace["gradient_norm"]
        both_seen = np.isin(weights.steps, gradients.steps), np.isin(gradients.steps, weights.steps)
        total_w = np.sqrt(np.sum(weights.values[both_seen[0]][:, columns] ** 2, 1))
        total_g = np.sqrt(np.sum(gradients.values[both_seen[1]][:, columns] ** 2, 1))
        if total_w.size == 0 or not bool(np.isfinite(total_w).all() and np.isfinite(total_g).all()):
            return None
        if str(trace.optimizer.get("name")) == "AdamW":
            pull = decay * number(trace, "learning_rate", 1)
        else:
            pull = float(np.median(decay * total_w / np.maximum(total_g, 1e-30))) * 0.02
        shrunk = float(total_w[-1] / max(total_w[0], 1e-30))
        if pull < 0.01 or shrunk > 0.5:
            return None
        return self.finding(
            confidence=0.85,
            place="weight decay",
            place_ja="重み減衰",
            evidence=[
                Evidence(
                    "weights left since the start",
                    shrunk,
                    0.5,
                    "",
                    "norm of all matrices",
                    name_ja="残っている重みの大きさ（開始時比）",
                    source_ja="全行列のノルム",
                )
            ],
            sentence=both(
                f"Weight decay {short(float(decay))} outweighs the gradient: the weights have "
                f"shrunk to {short(shrunk)} of their start and what is learned fades.",
                f"重み減衰 {short(float(decay))} が勾配より強く働いています。重みが開始時の {short(shrunk)} 倍に縮み、学習した内容が失われています。",
            ),
        )
