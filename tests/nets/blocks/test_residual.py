"""Shortcuts around any module: y = s(x) + α f(x), with the wrapped module's own names."""

import copy
import io
import math
import pickle
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev

from kazami.errors import UnknownName, UsageError
from kazami.nets.blocks.residual import Residual


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    """Return normal numbers in float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def conv_block(n_in: int = 3, n_out: int = 8, stride: int = 2) -> nn.Sequential:
    """Return two convolutions with batch normalisation, as in a ResNet."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, stride, 1), nn.BatchNorm2d(n_out), nn.ReLU(), nn.Conv2d(n_out, n_out, 3, 1, 1), nn.BatchNorm2d(n_out)
    ).double()


class Bare(nn.Module):
    """A module with a parameter, a buffer and switches of its own, called ``residual_sum`` to clash with the block's."""

    def __init__(self) -> None:
        super().__init__()
        self.residual_sum = nn.Linear(3, 3)
        self.scale = nn.Parameter(torch.ones(3))
        self.register_buffer("shift", torch.ones(3))
        self.dropout = nn.Dropout(0.5)

    def forward(self, x, *, factor=1.0):
        return factor * self.dropout(self.residual_sum(x)) * self.scale + self.shift


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_the_identity_adds_the_input(scale):
    f = nn.Linear(4, 4).double()
    x = draw(5, 4)
    assert torch.equal(Residual(f, scale=scale)(x), x + scale * f(x) if scale != 1 else x + f(x))


def test_a_scale_of_one_over_the_root_of_the_depth():
    f = nn.Linear(4, 4).double()
    x = draw(5, 4)
    assert (Residual(f, scale="1/sqrt(L)", depth=16)(x) - (x + f(x) / 4)).abs().max() < 1e-15


def test_rezero_begins_as_the_identity_exactly():
    block = Residual(nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 6)), scale="rezero").double()
    assert torch.equal(jacrev(block)(draw(6)), torch.eye(6, dtype=torch.float64))
    block(draw(6)).sum().backward()
    assert block.residual_sum.scale.grad.abs() > 0  # and can leave it


def test_zero_padding_is_option_a_of_he():
    block = conv_block().eval()
    x = draw(2, 3, 16, 16)
    y = Residual(block, shortcut="zero_pad").eval()(x)
    expected = np.zeros((2, 8, 8, 8))
    expected[:, :3] = x.numpy()[:, :, ::2, ::2]
    assert np.abs((y - block(x)).detach().numpy() - expected).max() < 1e-14


@pytest.mark.parametrize("size", [16, 15, 7])
def test_a_projection_is_a_strided_convolution_of_one_place(size):
    block = conv_block().eval()
    residual = Residual(block, shortcut="projection").eval()
    x = draw(2, 3, size, size)
    weight = residual.residual_sum.projection.weight.detach().numpy()[:, :, 0, 0]
    expected = np.einsum("oc,bchw->bohw", weight, x.numpy()[:, :, ::2, ::2])
    assert np.abs((residual(x) - block(x)).detach().numpy() - expected).max() < 1e-12


@pytest.mark.parametrize("kind", ["zero_pad", "projection"])
def test_features_and_one_dimensional_convolutions(kind):
    torch.manual_seed(0)
    linear, convolution = nn.Linear(8, 16).double(), nn.Conv1d(4, 6, 5, stride=3, padding=2).double()
    for module, x, before in ((linear, draw(2, 5, 8), lambda x: x), (convolution, draw(2, 4, 20), lambda x: x[..., ::3].transpose(1, 2))):
        block = Residual(module, shortcut=kind)
        rest = block(x) - module(x)
        rest = (rest if rest.shape[-1] == 16 else rest.transpose(1, 2)).detach()
        places = before(x)
        if kind == "zero_pad":
            assert torch.allclose(rest, nn.functional.pad(places, (0, rest.shape[-1] - places.shape[-1])), atol=1e-14)
        else:
            weight = block.residual_sum.projection.weight.detach().flatten(1)
            assert torch.allclose(rest, places @ weight.T, atol=1e-12)


