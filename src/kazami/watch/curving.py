"""When and how curvature is measured inside a user's backward: seldom, within a budget, and never where it could be noticed."""

import math
import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from torch import Tensor
from torch.optim import Optimizer

from ..curvature import SharpnessTracker
from .extra_backward import runs_once
from .graph import LiveGraph

if TYPE_CHECKING:
    from .observer import Observer

GROWTH = 1.3
BUDGET = 1.5
SHARE = 0.002
FIRST_SECONDS = 1.0
PACE = 0.02  # so fast may the budget be used, so that some is left for later


class CurvatureReader:
    """Measures sharpness on pairs of consecutive steps that lie ever further apart, within 0.2 % of the run's time or 1.5 seconds in all, whichever is larger.

    Limits:
        Hooks that a script hangs on graph nodes themselves (``tensor.grad_fn.register_hook``) cannot be seen and run once more; those of tensors and
        modules end the measuring.
    """

    def __init__(self, *, is_full: bool = False) -> None:
        self.is_full = is_full  # at every recorded step, whatever it costs
        self.spent = 0.0
        self._trackers: WeakKeyDictionary[Optimizer, SharpnessTracker] = WeakKeyDictionary()
        self._next = 2
        self._partner = -1
        self._failures = 0
        self.is_possible = True

    def is_due(self, step: int) -> bool:
        """Return whether curvature is wanted at ``step``: at 2, 3 and then at pairs of steps whose distance grows by 1.3."""
        if self.is_full or step == self._partner:
            return True
        if step < self._next:
            return False
        self._partner = step + 1
        self._next = max(int(step * GROWTH) + 1, step + 2)
        return True

    def wants(self, observer: "Observer") -> bool:
        """Return whether the step in progress is to be measured even where nothing else of it is recorded."""
        is_next = observer.clock == self._partner or observer.clock >= self._next
        return self.is_possible and is_next and not self._is_spent(observer) and not observer.sampling.is_shared and bool(observer.players)

    def next_step(self, observer: "Observer") -> float:
        """Return the first step from now on that may be measured; infinite where the budget is spent until a recorded step asks again."""
        if not self.is_possible:
            return math.inf
        if self.is_full or self._partner == observer.clock:
            return observer.clock
        return math.inf if observer.clock >= self._next and self._is_spent(observer) else self._next

    def _is_spent(self, observer: "Observer") -> bool:
        elapsed = time.perf_counter() - observer.began
        return not self.is_full and self.spent > max(min(BUDGET, FIRST_SECONDS + PACE * elapsed), SHARE * elapsed)

    def read(self, losses: tuple[Tensor | None, ...], graph: LiveGraph, observer: "Observer", numbers: dict[str, float]) -> None:
        """Add sharpness and what comes with it to ``numbers``, or the reason for blindness to the observer."""
        loss = losses[0] if len(losses) == 1 else None
        if not self.is_possible or loss is None or not self.is_due(observer.clock):
            return
        if observer.sampling.is_shared:
            observer.blind["curvature"] = "Curvature is not measured: several ranks train together, and each sees its own part of the batch."
        if self._is_spent(observer) or observer.sampling.is_shared:
            return
        if runs_once(observer) or graph.has_custom_functions() or graph.is_compiled():
            observer.blind["curvature"] = (
                "Curvature is not measured: the script has tensor hooks, custom autograd functions or compiled parts that would run once more."
            )
            return
        player = max(observer.players, key=lambda p: sum(key in p.parameters for key in graph.leaves), default=None)
        optimizer = observer.optimizer_of(player) if player is not None else None
        if player is None or optimizer is None:
            return
        parameters = [p for key, p in player.parameters.items() if key in graph.leaves]
        self._measure(loss, parameters, optimizer, observer, numbers)

    def _measure(self, loss: Tensor, parameters: list[Tensor], optimizer: Optimizer, observer: "Observer", numbers: dict[str, float]) -> None:
        tracker = self._trackers.setdefault(optimizer, SharpnessTracker(max_products=12))
        began = time.perf_counter()
        found = tracker.measure(loss, parameters, optimizer, max_seconds=0.4)
        seconds = time.perf_counter() - began
        self.spent += seconds
        observer.sampling.spend(-seconds)  # curvature keeps to a budget of its own
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
            "sharpness_limit": found.threshold,
            "gradient_curvature": found.gradient_curvature,
            "sharpness_residual": found.residual,
        }
