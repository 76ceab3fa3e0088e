"""Structural facts are exact: each shows where it holds and stays away where it does not."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.watch.seeing import fact

X, Y, T = torch.randn(8, 5), torch.arange(8) % 3, torch.randn(8, 1)


def head(units=3):
    torch.manual_seed(0)
    return nn.Linear(5, units)(X)


@pytest.mark.parametrize(
    ("loss", "name", "holds"),
    [
        (lambda: F.cross_entropy(head(), Y), "softmax_before_log_softmax", False),
        (lambda: F.cross_entropy(head().softmax(-1), Y), "softmax_before_log_softmax", True),
        (lambda: F.cross_entropy(nn.Softmax(dim=1)(head()), Y), "softmax_before_log_softmax", True),
        (lambda: F.nll_loss(head().log_softmax(-1), Y), "nll_without_log", False),
        (lambda: F.nll_loss(head().softmax(-1), Y), "nll_without_log", True),
        (lambda: F.nll_loss(head(), Y), "nll_without_log", True),
        (lambda: F.nll_loss((head().softmax(-1) + 1e-9).log(), Y), "nll_without_log", False),
        (lambda: F.nll_loss(head().softmax(-1).log(), Y), "log_of_softmax", True),
        (lambda: -(head().softmax(-1) + 1e-6).log()[range(8), Y].mean(), "log_of_softmax", True),
        (lambda: F.nll_loss(head().log_softmax(-1), Y), "log_of_softmax", False),
        (lambda: F.nll_loss(head().log_softmax(0), Y), "softmax_axis", True),
        (lambda: F.nll_loss(nn.LogSoftmax(dim=-2)(head()), Y), "softmax_axis", True),
        (lambda: F.nll_loss(head().log_softmax(-1), Y), "softmax_axis", False),
        (lambda: F.nll_loss(head(3)[:, :, None].log_softmax(2), Y[:, None]), "softmax_axis", True),
        (lambda: F.nll_loss(head(3)[:, :, None].log_softmax(1), Y[:, None]), "softmax_axis", False),
        (lambda: F.nll_loss(head(8).log_softmax(0), torch.arange(8)), "softmax_axis", False),  # each sample's own partner among all
        (lambda: F.nll_loss(head(8).log_softmax(0), Y), "softmax_axis", True),
        (lambda: F.cross_entropy(head(), Y), "softmax_axis", False),
        (lambda: F.cross_entropy(head().relu(), Y), "activation_before_logits_loss", True),
        (lambda: F.cross_entropy(head(), Y), "activation_before_logits_loss", False),
        (lambda: F.binary_cross_entropy_with_logits(head(1).sigmoid(), (T > 0).float()), "activation_before_logits_loss", True),
        (lambda: F.binary_cross_entropy_with_logits(head(1), (T > 0).float()), "activation_before_logits_loss", False),
        (lambda: F.binary_cross_entropy(head(1).sigmoid(), (T > 0).float()), "activation_before_logits_loss", False),
        (lambda: F.mse_loss(head(1), T), "target_broadcast", False),
        (lambda: ((head(1) - T) ** 2).mean(), "target_broadcast", False),
        (lambda: ((head(1) - T[:, 0]) ** 2).mean(), "target_broadcast", True),
        (lambda: ((T[:, 0] - head(1)) ** 2).mean(), "target_broadcast", True),
        (lambda: (head(1)[:, 0] - T).square().mean(), "target_broadcast", True),
        (lambda: (head(1) - T[:, 0]).abs().mean(), "target_broadcast", True),
        (lambda: (head(1) * T[:1]).square().mean(), "target_broadcast", False),
    ],
)
def test_what_stands_before_the_loss(loss, name, holds):
    assert (fact(loss(), name) is not None) is holds


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss])
def test_a_flat_target_under_a_loss_function(loss):
    assert fact(loss(head(1), T[:, 0]), "target_broadcast") == {"output": [8, 1], "target": [8]}
    assert fact(loss(head(1)[:, 0], T), "target_broadcast") == {"output": [8], "target": [8, 1]}
    assert fact(loss(head(1)[:, 0], T[:, 0]), "target_broadcast") is None


def test_an_affine_chain_is_one_layer():
    a, b, c = nn.Linear(5, 9), nn.Linear(9, 9), nn.Linear(9, 3)
    assert fact(F.cross_entropy(c(b(a(X))), Y), "affine_chain") == {"layers": 3, "narrowest": 9, "inputs": 5, "outputs": 3}
    assert fact(F.cross_entropy(c(torch.relu(b(a(X)))), Y), "affine_chain") is None
    assert fact(F.cross_entropy(c(F.dropout(a(X), 0.5)), Y), "affine_chain")["layers"] == 2
    assert fact(F.cross_entropy(nn.Linear(5, 3)(X), Y), "affine_chain") is None


def test_a_bottleneck_is_told():
    a, b = nn.Linear(5, 2), nn.Linear(2, 5)
    assert fact(F.mse_loss(b(a(X)), X), "affine_chain") == {"layers": 2, "narrowest": 2, "inputs": 5, "outputs": 5}


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8, 0.95])
def test_the_dropout_rate_is_read(rate):
    wide = nn.Linear(5, 2000)
    found = fact(F.dropout(wide(X), rate).square().mean(), "dropout")
    assert found["rate"] == pytest.approx(rate, abs=1e-6)
    assert fact(wide(X).square().mean(), "dropout") is None


def test_a_range_that_cannot_reach_the_targets():
    found = fact(F.mse_loss(head(1).sigmoid(), 10 * T), "output_range")
    assert found["activation"] == "sigmoid"
    assert found["outside"] > 0.5
    inside = fact(F.mse_loss(head(1).sigmoid(), T.sigmoid()), "output_range")
    assert inside["outside"] == 0
    assert fact(F.mse_loss(head(1), 10 * T), "output_range") is None
