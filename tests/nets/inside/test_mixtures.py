"""The sweep finds the activation that the task needs, and is paired."""

import math

import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets import activation_mixtures
from kazami.nets.inside.mixtures import Mixture, digits
from tests.nets.models import normal


def rings():
    x = normal(400, 2, dtype=torch.float32)
    y = (x.norm(dim=1) > 1.18).long()  # the median radius: no line parts the rings
    return x[:300], y[:300], x[300:], y[300:]


def test_without_a_bend_rings_cannot_be_parted():
    steps = []
    found = activation_mixtures(
        (nn.Identity, nn.Tanh), depth=2, width=16, data=rings(), seeds=(0, 1), steps=250, progress=lambda done, total: steps.append((done, total))
    )
    by_name = {result.activations: result for result in found}
    assert len(found) == 4
    assert by_name["Identity", "Identity"].accuracy < 0.7
    assert min(result.accuracy for name, result in by_name.items() if "Tanh" in name) > 0.85
    assert found[0].accuracy == max(result.accuracy for result in found)
    assert steps[-1] == (8, 8)
    assert "±" in found[0].text


def test_the_same_combination_gives_the_same_twice_and_leaves_the_generator():
    state = torch.get_rng_state()
    once, again = (activation_mixtures((nn.ReLU,), depth=1, data=rings(), seeds=(3,), steps=20)[0] for _ in range(2))
    assert once == again
    assert math.isnan(once.spread)
    assert torch.equal(state, torch.get_rng_state())


def test_a_mixture_is_its_weighted_sum():
    x = normal(5, dtype=torch.float32)
    assert torch.allclose(Mixture({"identity": 0.3, "relu": 0.7})(x), 0.3 * x + 0.7 * torch.relu(x))
    found = activation_mixtures(({"identity": 0.5, "tanh": 0.5},), depth=1, data=rings(), seeds=(0,), steps=5)
    assert found[0].activations == ("0.5 identity + 0.5 tanh",)


def test_mistakes_are_told():
    with pytest.raises(UsageError, match="each of the 3 hidden layers"):
        activation_mixtures(combinations=[["relu", "tanh"]], data=rings())
    with pytest.raises(UsageError, match="1 to 2000 trainings"):
        activation_mixtures([nn.ReLU] * 10, depth=4, data=rings())


def test_the_digits_are_split_once():
    x, y, x_test, y_test = digits()
    assert (len(x) + len(x_test), len(y), len(y_test)) == (1797, 1198, 599)
    assert float(x.max()) == 1.0
