"""The proof: the same batches, as many steps, several seeds, and as a placebo what other seeds alone bring."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..diagnosis import STUCK_EXPLAINED, STUCK_PACE, assess
from ..records import ProofRow
from .subject import AbstractSubject
from .trial import Trial


@dataclass(frozen=True, slots=True)
class Pairs:
    """The unchanged and the changed training, seed by seed.

    Attributes:
        seeds: The seeds.
        before: Trials of the unchanged training.
        after: Trials of the changed one; fewer where the first ones already failed.
    """

    seeds: tuple[int, ...]
    before: tuple[Trial, ...]
    after: tuple[Trial, ...]

    @property
    def rows(self) -> tuple[ProofRow, ...]:
        """One row per seed."""
        return tuple(ProofRow(seed, one.score, other.score) for seed, one, other in zip(self.seeds, self.before, self.after, strict=False))

    @property
    def is_gain(self) -> bool:
        r"""Whether the changed training does better with every seed than the unchanged one with any: :math:`\min_s a_s > \max_s b_s`.

        With three seeds each that has a probability of 1/20 where the change changes nothing (the exact permutation test), whatever the scores' distribution;
        a seed with which a training runs away makes no spread so large that nothing can be proved. Without a score counts as the worst.
        """
        if len(self.after) < len(self.seeds) or any(trial.score is None for trial in self.after):
            return False
        before = [trial.score for trial in self.before if trial.score is not None]
        return min(trial.score for trial in self.after if trial.score is not None) > max(before, default=-math.inf)

    @property
    def mean_after(self) -> float:
        """Mean score of the changed training."""
        scores = [trial.score for trial in self.after if trial.score is not None]
        return sum(scores) / len(scores) if scores else -math.inf


def stands_still(trial: Trial) -> bool:
    """Return whether a watched trial explains next to nothing and gains next to nothing: a training that ran away was only brought to a halt.

    Its loss is below that of the unchanged one, but so is that of weights which never move.
    """
    if trial.trace is None:
        return False
    progress = assess(trial.trace)
    return progress.explained < STUCK_EXPLAINED and progress.pace < STUCK_PACE


def pairs_of(changed: AbstractSubject, seeds: Sequence[int], before: Sequence[Trial], run: Callable[..., Trial], first: Trial | None = None) -> Pairs:
    """Run the changed training once per seed, the first one watched; stop at the first seed that fails or gains nothing.

    Args:
        changed: The changed training.
        seeds: The seeds.
        before: Trials of the unchanged training, one per seed.
        run: Runs one trial of a subject.
        first: The changed training's trial with the first seed, where it was run already, watched.
    """
    after = [first] if first is not None else []
    for seed in seeds[len(after) :]:
        after.append(run(changed, seed=seed, watched=not after))
        own, theirs = after[-1].score, before[len(after) - 1].score
        if own is None or (theirs is not None and own <= theirs):
            break  # one seed without a gain is enough
    return Pairs(tuple(seeds), tuple(before), tuple(after))