@pytest.mark.parametrize(
    ("module", "kind", "words"),
    [
        (nn.Linear(8, 16), "identity", "8 → 16 features: identity impossible, use zero_pad or projection"),
        (nn.Linear(16, 8), "identity", "16 → 8 features: identity impossible, use projection"),
        (nn.Linear(16, 8), "zero_pad", "16 → 8 features: zero_pad impossible, since zeros can only be added, use projection"),
        (nn.Conv2d(3, 8, 3, padding=1), "identity", "3 → 8 channels: identity impossible, use zero_pad or projection"),
        (nn.Conv2d(8, 8, 3, stride=2, padding=1), "identity", r"stride 2\): identity impossible, use zero_pad or projection"),
        (nn.Conv2d(8, 8, 3), "projection", "no shortcut possible, 62 is not 64 divided by a whole stride; give the convolutions a padding"),
        (nn.ConvTranspose2d(8, 8, 2, stride=2), "projection", "a shortcut cannot make 64 places 128"),
        (nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Flatten()), "projection", "no shortcut possible between 4 and 2 dimensions"),
        (nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)), "identity", "8 → 4 features: identity impossible, use projection"),
    ],
)
def test_what_cannot_be_joined_is_refused_when_it_is_made(module, kind, words):
    with pytest.raises(UsageError, match=words):
        Residual(module, shortcut=kind)


def test_what_cannot_be_known_before_is_refused_at_the_first_call():
    class Strange(nn.Module):
        def forward(self, x):
            return torch.cat([x, x], dim=-1)

    with pytest.raises(UsageError, match="4 → 8 features: identity impossible, use zero_pad or projection"):
        Residual(Strange())(draw(2, 4))
    with pytest.raises(UsageError, match="Pass example="):
        Residual(Strange(), shortcut="projection")
    assert Residual(Strange(), shortcut="projection", example=torch.ones(2, 4))(torch.ones(3, 4)).shape == (3, 8)
    assert Residual(Strange(), shortcut="zero_pad")(torch.ones(3, 4)).tolist()[0] == [2.0] * 4 + [1.0] * 4
    with pytest.raises(UsageError, match="4 → 8 features"):
        Residual(Strange(), example=torch.ones(2, 4))


def test_nothing_is_left_to_broadcasting():
    class OneFeature(nn.Module):
        def forward(self, x):
            return x.sum(-1, keepdim=True)

    with pytest.raises(UsageError, match="4 → 1 features: identity impossible, use projection"):
        Residual(OneFeature())(draw(2, 4))


def test_wrong_words_are_refused():
    with pytest.raises(UnknownName, match='Did you mean "zero_pad"'):
        Residual(nn.Linear(3, 3), shortcut="zeropad")
    with pytest.raises(UsageError, match="needs depth=L"):
        Residual(nn.Linear(3, 3), scale="1/sqrt(L)")
    with pytest.raises(UsageError, match="scale should be a number"):
        Residual(nn.Linear(3, 3), scale="small")
    for scale in (None, math.nan, math.inf):
        with pytest.raises(UsageError, match="scale should be a number"):
            Residual(nn.Linear(3, 3), scale=scale)
    with pytest.raises(UsageError, match=r"should be given an nn.Module"):
        Residual(torch.tanh)


def test_an_in_place_change_of_the_input_is_seen():
    with pytest.raises(UsageError, match="changes its input in place"):
        Residual(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 3)))(torch.randn(2, 3))


