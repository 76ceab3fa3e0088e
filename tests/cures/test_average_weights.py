"""The average of a swinging weight swings less."""

import torch
from torch import nn

from kazami.cures.average_weights import AverageWeights
from tests.cures.cases import finding, prescribed, trace


def test_a_swing_averages_out():
    model = nn.Linear(1, 1, bias=False)
    made, update = prescribed(AverageWeights(), finding("oscillating_loss"), trace(step=1000)).code.split("average.update_parameters")
    scope = {"torch": torch, "model": model}
    exec(made, scope)
    for step in range(400):
        model.weight.data.fill_(1.0 if step % 2 else -1.0)
        exec("average.update_parameters" + update, scope)
    assert abs(float(scope["average"].module.weight.detach())) < 0.1
