"""The order of the search: what leaves the cause as it is comes last, and what helps is proved though others were still to be tried."""

import math
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from kazami.records import Finding, Prescription, Sentence, Series, Trace
from kazami.trials.replayed import Replay
from kazami.trials.script_subject import EXPLAINED, ScriptFacts, ScriptSubject
from kazami.trials.search import Search
from kazami.trials.subject import AbstractSubject
from kazami.trials.trial import Trial

NOTHING = Sentence("", "")
PAUSE = 0.02
clock = SimpleNamespace(now=0.0)


@pytest.fixture(autouse=True)
def time_that_only_trials_take(monkeypatch):
    """Nothing else takes time: how busy the machine is decides nothing."""
    monkeypatch.setattr("kazami.trials.search.time", SimpleNamespace(perf_counter=lambda: clock.now))


def finding(name, *cures, is_primary=False):
    prescriptions = tuple(Prescription(name=cure, parameters={}, code="", sentence=NOTHING) for cure in cures)
    return Finding(
        id="KZ1", name=name, severity="error", confidence=0.9, step=1, place="", sentence=NOTHING, is_primary=is_primary, prescriptions=prescriptions
    )


@dataclass(frozen=True)
class Described(AbstractSubject):
    """A training that ends as a table says: for the names of its changes, a score and the findings that are left."""

    ends: dict[tuple[str, ...], tuple[float, list[Finding]]]
    changes: tuple[str, ...] = ()
    training: None = None
    seed: int = 0
    measure: str = "score"
    learning_rate: float = math.nan
    halted: tuple[str, ...] = ("none",)

    def changed(self, changes):
        names = tuple(change.name for change in changes)
        return replace(self, changes=names) if names in self.ends else None

    def trial(self, *, seed, watched=False):
        clock.now += PAUSE
        score, findings = self.ends[self.changes]
        losses = np.full(60, 1.0) if self.changes == self.halted else np.linspace(1.0, 0.5, 60)
        trace = Trace(step=60, series={"loss": Series(np.arange(1, 61), losses)}, trivial_loss=1.0)
        return Trial([1.0], score + 0.001 * seed, findings=findings, seconds=PAUSE, trace=trace if watched else None)


def searched(ends, *, budget=60.0, until=math.inf, halted=("none",)):
    search = Search(Described(ends, halted=halted), 3, budget, None, started=clock.now)
    search.begin_with(search.run(search.subject, seed=0, watched=True))
    return search.proof(until)


def test_what_cures_the_cause_goes_before_what_gains_more_and_leaves_it():
    cause, other = finding("no_zero_grad", "zero_grad", is_primary=True), finding("dead_units", "lower_momentum")
    proof = searched({(): (0.0, [cause, other]), ("zero_grad",): (0.7, []), ("lower_momentum",): (0.9, [cause])})
    assert proof.cured
    assert [change.name for change in proof.changes] == ["zero_grad"]


def test_what_helps_is_proved_though_the_time_for_trying_is_over():
    cause = finding("target_scaling", "standardise_targets", *(f"useless_{number}" for number in range(40)), is_primary=True)
    ends = {(): (0.0, [cause]), ("standardise_targets",): (0.9, [])} | {(f"useless_{number}",): (-1.0, [cause]) for number in range(40)}
    proof = searched(ends, until=8 * PAUSE)
    assert proof.cured
    assert [change.name for change in proof.changes] == ["standardise_targets"]
    assert len(proof.tried) < 20


def test_where_nothing_helps_the_time_for_trying_is_kept():
    cause = finding("target_scaling", *(f"useless_{number}" for number in range(40)), is_primary=True)
    proof = searched({(): (0.0, [cause])} | {(f"useless_{number}",): (-1.0, [cause]) for number in range(40)}, until=8 * PAUSE)
    assert not proof.cured
    assert len(proof.tried) < 20


class Replayed:
    """Replays that take so many steps."""

    def __init__(self, steps):
        self.steps = steps

    def run(self, **job):
        return Replay(losses=[0.1] * self.steps)


def test_a_change_that_leaves_out_most_steps_has_no_score():
    class Text:
        def __init__(self, text):
            self.files = {"train.py": text}

    def trial(steps, measure=EXPLAINED):
        facts = ScriptFacts(steps=100, seconds=1.0, learning_rate=0.1, measure=measure, first_losses={0: 1.0})
        return ScriptSubject(Replayed(steps), Text("old"), Text("new"), facts).trial(seed=0)

    assert trial(100).score == trial(51).score == 0.9
    assert trial(49).score is None
    assert trial(49).error == "it took only 49 of 100 steps"


def test_a_runaway_that_was_brought_to_a_halt_is_not_cured():
    """With steps of nearly nothing the loss stays where it began: below that of the unchanged training with every seed, and nothing is learned."""
    runaway, halted = finding("lr_too_high", "clip_gradients", is_primary=True), finding("lr_too_low", is_primary=True)
    ends = {(): (-1e4, [runaway]), ("clip_gradients",): (0.02, [halted])}
    assert searched(ends).cured  # it goes on learning, and something is left to say of it
    assert not searched(ends, halted=("clip_gradients",)).cured
