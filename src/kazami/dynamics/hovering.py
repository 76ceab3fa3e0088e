"""Sharpness along an orbit against the optimizer's own threshold, averaged over two consecutive steps."""

import math
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from ..curvature import SharpnessTracker
from ..maps import TrainingMap

# Of the threshold. Below: where trainings at the edge are found (Cohen et al. 2021, 2022). Above: the two sides of a hop of finite size have a mean beyond 1.
LOWEST, HIGHEST = 0.9, 1.3


@dataclass(slots=True)
class Hovering:
    """Measures the sharpness at pairs of consecutive states of a training's orbit.

    At the edge the iterates hop across the valley, so that one parity alone may read half or twice the truth: each number is the mean of two.

    Attributes:
        m: The map.
        ratios: Mean sharpness of each pair over the threshold.
        reason: Why nothing could be measured, else empty.
    """

    m: TrainingMap
    ratios: list[float] = field(default_factory=list)
    reason: str = ""
    tracker: SharpnessTracker = field(default_factory=SharpnessTracker)

    def look(self, step: int, before: Tensor, after: Tensor) -> None:
        """Measure at one pair of states; the first is that of step ``step``."""
        if self.reason:
            return
        pair = [self._ratio(state, self.m.time + step + later) for later, state in enumerate((before, after))]
        if all(math.isfinite(ratio) for ratio in pair):
            self.ratios.append(float(np.mean(pair)))

    @property
    def ratio(self) -> float:
        """The median ratio; NaN where nothing could be measured."""
        return float(np.median(self.ratios)) if self.ratios else math.nan

    @property
    def has_crossed(self) -> bool:
        """Whether the sharpness went beyond the threshold, where a quadratic loss would diverge."""
        return max(self.ratios, default=0.0) > 1.0

    @property
    def is_near(self) -> bool:
        """Whether the sharpness stays at the threshold: the median, and three quarters of all pairs."""
        inside = [LOWEST <= ratio <= HIGHEST for ratio in self.ratios]
        return len(inside) >= 3 and LOWEST <= self.ratio <= HIGHEST and float(np.mean(inside)) >= 0.75

    def _ratio(self, state: Tensor, time: int) -> float:
        if time == 0 and self.m.layout.dimension > self.m.n_parameters:
            return math.nan  # no memory yet to scale the Hessian by
        self.m.write_memory(state, time)
        found = self.tracker.measure(self.m.field.loss_at(time), self.m.layout.parameters, self.m.optimizer)
        if found is None:
            self.reason = self.tracker.blind_reason or "the sharpness could not be measured"
            return math.nan
        return found.stability_ratio
