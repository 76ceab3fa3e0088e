"""Multilayer perceptrons of any depth, from ordinary modules."""

import math

import pytest
import torch
from torch import nn

from kazami.errors import UnknownName, UsageError
from kazami.nets.blocks.dense_block import DenseBlock
from kazami.nets.blocks.perceptron import mlp, sizes_of
from kazami.nets.blocks.residual import Residual


def test_it_is_what_one_would_write_by_hand():
    torch.manual_seed(7)
    written = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))
    made = mlp("3-4-5-2", seed=7)
    assert [type(module) for module in made] == [type(module) for module in written]
    assert list(made.state_dict()) == list(written.state_dict())
    assert all(torch.equal(one, other) for one, other in zip(made.parameters(), written.parameters(), strict=True))


def test_the_seed_leaves_torch_where_it_was():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    mlp([3, 4, 2], initialisation="orthogonal", seed=0)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(mlp([3, 4, 2], seed=0)[0].weight, mlp([3, 4, 2], seed=0)[0].weight)


@pytest.mark.parametrize("depth", [1, 2, 100])
def test_any_depth(depth):
    model = mlp([6] * (depth + 1), activation="tanh", shortcut="identity", scale="1/sqrt(L)", seed=0)
    assert sum(isinstance(module, nn.Linear) for module in model.modules()) == depth
    assert model(torch.ones(2, 6)).isfinite().all()


def test_an_activation_for_each_layer():
    model = mlp("3-4-4-4-2", activation=["tanh", nn.ELU, torch.sin], output="softmax", seed=0)
    assert [str(module) for module in model if not isinstance(module, nn.Linear)][:3] == ["Tanh()", "ELU(alpha=1.0)", "Elementwise(sin)"]
    assert torch.allclose(model(torch.randn(5, 3)).sum(dim=-1), torch.ones(5))
    with pytest.raises(UsageError, match="one for each of the 2 hidden layers, and has 1"):
        mlp("3-4-4-2", activation=["tanh"])


def test_each_prelu_has_a_weight_of_its_own():
    model = mlp("3-4-4-2", activation=nn.PReLU())
    assert len([name for name, _ in model.named_parameters()]) == 8


def test_gated_activations_get_twice_as_many_sums():
    model = mlp("3-4-2", activation=nn.GLU, normalisation="layer")
    assert [tuple(parameter.shape) for parameter in model.parameters()] == [(8, 3), (8,), (8,), (8,), (2, 4), (2,)]


@pytest.mark.parametrize(("name", "kind"), [("batch", nn.BatchNorm1d), ("layer", nn.LayerNorm), ("rms", nn.RMSNorm)])
def test_normalisation_stands_before_the_activation(name, kind):
    model = mlp("3-4-4-2", normalisation=name)
    assert [type(module) for module in model] == [nn.Linear, kind, nn.ReLU, nn.Linear, kind, nn.ReLU, nn.Linear]


@pytest.mark.parametrize("shortcut", ["identity", "zero_pad", "projection"])
def test_shortcuts_lead_around_each_hidden_layer(shortcut):
    model = mlp("8-8-8-8-2", activation="tanh", shortcut=shortcut, scale="1/sqrt(L)", seed=0).double()
    blocks = [module for module in model if isinstance(module, Residual)]
    assert len(blocks) == 3
    x = torch.randn(4, 8, dtype=torch.float64)
    past = x if shortcut != "projection" else blocks[0].residual_sum.projection(x)
    assert torch.allclose(blocks[0](x), past + blocks[0].residual_branch(x) / math.sqrt(3))


def test_the_first_layer_goes_without_where_it_must():
    assert [type(module) for module in mlp("64-32-32-10", shortcut="identity")] == [nn.Linear, nn.ReLU, Residual, nn.Linear]
    assert sum(isinstance(module, Residual) for module in mlp("64-32-32-10", shortcut="projection")) == 2
    with pytest.raises(UsageError, match="8 → 16 features: identity impossible, use zero_pad or projection"):
        mlp("4-8-16-2", shortcut="identity")
    assert mlp("4-8-16-2", shortcut="zero_pad")(torch.ones(1, 4)).shape == (1, 2)


def test_dense_shortcuts_append():
    model = mlp("3-4-5-2", shortcut="dense", seed=0)
    assert sum(isinstance(module, DenseBlock) for module in model) == 2
    assert model[-1].in_features == 3 + 4 + 5
    assert model(torch.ones(2, 3)).shape == (2, 2)


def test_lsuv_gives_hidden_layers_unit_variance():
    model = mlp([32, 64, 64, 64, 4], initialisation="lsuv", seed=0)
    x = torch.randn(4096, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for module in model:
            x = module(x)
            if isinstance(module, nn.Linear):
                assert x.var().item() == pytest.approx(1, abs=0.15)  # other inputs than those it was scaled on


@pytest.mark.parametrize("sizes", ["3", "", "3-0-2", "3-x-2", "a", [3], [3, -1], [3, 4.5], "3--2"])
def test_wrong_sizes_get_one_sentence(sizes):
    with pytest.raises(UsageError, match="two or more whole numbers above 0"):
        mlp(sizes)


@pytest.mark.parametrize("sizes", ["3-4-2", "3, 4, 2", "3x4x2", [3, 4, 2], (3, 4, 2)])
def test_sizes_are_read(sizes):
    assert sizes_of(sizes) == [3, 4, 2]


@pytest.mark.parametrize("options", [{"normalisation": "bach"}, {"shortcut": "identiti"}, {"initialisation": "hee"}, {"activation": "relo"}])
def test_wrong_names_get_the_closest(options):
    with pytest.raises(UnknownName, match="Did you mean"):
        mlp("3-4-2", **options)
