"""What a run writes down on its way."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class KernelRun:
    """What a run left behind.

    Attributes:
        parameters: Shape ``(members, n_parameters)``; of a retired member those at which it was retired.
        memory: The optimizer's, slot after slot, shape ``(members, slots * n_parameters)``.
        losses: Before every ``record_every``-th step, shape ``(records, members)``; NaN once a member is retired.
        last_mean: Mean of the losses of the last ``mean_of_last`` steps, shape ``(members,)``; NaN if there was none to be taken.
        first_bad_step: The first step whose loss was not finite, counted from the start of training; -1 if there was none. Shape ``(members,)``.
        steps: Steps taken: fewer than asked for if the run was stopped.
        deviation: Deviation vectors afterwards, shape ``(members, k, dimension)``; parameters first, then memory.
        log_growth: Logarithm of what each vector grew by in each window, shape ``(windows, members, k)``.
    """

    parameters: np.ndarray
    memory: np.ndarray
    losses: np.ndarray
    last_mean: np.ndarray
    first_bad_step: np.ndarray
    steps: int
    deviation: np.ndarray | None = None
    log_growth: np.ndarray | None = None


class Records:
    """Collects the records of a run.

    Args:
        n_members: Of the ensemble.
        steps: Expected.
        start: Number of the first step.
        every: After how many steps a loss is kept; 0: none.
        last: How many of the last losses are averaged.
    """

    def __init__(self, n_members: int, steps: int, start: int, every: int, last: int, dtype: np.dtype) -> None:
        """Nothing is written yet."""
        self._every, self._last, self._start, self._steps = every, last, start, steps
        self.losses = np.full((-(-steps // every) if every else 0, n_members), np.nan, dtype)
        self.first_bad = np.full(n_members, -1, np.int64)
        self._total = np.full(n_members, np.nan) if not last else np.zeros(n_members)
        self.growth: list[np.ndarray] = []

    def add(self, done: int, losses: np.ndarray, members: np.ndarray) -> None:
        """Take the losses of the steps after the first ``done`` ones, shape ``(steps, len(members))``."""
        if self._every:
            offset = -done % self._every
            kept = losses[offset :: self._every]
            begin = (done + offset) // self._every
            self.losses[begin : begin + len(kept), members] = kept
        is_bad = ~np.isfinite(losses)
        hit = is_bad.any(axis=0) & (self.first_bad[members] < 0)
        self.first_bad[members[hit]] = self._start + done + is_bad[:, hit].argmax(axis=0)
        begin = max(0, self._steps - self._last - done)
        if self._last and begin < len(losses):
            self._total[members] += losses[begin:].sum(axis=0, dtype=np.float64)

    def retire(self, members: np.ndarray) -> None:
        """Write down that members have no finite loss any more."""
        self._total[members] = np.nan

    def mean(self, steps: int) -> np.ndarray:
        """Return the mean of the last losses."""
        return self._total / max(1, min(self._last, steps))
