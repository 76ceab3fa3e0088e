"""How fast the running statistics of a batch normalisation follow the batches."""

import math
from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment
from ._statistics import statistics


class NormMemory(AbstractObservable):
    r"""The momentum in effect, :math:`m = (r_t - r_{t-1})/(\mu_t - r_{t-1})`, from the running means *r* at two looks and the batch mean between them; the
    median over channels.

    Limits:
        Right where every step is looked at, as at the start of a run; between looks further apart it is that of all the steps together.
    """

    name: ClassVar = "norm_memory"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "forward"
    every: ClassVar = 16

    def measure(self, sight: Sight) -> float:
        """Return the momentum, NaN at the first look and for other layers."""
        found = statistics(sight)
        if found is None:
            return math.nan
        mean, _, running, *_ = found
        before = sight.memory.get("running_mean")
        sight.memory["running_mean"] = running.clone()
        if before is None or before.shape != running.shape:
            return math.nan
        share = (running - before) / (mean - before)
        share = share[share.isfinite()]
        return float(share.median()) if share.numel() else math.nan
