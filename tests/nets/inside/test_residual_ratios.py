"""Residual blocks are found by what a network does, whoever wrote it and however."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.nets import residual_ratios
from tests.nets.models import Written, normal, seeded_model


def in_place(self, x):
    out = self.f(x)
    out += x
    return F.relu_(out)


def twice(self, x):
    x = x + self.f(x)
    return x + self.g(x)


FOUND = {
    "by hand": (lambda: Written(lambda self, x: x + self.f(x), f=nn.Linear(4, 4)), normal(3, 4), [("forward", "f")]),
    "other order, in place": (lambda: Written(in_place, f=nn.Conv2d(3, 3, 3, padding=1)), normal(2, 3, 8, 8), [("forward", "f")]),
    "two": (lambda: Written(twice, f=nn.Linear(4, 4), g=nn.Linear(4, 4)), normal(3, 4), [("forward (1)", "f"), ("forward (2)", "g")]),
    "parallel": (lambda: Written(lambda self, x: x + self.f(x) + self.g(x), f=nn.Linear(4, 4), g=nn.Linear(4, 4)), normal(3, 4), [("forward", "f")]),
    "transposed": (lambda: Written(lambda self, x: x + self.f(x.mT).mT, f=nn.Linear(3, 3)), normal(2, 3, 4), [("forward", "f")]),
    "padded": (lambda: Written(lambda self, x: F.pad(x, (0, 4)) + self.f(x), f=nn.Linear(4, 8)), normal(3, 4), [("forward", "f")]),
    "scaled": (lambda: Written(lambda self, x: 0.5 * x + 2 * self.f(x), f=nn.Linear(4, 4)), normal(3, 4), [("forward", "f")]),
    "raw weights": (lambda: Raw(), normal(3, 4), [("forward", "")]),
    "tokens": (
        lambda: nn.Sequential(nn.Embedding(5, 4), Written(lambda self, x: x + self.f(x), f=nn.Linear(4, 4))),
        torch.zeros(2, 3, dtype=torch.long),
        [("1", "1.f")],
    ),
    "transformer": (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 1, enable_nested_tensor=False),
        normal(3, 6, 8),
        [("layers.0 (1)", "layers.0.self_attn"), ("layers.0 (2)", "layers.0.linear2")],
    ),
}


class Raw(nn.Module):
    """A block of plain parameters, without a module inside."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.eye(4))

    def forward(self, x):
        return x + torch.tanh(x @ self.w)


@pytest.mark.parametrize("name", FOUND)
def test_blocks_are_found(name):
    make, example, expected = FOUND[name]
    assert [(block.name, block.branch) for block in residual_ratios(seeded_model(make), example)] == expected


NOT_FOUND = {
    "plain": (lambda: nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4)), normal(3, 4)),
    "projection": (lambda: Written(lambda self, x: self.p(x) + self.f(x), f=nn.Linear(4, 4), p=nn.Linear(4, 4)), normal(3, 4)),
    "polynomial": (lambda: Written(lambda self, x: self.f(torch.tanh(x + 0.04 * x**3)), f=nn.Linear(4, 4)), normal(3, 4)),
    "centred": (lambda: Written(lambda self, x: self.f(x - x.mean(1, keepdim=True)), f=nn.Linear(4, 4)), normal(3, 4)),
    "with itself": (lambda: Written(lambda self, x: self.f(x + x), f=nn.Linear(4, 4)), normal(3, 4)),
    "lstm": (lambda: nn.LSTM(3, 4, batch_first=True), normal(2, 5, 3)),
}


@pytest.mark.parametrize("name", NOT_FOUND)
def test_other_additions_are_none(name):
    make, example = NOT_FOUND[name]
    assert residual_ratios(seeded_model(make), example) == []


def test_the_numbers_are_those_of_the_block():
    model, x = seeded_model(FOUND["parallel"][0]), normal(5, 4)
    (block,) = residual_ratios(model, x)
    f = (model.f(x) + model.g(x)).detach()
    assert block.ratio == pytest.approx(float(f.norm() / x.norm()))
    assert block.cosine == pytest.approx(float((f * x).sum() / (f.norm() * x.norm())))
    assert block.growth == pytest.approx(float((x + f).norm() / x.norm()))
    assert block.shape == (5, 4)


def test_a_block_that_does_nothing_has_ratio_zero():
    (block,) = residual_ratios(Written(lambda self, x: x + 0 * self.f(x), f=nn.Linear(4, 4)), torch.ones(2, 4))
    assert (block.ratio, block.growth) == (0.0, 1.0)


def test_the_model_is_not_disturbed():
    model = nn.Sequential(nn.BatchNorm1d(3), Written(lambda self, x: x + self.f(x), f=nn.Dropout()))
    kept, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    residual_ratios(model, torch.ones(4, 3), mode="train")
    assert all(torch.equal(kept[name], value) for name, value in model.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert model.training


def test_parts_of_one_tensor_are_told_apart():
    def coupled(self, x):
        left, right = x.chunk(2, 1)
        return torch.cat([left + self.f(right), right], 1)  # nothing of the left goes into f

    def chunked(self, x):
        left, right = x.chunk(2, 1)
        return x + torch.cat([self.f(left), self.f(right)], 1)

    def halved(self, x):
        return x[:, ::2] + self.g(x)

    f, g = nn.Linear(2, 2), nn.Linear(4, 2)
    assert residual_ratios(Written(coupled, f=f), torch.ones(3, 4)) == []
    assert len(residual_ratios(Written(chunked, f=f), torch.ones(3, 4))) == 1
    assert len(residual_ratios(Written(halved, g=g), torch.ones(3, 4))) == 1
