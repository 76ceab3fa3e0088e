"""Looks inside a training: flat units, dead networks, and networks that only look it."""

import numpy as np
import pytest
import torch
from torch import nn

from kazami.dynamics.inside import Inside
from kazami.maps import Training, TrainingMap

INPUTS = torch.randn(40, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def looked(change, *, model=None, momentum: float = 0.0) -> Inside:
    """Return three looks at a network that ``change`` was done to."""

    def make() -> nn.Module:
        made = (model() if model is not None else nn.Sequential(nn.Linear(3, 6), nn.Sigmoid(), nn.Linear(6, 2))).double()
        change(made)
        return made

    training = Training(
        model=make,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1, momentum=momentum),
        loss=nn.functional.mse_loss,
        batches=lambda: [(INPUTS, INPUTS[:, :2])],
        steps=10,
    )
    m = TrainingMap(training)
    inside = Inside(m)
    state = m.current_state()
    for step in range(30):
        new = m.advance(state, step)
        if step % 10 == 0:
            inside.look(step, state, new)
        state = new
    return inside


def saturated(made: nn.Module) -> None:
    """Push every hidden unit far into its flat part, three of them to 1."""
    nn.init.constant_(made[0].bias, -60.0)
    with torch.no_grad():
        made[0].bias[:3] = 60.0


def test_a_saturated_layer_is_dead_and_its_output_layer_moves():
    inside = looked(saturated)
    assert inside.is_dead().all()
    assert inside.flat_shares()[-1].tolist() == [1.0]
    movement = inside.movement(0)
    assert max(movement["0.weight"], movement["0.bias"]) < 1e-10 < movement["2.bias"]
    assert inside.gain() == pytest.approx(0.1 * (1 + 3))  # learning rate (1 + sum of squares of three ones)


def test_the_gain_is_that_of_plain_descent_only():
    assert looked(saturated, momentum=0.9).gain() is None


def test_a_healthy_network_is_not_dead():
    inside = looked(lambda made: None)
    assert not inside.is_dead().any()
    assert inside.flat_shares().max() == 0.0


def test_binary_features_are_no_dead_units():
    """Units far into both saturations still tell the examples apart."""

    def steep(made: nn.Module) -> None:
        nn.init.normal_(made[0].weight, std=300.0)
        nn.init.zeros_(made[0].bias)

    inside = looked(steep)
    assert not inside.is_dead().any()
    assert inside.flat_shares().max() < 0.5


class Skip(nn.Module):
    """A dead branch beside a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 6), nn.Linear(6, 3)
        self.head = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x + self.second(torch.sigmoid(self.first(x))))


def test_a_dead_branch_beside_a_skip_connection_kills_no_network():
    inside = looked(lambda made: nn.init.constant_(made.first.bias, -60.0), model=Skip)
    assert inside.flat_shares()[-1].max() == 1.0
    assert not inside.is_dead().any()


def test_no_hidden_layer_is_nothing_to_look_into():
    inside = looked(lambda made: None, model=lambda: nn.Linear(3, 2))
    assert inside.is_blind
    assert inside.is_dead().size == 0


def test_spreads_are_those_of_the_activations():
    """The hidden values of the first look, computed by hand."""
    inside = looked(lambda made: None)
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(3, 6), nn.Sigmoid(), nn.Linear(6, 2)).double()
    hidden = torch.sigmoid(made[0](INPUTS)).detach().numpy()
    np.testing.assert_allclose(inside.looks[0].layers[0].spread, hidden.std(axis=0), rtol=1e-12)
