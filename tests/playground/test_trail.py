"""The path of a session: equally spaced, from the first step, and small."""

import torch
from torch import nn

from kazami.playground.trail import MOST, Trail


def test_moments_stay_few_equally_far_apart_and_begin_at_the_first():
    model = nn.Linear(2, 1)
    trail = Trail(model)
    first = trail.weights()[0].clone()
    for step in range(1, 1000):
        with torch.no_grad():
            model.weight += 1.0
        trail.note(model, step)
    assert len(trail.steps) <= MOST
    assert len({later - earlier for earlier, later in zip(trail.steps, trail.steps[1:], strict=False)}) == 1
    assert trail.steps[-1] > 900
    assert torch.equal(trail.weights()[0], first)
    torch.testing.assert_close(trail.weights()[-1][:2], first[:2] + trail.steps[-1])


def test_what_is_not_finite_is_left_out():
    model = nn.Linear(1, 1)
    trail = Trail(model)
    with torch.no_grad():
        model.weight.fill_(float("nan"))
    trail.note(model, 1)
    assert trail.weights().shape == (1, 2)
