"""Share of ReLU units that were silent on every sample of the last recorded steps."""

from typing import ClassVar

import torch

from ..layers import Sight
from ._base import AbstractObservable, Moment, rectified, signal

WINDOW = 50


class DeadShare(AbstractObservable):
    """Share of units of a ReLU that gave exactly zero on all samples of the last 50 recorded steps (of all recorded steps while there are fewer)."""

    name: ClassVar = "dead_share"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "forward"
    every: ClassVar = 4

    def measure(self, sight: Sight) -> float:
        """Return the share, NaN for activations that cannot die."""
        result = rectified(sight)
        if result is None:
            return float("nan")
        rows = 256 if "dead_share_last" in sight.memory else 4096
        alive = ~(signal(result, sight.unit_axis, most_rows=rows).amax(0) <= 0)  # a NaN is not silence
        now = sight.memory["dead_share_now"] = sight.memory.get("dead_share_now", 0) + 1
        last = sight.memory.get("dead_share_last")
        if last is None or last.shape != alive.shape:
            last = torch.full(alive.shape, -WINDOW, dtype=torch.int64, device=alive.device)
            sight.memory["dead_share_first"] = now
        last = torch.where(alive, now, last)
        sight.memory["dead_share_last"] = last
        oldest = max(now - WINDOW, sight.memory["dead_share_first"] - 1)
        return float((last <= oldest).float().mean())