@pytest.mark.parametrize("options", [{}, {"scale": "rezero"}, {"shortcut": "projection"}])
def test_names_stay_and_weights_load_both_ways(options):
    plain = nn.Sequential(nn.Conv2d(3, 3, 1), conv_block(3, 3, 1), nn.Flatten(), nn.Linear(48, 2)).double()
    wrapped = copy.deepcopy(plain)
    wrapped[1] = Residual(wrapped[1], **options)
    own = {"1.residual_sum.scale"} if "scale" in options else {"1.residual_sum.projection.weight"} if options else set()
    assert [name for name, _ in wrapped.named_parameters() if name not in own] == [name for name, _ in plain.named_parameters()]
    assert [name for name, _ in wrapped.named_buffers()] == [name for name, _ in plain.named_buffers()]
    assert set(wrapped.state_dict()) == set(plain.state_dict()) | own
    other = {name: torch.randn_like(value) if value.is_floating_point() else value + 3 for name, value in plain.state_dict().items()}
    keys = wrapped.load_state_dict(other, strict=not own)
    assert set(keys.missing_keys) == own
    assert keys.unexpected_keys == []
    assert torch.equal(wrapped[1][0].weight if isinstance(wrapped[1], nn.Sequential) else wrapped[1].get_submodule("0").weight, other["1.0.weight"])
    assert torch.equal(wrapped[1].residual_branch[1].running_mean, other["1.1.running_mean"])
    back = plain.load_state_dict(wrapped.state_dict(), strict=not own)
    assert set(back.unexpected_keys) == own
    assert all(torch.equal(value, other[name]) for name, value in plain.state_dict().items())


def test_missing_and_foreign_keys_are_named_as_ever():
    block = Residual(nn.Linear(3, 3), scale="rezero")
    with pytest.raises(RuntimeError, match=r"Missing key\(s\) in state_dict: \"residual_sum.scale\""):
        block.load_state_dict(nn.Linear(3, 3).state_dict())
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\) in state_dict: \"other\""):
        block.load_state_dict({**block.state_dict(), "other": torch.ones(1)})
    with pytest.raises(RuntimeError, match="Unexpected"):
        block.load_state_dict({**block.state_dict(), "residual_sum.other": torch.ones(1)})


def test_own_names_never_clash():
    inner = Bare()
    block = Residual(Residual(inner, scale="rezero"), scale="rezero")
    names = [name for name, _ in block.named_parameters()]
    assert names == ["scale", "residual_sum.weight", "residual_sum.bias", "residual_sum_2.scale", "residual_sum_3.scale"]
    assert set(block.state_dict()) == {*names, "shift"}
    fresh = Residual(Residual(Bare(), scale="rezero"), scale="rezero")
    fresh.load_state_dict(block.state_dict())
    assert all(torch.equal(one, other) for one, other in zip(fresh.parameters(), block.parameters(), strict=True))
    assert all(block.get_parameter(name) is parameter for name, parameter in block.named_parameters())


def test_every_module_is_listed_once_and_reached_by_its_name():
    model = nn.Sequential(Residual(nn.Linear(3, 3)), Residual(conv_block(3, 3, 1), shortcut="projection"), nn.Identity())
    listed = list(model.named_modules())
    assert len({id(module) for _, module in listed}) == len(listed)
    assert all(model.get_submodule(name) is module for name, module in listed)
    assert sum(isinstance(module, nn.Linear) for _, module in listed) == 1  # the wrapped layer itself
    visited: list[nn.Module] = []
    model.apply(visited.append)
    assert len(visited) == len({id(module) for module in visited}) == len(listed)


def test_the_module_stays_itself_and_shares_its_weights():
    f = nn.Linear(3, 3)
    block = Residual(f, scale="rezero")
    assert list(f.state_dict()) == ["weight", "bias"]
    block.double()
    assert f.weight.dtype == block.residual_sum.scale.dtype == torch.float64
    block.weight = nn.Parameter(torch.zeros(3, 3, dtype=torch.float64))
    assert f.weight.abs().sum() == 0
    sequential = Residual(conv_block(3, 3, 1))
    setattr(sequential, "2", nn.Identity())  # as who replaces a layer by its name would
    assert isinstance(sequential.residual_branch[2], nn.Identity)


def test_switches_and_keywords_reach_the_module():
    block = Residual(Bare()).double()
    x = draw(4, 3)
    assert block.training
    block.eval()
    assert not block.residual_branch.training
    assert not block.dropout.training
    assert torch.equal(block(x, factor=0.0), x + 1)
    assert torch.equal(block(x), block(x))


