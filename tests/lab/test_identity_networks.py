"""Networks that should do nothing."""

import pytest
import torch

from kazami.lab.identity_networks import FACTORS, branch_ratios, identity_network, learn_identity, relative_error
from kazami.nets import residual_ratios

X = torch.randn(64, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_rezero_is_the_identity_before_any_step():
    model = identity_network("rezero", 5, 8, seed=0)
    assert torch.equal(model(X), X)
    assert branch_ratios(model, X) == [0.0] * 5


def test_all_kinds_share_their_weights_up_to_the_factor():
    plain, residual = (identity_network(kind, 3, 8, seed=0) for kind in ("plain", "s = 1"))
    last = plain[-1]
    assert torch.allclose(residual[-1](X), X + last(X), rtol=1e-13)  # the last block of the plain network is not followed by a ReLU


def test_the_ratios_are_those_that_are_measured_in_any_residual_network():
    model = identity_network("s = 1/sqrt(L)", 4, 8, seed=0)
    assert branch_ratios(model, X) == pytest.approx([found.ratio for found in residual_ratios(model, X)], rel=1e-9)


def test_errors_are_shares_of_the_power():
    assert float(relative_error(torch.nn.Identity(), X)) == 0.0
    assert float(relative_error(torch.nn.Flatten(), 2 * X)) == 0.0
    assert float(relative_error(torch.nn.Threshold(1e9, 0.0), X)) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["plain", "s = 1/sqrt(L)"])
def test_training_lowers_the_error_and_records_the_branches(kind):
    model = identity_network(kind, 2, 8, seed=0)
    errors, ratios = learn_identity(model, X, steps=40, learning_rate=1e-2, every=20)
    assert len(errors) == 41
    assert errors[-1] < errors[0]
    assert [len(row) for row in ratios] == [2, 2, 2]
    assert ratios[-1] != ratios[0]


def test_the_factors_are_those_of_the_residual_block():
    assert set(FACTORS) == {"plain", "s = 1", "s = 1/sqrt(L)", "rezero"}
