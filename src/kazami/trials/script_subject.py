"""A user's script as something to be tried: each trial is a replay from step 0 in a process of its own, with the change written into its source."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..edits import Script, edited
from ..errors import KazamiError
from ..records import Prescription, Trace
from .replayed import Replay
from .replays import Replays
from .subject import AbstractSubject
from .trial import Trial

EXPLAINED, VALIDATION = "explained", "-validation loss"
BEYOND_TRAINING = ("overfitting", "train_eval_mismatch")  # what the training's own loss does not show
NEWEST = 10  # the last tenth of the losses, at most 50 of them, is "now"
LEAST_SHARE = 0.5  # what takes fewer of the steps than most of them is another training, whatever its loss
LONGER = 5.0  # a changed script may take so many times as long as the original, no more


@dataclass(slots=True)
class ScriptFacts:
    """What the first replay told of a script, and what the trials have in common.

    Attributes:
        steps: Optimizer steps of each trial.
        seconds: Seconds that a trial may take.
        learning_rate: Of the first parameter group.
        measure: ``"explained"``: 1 − loss / the trivial predictor's loss (the unchanged script's first loss where that is not known), the loss being the
            median of the last tenth; ``"-validation loss"``: minus the newest validation loss that the script itself computed.
        first_losses: The unchanged script's first loss, by seed offset.
    """

    steps: int
    seconds: float
    learning_rate: float
    measure: str
    first_losses: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScriptSubject(AbstractSubject):
    """A script, perhaps with changes written into it.

    Attributes:
        replays: Runs it.
        original: The user's files.
        script: The same with the changes.
        facts: What all trials have in common.
    """

    replays: Replays
    original: Script
    script: Script
    facts: ScriptFacts
    training: None = None

    @property
    def seed(self) -> int:
        """Its own seeds: the offset 0."""
        return 0

    @property
    def measure(self) -> str:
        """What its score is."""
        return self.facts.measure

    @property
    def learning_rate(self) -> float:
        """The learning rate of the first parameter group."""
        return self.facts.learning_rate

    def changed(self, changes: Sequence[Prescription]) -> "ScriptSubject | None":
        """Return the script with all of the changes written into its source, ``None`` where the place of one of them was not found."""
        script, left = edited(self.original, changes)
        has_changed = script.files != self.script.files
        return ScriptSubject(self.replays, self.original, script, self.facts) if not left and has_changed else None

    def trial(self, *, seed: int, watched: bool = False) -> Trial:
        """Replay it once, its seeds moved by ``seed``."""
        del watched  # a replay is always watched
        new = {path: text for path, text in self.script.files.items() if self.original.files.get(path) != text}
        seconds = self.facts.seconds * (LONGER if new else 1.0)
        try:
            replay: Replay = self.replays.run(files=new, offset=seed, steps=self.facts.steps, seconds=seconds)
        except KazamiError as error:
            return Trial([], None, str(error))
        if not new and replay.losses:
            self.facts.first_losses[seed] = replay.losses[0]
        if new and self.facts.measure == EXPLAINED and not replay.error and len(replay.losses) < LEAST_SHARE * self.facts.steps:
            replay.error = f"it took only {len(replay.losses)} of {self.facts.steps} steps"  # as what leaves out every step with a bad gradient may do
        return trial_of(replay, self.facts, seed)


def trial_of(replay: Replay, facts: ScriptFacts, seed: int) -> Trial:
    """Return a replay as a trial with its score."""
    score = None if replay.error else score_of_losses(replay.losses, replay.trace, facts.measure, facts.first_losses.get(seed, math.nan))
    return Trial(replay.losses, score, replay.error, replay.findings, replay.seconds, replay.trace, replay.refused)


def score_of_losses(losses: Sequence[float], trace: Trace, measure: str, first: float) -> float | None:
    """Return the score of a replay, higher is better, ``None`` where its end is not finite or nothing can be said.

    Args:
        losses: One per step.
        trace: What was seen.
        measure: As in `ScriptFacts`.
        first: The unchanged script's first loss, the reference where the trivial predictor's is not known.
    """
    if measure == VALIDATION:
        seen = trace["validation_loss"].values
        return -float(seen[-1]) if seen.size and math.isfinite(seen[-1]) else None
    newest = np.asarray(losses[-max(1, min(len(losses) // NEWEST, 50)) :])
    if not newest.size or not bool(np.isfinite(newest).all()):
        return None
    trivial = trace.trivial_loss
    reference = trivial if trivial is not None and trivial > 0 else abs(first)
    return 1 - float(np.median(newest)) / reference if reference > 0 else None