@pytest.mark.parametrize("kind", ["identity", "zero_pad", "projection"])
def test_it_is_copied_pickled_exported_and_compiled(kind):
    n_out, stride = (3, 1) if kind == "identity" else (8, 2)
    model = nn.Sequential(Residual(conv_block(3, n_out, stride), shortcut=kind, scale="rezero"), nn.Flatten()).eval()
    nn.init.constant_(model[0].residual_sum.scale, 0.7)
    x = draw(2, 3, 8, 8)
    expected = model(x)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), torch.load(file, weights_only=False)):
        assert torch.equal(other(x), expected)
        nn.init.zeros_(other[0].get_submodule("3").weight)
        assert not torch.equal(other(x), expected)  # its own weights are those it computes with
    assert torch.equal(model(x), expected)
    exported = torch.export.export(model, (x,))
    assert torch.allclose(exported.module()(x), expected)
    assert set(exported.state_dict) == set(model.state_dict())
    assert torch.allclose(torch.compile(model, backend="eager", fullgraph=True)(x), expected)
    torch.compiler.reset()
    if kind != "zero_pad":
        assert torch.allclose(torch.fx.symbolic_trace(model)(x), expected)


def test_functional_calls_see_each_weight_once_and_leave_it():
    model = nn.Sequential(Residual(nn.Linear(3, 3)), Residual(Residual(nn.Linear(3, 3)), scale="rezero")).double()
    before = {name: (parameter, parameter.clone()) for name, parameter in model.named_parameters()}
    x = draw(2, 3)
    assert torch.equal(functional_call(model, {name: torch.zeros_like(value) for name, (value, _) in before.items()}, (x,)), x)
    assert all(parameter is before[name][0] and torch.equal(parameter, before[name][1]) for name, parameter in model.named_parameters())


def test_sublayers_of_a_transformer():
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(8, 2, batch_first=True).double()
    x, memory = draw(2, 5, 8), draw(2, 3, 8, seed=1)
    output, weights = Residual(attention)(x, memory, memory)
    expected, its_weights = attention(x, memory, memory)
    assert torch.equal(output, x + expected)
    assert torch.equal(weights, its_weights)
    lstm = Residual(nn.LSTM(8, 8, batch_first=True)).double()
    assert lstm(x)[0].shape == x.shape
    feed_forward = Residual(nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 32), nn.GELU(), nn.Linear(32, 8)).double(), scale="1/sqrt(L)", depth=4)
    assert feed_forward(x).shape == x.shape


def test_nothing_is_drawn_run_or_changed_by_wrapping():
    calls = []

    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(3)
            self.linear = nn.Linear(3, 3)

        def forward(self, x):
            calls.append(x.device.type)
            return torch.nn.functional.dropout(self.linear(self.norm(x)))

    module = Counting()
    state = copy.deepcopy(module.state_dict())
    torch.manual_seed(3)
    before = torch.get_rng_state()
    Residual(module)
    assert set(calls) <= {"meta"}  # shapes only
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    assert module.training


def test_named_tuples_lazy_layers_and_several_tensors():
    class Answer(NamedTuple):
        hidden: torch.Tensor
        scores: list[torch.Tensor]

    class Several(nn.Module):
        def forward(self, x):
            return Answer(2 * x, [x + 1])

    answer = Residual(Several())(torch.ones(1, 2))
    assert isinstance(answer, Answer)
    assert answer.hidden.tolist() == [[3.0, 3.0]]
    assert answer.scores[0].tolist() == [[2.0, 2.0]]
    assert Residual(nn.LazyLinear(3), scale="rezero")(torch.ones(2, 3)).tolist() == [[1.0] * 3] * 2
    with pytest.raises(UsageError, match="should return a tensor"):
        Residual(Mapped())(torch.ones(1, 2))


class Mapped(nn.Module):
    """A module that returns no tensor in first place."""

    def forward(self, x):
        return {"x": x}
