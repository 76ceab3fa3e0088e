"""The local model is the network where it should be, with exact kinks, refusals and sentences."""

import math

import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets import local_model
from tests.nets.models import Written, normal, seeded_model


def relu_net():
    return seeded_model(lambda: nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 3)))


def test_within_the_nearest_kink_the_model_is_the_network_and_beyond_its_radius_not():
    model, x = relu_net(), normal(3, 4)
    around = local_model(model, x, row=1)
    directions = normal(200, 4, seed=5)
    directions /= torch.linalg.vector_norm(directions, dim=1, keepdim=True)
    inside = x[1] + 0.999 * around.kink_radius * directions
    assert torch.allclose(around(inside), model(inside), atol=1e-12)
    assert around.kink_radius < around.radius
    beyond = x[1] + 1.02 * around.radius * around.worst_direction
    steepest = float(torch.linalg.matrix_norm(around.matrix, 2))
    error = torch.linalg.vector_norm(around(beyond) - model(beyond).detach()) / (1.02 * around.radius * steepest)
    assert float(error) > around.tolerance


def test_a_smooth_network_has_no_kinks():
    around = local_model(seeded_model(lambda: nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))), normal(1, 3))
    assert around.kink_radius is None
    assert 0 < around.radius < math.inf


def test_a_product_of_relus_is_not_piecewise_linear():
    assert local_model(Written(lambda _, x: torch.relu(x) ** 2), normal(1, 3).abs()).kink_radius is None


def test_shares_come_in_the_shapes_of_the_inputs():
    model = Written(lambda _, a, b: (a.flatten(1).sum(1) + 2 * b[:, 0])[:, None])
    around = local_model(model, (normal(2, 2, 2), normal(2, 3, seed=1)), baseline=0.0)
    shares = around.share_of_each()
    assert {name: tuple(value.shape) for name, value in shares.items()} == {"0": (2, 2), "1": (3,)}
    assert shares["1"][1:].tolist() == [0.0, 0.0]
    assert around.shares.gradient_gap == pytest.approx(0.0, abs=1e-12)


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(UsageError, match="row should be one of the 2 rows"):
        local_model(nn.Linear(2, 2), normal(2, 2), row=2)
    with pytest.raises(UsageError, match="output should be between 0 and 1"):
        local_model(nn.Linear(2, 2), normal(2, 2), output=2)
    with pytest.raises(UsageError, match="entries"):
        local_model(nn.Identity(), torch.ones(1, 5000))


def test_sentences_and_plain_data():
    around = local_model(relu_net(), normal(1, 4))
    assert "nearest kink" in around.said[1].en
    assert all(sentence.ja for sentence in around.said)
    assert around.to_dict()["radius"] == around.radius
    assert local_model(nn.Linear(2, 1), normal(1, 2)).to_dict()["radius"] is None
