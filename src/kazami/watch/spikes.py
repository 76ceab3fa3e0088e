"""A loss that stands out from the recent ones, seen at the moment it comes, so that what else can be measured then is measured."""

from dataclasses import dataclass

LEAST_STEPS = 16
MEMORY = 1 / 16
Z = 6.0
MOST_TOLD = 8  # steps that are recorded for their loss; more would make the recorded ones unlike the others


@dataclass(slots=True)
class SpikeWatch:
    """Running mean and mean absolute deviation of a loss, over about sixteen steps.

    Attributes:
        mean: Of the losses, those that stand out taken as if they did not.
        deviation: Mean absolute deviation from it.
        n: Losses seen.
        told: How many of them stood out.
    """

    mean: float = 0.0
    deviation: float = 0.0
    n: int = 0
    told: int = 0

    def took_usual(self, loss: float) -> bool:
        """Take a loss in if it is finite and does not stand out, else leave it to `stands_out`; return whether it was taken."""
        distance = loss - self.mean
        if not (distance <= Z * 1.2533 * self.deviation and self.n >= LEAST_STEPS and loss > -float("inf")):
            return False
        self.mean += MEMORY * distance
        self.deviation += MEMORY * (abs(distance) - self.deviation)
        self.n += 1
        return True

    def stands_out(self, loss: float) -> bool:
        """Take a loss in and return whether it lies more than six standard deviations above the recent ones, the first eight times."""
        if not abs(loss) < float("inf"):
            return False
        distance = loss - self.mean
        limit = Z * 1.2533 * self.deviation  # of a normal variable the standard deviation is √(π/2) mean absolute deviations
        is_out = self.n >= LEAST_STEPS and distance > limit > 0
        kept = min(distance, limit) if is_out else distance
        share = max(MEMORY, 1 / (self.n + 1))
        self.mean += share * kept
        self.deviation += share * (abs(kept) - self.deviation) if self.n else 0.0
        self.n += 1
        self.told += is_out
        return is_out and self.told <= MOST_TOLD
