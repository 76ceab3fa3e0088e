"""A training taken from a script, without the script's own random numbers put back in every step: whoever asks about randomness sets it himself."""

from ..maps import Training
from ..watch.replay import SameNumbers


def unfrozen(training: Training) -> Training:
    """Return the plain training behind one that puts a script's generators back before each step; any other as it is."""
    return training.train_step.plain if isinstance(training.train_step, SameNumbers) else training
