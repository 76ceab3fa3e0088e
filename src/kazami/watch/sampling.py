"""Which steps are recorded: a deterministic function of the step number, set from measured cost at fixed steps only."""

from dataclasses import dataclass, field

import torch.distributed

FIRST = 64
BURST = 2
SHORT = 1024  # below so many steps a run is short, and is seen at eight bursts at least from one decision to the next, whatever they cost
SHORT_BURSTS = 8


@dataclass(slots=True)
class Sampling:
    """Records the first steps in full, then bursts of consecutive steps (an even stride would hide an oscillation of period two).

    The stride is reconsidered at steps 64, 128, 256 … only: it is 1 while the recorded steps have cost, and would go on to cost, less than ``grace``
    seconds in all; otherwise
    the smallest power of two that keeps the cost of recording, as measured since the last decision, under ``share`` of the training's time. What a step
    costs that is not
    recorded, and curvature with its own budget, come on top. Where several ranks run, the stride is fixed, so that all agree.

    Attributes:
        every: A fixed stride asked for by the user, or ``None``.
        share: Largest share of the training's time.
        grace: Seconds that may always be spent, in all.
        is_shared: Whether other ranks must agree.
        stride: The present stride.
    """

    every: int | None = None
    share: float = 0.005  # half of what watching may cost; the other half is for the steps that are not recorded, and curvature
    grace: float = 1.2
    is_shared: bool = False
    stride: int = 1
    spent: float = 0.0
    steps_recorded: int = 0
    _decided: int = field(default=0)
    _is_recording: bool = field(default=False)
    _recording: float = field(default=0.0)  # seconds spent on recorded steps
    _known: tuple[float, int] = field(default=(0.0, 0))  # the same and their number at the last decision

    def records(self, step: int) -> bool:
        """Return whether ``step`` (the first is 1) is recorded."""
        stride = self.every if self.every is not None else 1 if step <= FIRST else self.stride
        return step == 1 or stride == 1 or step % stride < (BURST if stride > BURST else 1)

    def is_sampled(self, step: int) -> bool:
        """Return whether ``step``, the one in progress, is recorded; what is spent from now on is counted accordingly."""
        self._is_recording = self.records(step)
        return self._is_recording

    def spend(self, seconds: float) -> None:
        """Add to the cost of watching."""
        self.spent += seconds
        if self._is_recording:
            self._recording += seconds

    def decide(self, step: int, seconds: float) -> None:
        """Reconsider the stride if ``step`` is a power of two from 64 on.

        Args:
            step: The step just ended.
            seconds: Wall time of the training so far, watching included.
        """
        if self.every is not None or step < FIRST or step & (step - 1) or step == self._decided:
            return
        self._decided = step
        if self.is_shared:
            self.stride = 64
            return
        known, n_known = self._known if self.steps_recorded > self._known[1] else (0.0, 0)
        cost = max(self._recording - known, 0.0) / max(self.steps_recorded - n_known, 1)
        self._known = self._recording, self.steps_recorded
        plain = max(seconds - self.spent, 1e-9) / step
        if self._recording + cost * step <= self.grace:  # as many steps again until the next decision
            self.stride = 1
            return
        stride = 4
        while cost * BURST / stride > self.share * plain and stride < 65536:
            stride *= 2
        self.stride = stride if step >= SHORT else min(stride, max(step // SHORT_BURSTS, 4))


def several_ranks() -> bool:
    """Return whether this process trains together with others, so that all must record the same steps."""
    return torch.distributed.is_available() and torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1
