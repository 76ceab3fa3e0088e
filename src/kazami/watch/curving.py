"""When and how curvature is measured inside a user's backward: seldom, within a budget, and never where it could be noticed."""

import time
from typing import TYPE_CHECKING

from torch import Tensor

from ..curvature import SharpnessTracker
from .graph import LiveGraph

if TYPE_CHECKING:
    from .observer import Observer

GROWTH = 1.3
BUDGET = 1.5
SHARE = 0.01


class CurvatureReader:
    """Measures sharpness on pairs of consecutive steps that lie ever further apart, within 1 % of the run's time or 1.5 seconds in all, whichever is larger."""

    def __init__(self) -> None:
        self.spent = 0.0
        self._trackers: dict[int, SharpnessTracker] = {}
        self._next = 2
        self._partner = -1
        self._failures = 0
        self.is_possible = True

    def is_due(self, step: int) -> bool:
        """Return whether curvature is wanted at ``step``: at 2, 3 and then at pairs of steps whose distance grows by 1.3."""
        if step == self._partner:
            return True
        if step < self._next:
            return False
        self._partner = step + 1
        self._next = max(int(step * GROWTH) + 1, step + 2)
        return True

    def read(self, tensors: tuple[Tensor, ...], graph: LiveGraph, observer: "Observer", numbers: dict[str, float]) -> None:
        """Add sharpness and what comes with it to ``numbers``, or the reason for blindness to the observer."""
        if not self.is_possible or len(tensors) != 1 or not self.is_due(observer.clock):
            return
        elapsed = time.perf_counter() - observer.began
        if self.spent > max(BUDGET, SHARE * elapsed) or observer.sampling.is_shared:
            return
        if "tensor_hooks" in observer.noticed_things or graph.has_custom_functions() or graph.is_compiled():
            observer.blind["curvature"] = (
                "Curvature is not measured: the script has tensor hooks, custom autograd functions or compiled parts that would run once more."
            )
            return
        player = max(observer.players, key=lambda p: len(p.parameters.keys() & graph.leaves.keys()), default=None)
        optimizer = observer.optimizer_of(player) if player is not None else None
        if player is None or optimizer is None:
            return
        parameters = [p for key, p in player.parameters.items() if key in graph.leaves]
        self._measure(tensors[0], parameters, optimizer, observer, numbers)

    def _measure(self, loss: Tensor, parameters: list[Tensor], optimizer: object, observer: "Observer", numbers: dict[str, float]) -> None:
        tracker = self._trackers.setdefault(id(optimizer), SharpnessTracker(max_products=12))
        began = time.perf_counter()
        found = tracker.measure(loss, parameters, optimizer, max_seconds=0.4)  # type: ignore[arg-type]
        self.spent += time.perf_counter() - began
        if found is None:
            self._failures += 1
            if self._failures >= 3:
                self.is_possible = False
                observer.blind["curvature"] = f"Curvature is not measured: {tracker.blind_reason}"
            return
        observer.blind.pop("curvature", None)
        numbers |= {
            "sharpness": found.value,
            "stability_ratio": found.stability_ratio,
            "gradient_curvature": found.gradient_curvature,
            "sharpness_residual": found.residual,
        }
