"""Which steps are recorded: a deterministic function of the step number, set from measured cost at fixed steps only."""

from dataclasses import dataclass, field

FIRST = 64
BURST = 2


@dataclass(slots=True)
class Sampling:
    """Records the first steps in full, then bursts of consecutive steps (an even stride would hide an oscillation of period two).

    The stride is reconsidered at steps 64, 128, 256 … only: it is 1 while watching has cost, and would go on to cost, less than ``grace`` seconds in all; otherwise the
    smallest power of two that keeps the cost under ``share`` of the training's time. Where several ranks run, the stride is fixed, so that all agree.

    Attributes:
        every: A fixed stride asked for by the user, or ``None``.
        share: Largest share of the training's time.
        grace: Seconds that may always be spent, in all.
        is_shared: Whether other ranks must agree.
        stride: The present stride.
    """

    every: int | None = None
    share: float = 0.01
    grace: float = 2.0
    is_shared: bool = False
    stride: int = 1
    spent: float = 0.0
    steps_recorded: int = 0
    _decided: int = field(default=0)

    def is_sampled(self, step: int) -> bool:
        """Return whether ``step`` (the first is 1) is recorded."""
        if self.every is not None:
            return step == 1 or step % self.every < (BURST if self.every > 2 else 1)
        if step <= FIRST:
            return True
        return step % self.stride < BURST if self.stride > BURST else True

    def spend(self, seconds: float) -> None:
        """Add to the cost of watching."""
        self.spent += seconds

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
        cost = self.spent / max(self.steps_recorded, 1)
        plain = max(seconds - self.spent, 1e-9) / step
        if self.spent + cost * step <= self.grace:  # as many steps again until the next decision
            self.stride = 1
            return
        stride = 4
        while cost * BURST / stride > self.share * plain and stride < 65536:
            stride *= 2
        self.stride = stride
