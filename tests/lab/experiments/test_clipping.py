"""Exploding gradients with and without clipping."""

import math

from kazami.lab import experiment
from kazami.lab.experiments.clipping import LARGE, LIMIT, REUSED
from kazami.lab.outcome import Rows

ONE = experiment("clipping")


def test_an_explosion_and_its_cure():
    free, clipped = (ONE.measure({"seed": 5, "setting": LARGE, "clip": clip, "steps": 20}) for clip in (None, LIMIT))
    assert not free["finite"]
    assert abs(free["overflow"] - free["overflow_step"]) <= 1
    assert free["losses"][0] == clipped["losses"][0]  # paired: the same weights and the same first batch
    assert clipped["finite"]
    assert clipped["losses"][-1] < clipped["losses"][0]


def test_reused_weights_explode_too():
    free = ONE.measure({"seed": 5, "setting": REUSED, "clip": None, "steps": 20})
    assert not free["finite"]
    assert free["overwritten"] > 1


def row(setting, clip, **more):
    """Return a row as it would be measured."""
    first = {"overwritten": 10.0, "overshoot": 100.0, "loop_gain": 1e6, "overflow_step": 2.0, "along": [1.0]} if clip is None else {}
    ends = {
        "losses": [1.0],
        "finite": clip is not None,
        "overflow": 2 if clip is None else math.inf,
        "train_loss": 0.1,
        "train_accuracy": 0.9,
        "test_accuracy": 0.9,
    }
    return {"seed": 0, "setting": setting, "clip": clip, **first, **ends, **more}


def failed(**changes):
    """Return the names of the checks that fail where the large weights' row without clipping has these changes."""
    rows = [row(setting, clip, **(changes if (setting, clip) == (LARGE, None) else {})) for setting in (LARGE, REUSED) for clip in (None, LIMIT)]
    return [check.name for check in ONE.checks(Rows(rows)) if not check.passed]


def test_what_does_not_hold_would_be_seen():
    assert failed() == []
    assert failed(overwritten=0.5) == ["large weights: first update over the weights it changes, smallest over the seeds"]
    assert failed(overshoot=1.5) == ["large weights: first step over the best step that way, smallest over the seeds"]
    assert failed(loop_gain=0.9) == ["large weights: next gradient over the first, smallest over the seeds"]
    assert failed(overflow=5) == ["large weights: updates to overflow, measured - predicted"]
    assert failed(finite=True) == ["large weights, not clipped: share that stays finite"]
