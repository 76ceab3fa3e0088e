"""Initial weights have the variance that theory asks for, in any model, and nothing else changes."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import jacrev
from torch.nn.utils.parametrizations import weight_norm

from kazami.errors import UnknownName, UsageError
from kazami.nets.blocks.perceptron import mlp
from kazami.nets.blocks.residual import Residual
from kazami.nets.starts.initialisation import initialise


def layers() -> list[tuple[nn.Module, int, int]]:
    """Return layers with their fan in and fan out."""
    return [
        (nn.Linear(300, 200), 300, 200),
        (nn.Conv1d(40, 60, 5), 200, 300),
        (nn.Conv2d(16, 32, 3, stride=2), 144, 288),
        (nn.Conv2d(32, 64, 3, groups=4), 72, 144),
        (nn.Conv3d(8, 16, 3), 216, 432),
        (nn.ConvTranspose2d(64, 32, 4, stride=2), 64 * 4, 32 * 16),  # each output is reached by every second place of the kernel
    ]


@pytest.mark.parametrize("scheme", ["he", "xavier", "normal:0.03"])
def test_variances_are_those_of_the_papers(scheme):
    for layer, fan_in, fan_out in layers():
        weight = initialise(layer, scheme, seed=0).weight.detach().numpy()
        expected = {"he": 2 / fan_in, "xavier": 2 / (fan_in + fan_out)}.get(scheme, 0.03**2)
        assert abs(weight.var() / expected - 1) < 3 / math.sqrt(weight.size)
        assert scheme != "xavier" or np.abs(weight).max() <= math.sqrt(6 / (fan_in + fan_out))
        assert layer.bias.abs().sum() == 0


@pytest.mark.parametrize(("kind", "n_gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_recurrent_layers_gate_by_gate(kind, n_gates):
    layer = initialise(kind(48, 64, num_layers=2, bidirectional=True).double(), "orthogonal", seed=0)
    for name, parameter in layer.named_parameters():
        if name.startswith("weight_hh"):
            gates = parameter.detach().reshape(n_gates, 64, 64)
            assert (gates @ gates.transpose(1, 2) - torch.eye(64)).abs().max() < 1e-12
    assert sum(parameter.abs().sum().item() for name, parameter in layer.named_parameters() if "bias" in name) == 0
    initialise(nn.LSTM(5, 7, proj_size=3), "he")
    assert initialise(nn.LSTMCell(100, 100), "he", seed=0).weight_ih.var().item() == pytest.approx(2 / 100, rel=0.05)


def test_attention_and_what_stays_as_it_is():
    torch.manual_seed(0)
    model = nn.ModuleDict({"words": nn.Embedding(50, 64), "attention": nn.MultiheadAttention(64, 4), "norm": nn.LayerNorm(64), "head": nn.Linear(64, 50)})
    model["head"].weight = model["words"].weight
    words = model["words"].weight.detach().clone()
    initialise(model, "xavier", seed=0)
    projections = model["attention"].in_proj_weight.detach().numpy()
    assert all(abs(part.var() * 64 - 1) < 3 / math.sqrt(part.size) for part in np.split(projections, 3))
    assert torch.equal(model["words"].weight, words)  # tied to the head
    assert model["head"].weight is model["words"].weight
    assert torch.equal(model["norm"].weight, torch.ones(64))


def test_a_gain_of_the_catalogue():
    linear = initialise(nn.Linear(500, 500), "he", nonlinearity="identity", seed=0)
    assert linear.weight.var().item() * 500 == pytest.approx(1, abs=3 / 500)


def test_the_seed_alone_decides():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, other = (initialise(nn.Linear(5, 5, device="cpu"), "he", seed=4) for _ in range(2))
    assert torch.equal(one.weight, other.weight)
    torch.set_rng_state(before)
    unseeded = initialise(mlp("3-4-2", seed=0), "he")
    assert not torch.equal(torch.get_rng_state(), before)  # as torch's own initialisations do
    torch.set_rng_state(before)
    assert torch.equal(initialise(mlp("3-4-2", seed=0), "he")[0].weight, unseeded[0].weight)


def test_orthogonal_deep_linear_networks_keep_every_length():
    model = initialise(nn.Sequential(*[nn.Linear(24, 24, bias=False) for _ in range(50)]).double(), "orthogonal", seed=0)
    end_to_end = np.linalg.multi_dot([layer.weight.detach().numpy() for layer in reversed(model)])
    assert np.abs(np.linalg.svd(end_to_end, compute_uv=False) - 1).max() < 1e-12


def test_lsuv_gives_each_layer_unit_variance_on_the_example():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3), nn.Tanh(), nn.Flatten(), nn.Linear(128, 10)
    ).double()
    example = torch.randn(64, 3, 8, 8, dtype=torch.float64) * 3 + 1
    norm = copy.deepcopy(model[2].state_dict())
    initialise(model, "lsuv", example=example, seed=0)
    assert all(torch.equal(value, norm[name]) for name, value in model[2].state_dict().items())
    seen = []
    for layer in (model[0], model[3], model[6]):
        layer.register_forward_hook(lambda module, inputs, output: seen.append(output.var(correction=0).item()))
    model(example)
    assert seen == pytest.approx([1, 1, 1], rel=1e-9)
    with pytest.raises(UsageError, match="pass example="):
        initialise(model, "lsuv")


def test_residual_blocks_begin_as_the_identity():
    block = Residual(nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 6))).double()
    initialise(block, "zero_residual", seed=0)
    assert torch.equal(jacrev(block)(torch.randn(6, dtype=torch.float64)), torch.eye(6, dtype=torch.float64))
    model = mlp("6-6-6-6-3", shortcut="identity", activation="tanh", initialisation="zero_residual", seed=0).double()
    hidden = nn.Sequential(*list(model)[:3])
    assert torch.equal(jacrev(hidden)(torch.randn(6, dtype=torch.float64)), torch.eye(6, dtype=torch.float64))


def test_a_wrapped_layer_is_reached_and_a_parametrized_one_stays_parametrized():
    block = initialise(Residual(nn.Linear(200, 200)), "he", seed=0)
    assert block.weight.var().item() * 100 == pytest.approx(1, abs=3 / 200)
    normed = initialise(weight_norm(nn.Linear(200, 200)), "he", seed=0)
    assert normed.weight.var().item() * 100 == pytest.approx(1, abs=3 / 200)


def test_hooks_are_gone_and_gradients_stay():
    model = mlp("4-4-2", seed=0)
    model(torch.ones(1, 4)).sum().backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    initialise(model, "lsuv", example=torch.randn(16, 4), seed=0)
    assert all(not module._forward_hooks for module in model.modules())
    assert all(torch.equal(parameter.grad, gradient) for parameter, gradient in zip(model.parameters(), gradients, strict=True))
    assert all(parameter.requires_grad and parameter.is_leaf for parameter in model.parameters())


@pytest.mark.parametrize("scheme", ["hee", "normal", "normal:", "normal:x", "normal:-1", "normal:inf"])
def test_wrong_schemes_are_refused(scheme):
    with pytest.raises(UnknownName if scheme == "hee" else UsageError):
        initialise(nn.Linear(2, 2), scheme)


def test_lazy_layers_and_missing_branches_say_what_to_do():
    with pytest.raises(UsageError, match="Call the model once"):
        initialise(nn.LazyLinear(3), "he")
    plain = nn.Sequential(nn.Linear(2, 2))
    before = plain[0].weight.detach().clone()
    with pytest.raises(UsageError, match=r"has no residual branch.*Pass example="):
        initialise(plain, "zero_residual")
    assert torch.equal(plain[0].weight, before)  # nothing is half done


def test_a_model_without_known_layers_says_so():
    with pytest.raises(UsageError, match="has no linear, convolutional"):
        initialise(nn.Tanh(), "he")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_drawn_in_single_and_rounded_once(dtype):
    layer = initialise(nn.Linear(6, 4).to(dtype), "orthogonal", seed=0)
    single = initialise(nn.Linear(6, 4), "orthogonal", seed=0)
    assert layer.weight.dtype == dtype
    assert torch.equal(layer.weight, single.weight.to(dtype))
