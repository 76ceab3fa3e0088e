"""The networks of the degradation and clipping experiments."""

import pytest
import torch
from torch import nn

from kazami.lab.networks import GROWTH, deep_classifier, in_pairs, stormy_classifier

KINDS = ("plain", "plain_bn", "residual", "residual_relu", "dense")


def linears(model):
    """Return all linear layers."""
    return [part for part in model.modules() if isinstance(part, nn.Linear)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", [4, 10])
def test_all_kinds_have_the_depth_asked_for_and_train(kind, depth):
    model = deep_classifier(kind, depth, width=8, n_in=6, n_classes=3, seed=0)
    assert len({id(layer) for layer in linears(model)}) == depth
    out = model(torch.randn(5, 6, generator=torch.Generator().manual_seed(0)))
    assert out.shape == (5, 3)
    out.square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides(kind):
    first, again, other = (list(deep_classifier(kind, 6, width=8, n_in=6, n_classes=3, seed=seed).parameters()) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_the_dense_network_grows():
    model = deep_classifier("dense", 10, width=8, n_in=6, n_classes=3, seed=0)
    assert linears(model)[-1].in_features == 6 + 8 + 8 * GROWTH


def test_pairs_compute_what_their_formula_says():
    plain = deep_classifier("plain", 6, width=8, n_in=6, n_classes=3, seed=0)
    layers = linears(plain)
    paired = in_pairs(plain)
    x = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    z = torch.relu(layers[0](x))
    for a, b in ((layers[1], layers[2]), (layers[3], layers[4])):
        z = z + b(torch.relu(a(z))) / 2**0.5
    assert torch.allclose(paired(x), layers[5](z), atol=1e-6)


def test_the_excess_is_in_the_hidden_weights():
    calm, storm = (linears(stormy_classifier(3, width=8, n_in=6, n_classes=3, excess=excess, seed=0)) for excess in (1.0, 4.0))
    assert all(torch.allclose(2 * a.weight, b.weight) for a, b in zip(calm[:-1], storm[:-1], strict=True))
    assert torch.equal(calm[-1].weight, storm[-1].weight)
