"""Times from fresh seeds, and verdicts."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from kazami.dynamics.onset_proof import Goal, Rival, compared, middle, rivals_of, times_of
from tests.dynamics.test_range_test import ONE, line

GOAL = Goal(good=-1e-6, every=1, steps=100, is_score=False)


def training():
    return line(lambda m: torch.optim.SGD(m.parameters(), 0.1))


def test_times_in_closed_form():
    """The loss is (1 - rate)^2t / 2: the first t with that at most 1e-6."""
    for rate in (0.2, 0.5, 1.5):
        expected = math.ceil(math.log(2e-6) / (2 * math.log(abs(1 - rate))))
        assert times_of(training(), rate, range(3), GOAL).tolist() == [expected] * 3
    assert times_of(training(), 2.5, range(1), GOAL)[0] == math.inf
    assert times_of(training(), 0.2, range(1), Goal(-1e-6, 5, 100, False))[0] % 5 == 0


def test_a_score_is_looked_at_before_the_step():
    scored = training().replaced(evaluate=lambda m: -float(m.weight.detach().abs().item()))
    assert times_of(scored, 0.5, range(1), Goal(-0.25, 1, 10, True)).tolist() == [2.0]


def test_groups_keep_their_proportions():
    two = training().replaced(optimizer=lambda m: torch.optim.SGD([{"params": m.parameters(), "lr": 0.1}, {"params": [nn.Parameter(ONE)], "lr": 0.3}], lr=0.1))
    assert times_of(two, 0.5, range(1), GOAL).tolist() == times_of(training(), 0.5, range(1), GOAL).tolist()


def test_ratios_and_verdicts():
    slow, fast, never = np.full(8, 30.0), np.full(8, 10.0), np.full(8, math.inf)
    assert compared(slow, fast)[0] == pytest.approx(31 / 11)
    assert compared(never, fast)[0] == math.inf
    assert compared(never, never) == (1.0, (1.0, 1.0))
    assert Rival("range_test", 0.1, 30.0, 1.0, *compared(slow, fast)).verdict == "beaten"
    assert Rival("range_test", 0.1, 10.0, 1.0, *compared(fast, slow)).verdict == "better"
    assert Rival("range_test", 0.1, 10.0, 1.0, *compared(np.arange(8.0), np.arange(8.0)[::-1])).verdict == "equal"
    assert Rival("range_test", math.nan, 10.0, 1.0, 1.0, (1.0, 1.0)).verdict == "none"
    assert middle(np.array([1.0, 2.0, math.inf, math.inf])) == math.inf


def test_rivals_choose_and_train():
    """On the quadratic 2/λ is 2, where w only changes its sign: never there. kazami's choice 1 is there after one step."""
    stability = rivals_of(training(), 2, times_of(training(), 1.0, range(2, 4), GOAL), GOAL)[1]
    assert stability.learning_rate == pytest.approx(2.0, rel=1e-3)
    assert (stability.reached, stability.verdict) == (0.0, "beaten")
    assert stability.to_dict()["time"] is None
