"""Layers replaced by the identity: where it fits, the sentence where it does not, and the effect."""

import copy

import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets import identity_ablation, replace_by_identity
from tests.nets.models import Written, normal, seeded_model


def net():
    return seeded_model(lambda: nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.Linear(16, 3)))


def test_a_replaced_layer_gives_its_input_back_and_the_model_stays():
    model, x = net(), normal(5, 8)
    kept = copy.deepcopy(model.state_dict())
    without = replace_by_identity(model, "2", x)
    assert torch.equal(without(x), model[3](model[1](model[0](x))))
    assert all(torch.equal(kept[name], value) for name, value in model.state_dict().items())
    assert isinstance(model[2], nn.Linear)
    assert without[0].weight.requires_grad
    assert [name for name, _ in without.named_parameters()] == ["0.weight", "0.bias", "3.weight", "3.bias"]


@pytest.mark.parametrize("example", [None, normal(5, 8)])
def test_other_sizes_are_refused_with_the_nearest_that_is_possible(example):
    with pytest.raises(UsageError, match=r"0: 8 → 16: identity impossible.*zero_pad"):
        replace_by_identity(net(), "0", example)


def test_zeros_fill_where_asked_for():
    model, x = net(), normal(5, 8)
    padded = torch.cat([x, torch.zeros(5, 8)], 1)
    assert torch.equal(replace_by_identity(model, "0", x, fit="zero_pad")(x), model[3](model[2](model[1](padded))))
    assert torch.equal(replace_by_identity(model, "3", x, fit="zero_pad")(x), model[2](model[1](model[0](x)))[:, :3])
    image = seeded_model(lambda: nn.Sequential(nn.Conv2d(1, 3, 3, stride=2)))
    assert replace_by_identity(image, "0", normal(2, 1, 9, 9), fit="zero_pad")(normal(2, 1, 9, 9)).shape == (2, 3, 4, 4)
    with pytest.raises(UsageError, match="needs an example"):
        replace_by_identity(model, "0", fit="zero_pad")


def test_unknown_and_unused_layers():
    with pytest.raises(UsageError, match="There is no layer"):
        replace_by_identity(net(), "nought")
    model = Written(lambda self, x: self.used(x), used=nn.Linear(2, 2), idle=nn.Linear(2, 2)).double()
    with pytest.raises(UsageError, match="not called"):
        replace_by_identity(model, "idle", normal(1, 2))


def test_nested_layers_and_tuples():
    model = seeded_model(lambda: Written(lambda self, x: self.attention(x, x, x)[0], attention=nn.MultiheadAttention(4, 2, batch_first=True)))
    x = normal(2, 3, 4)
    assert torch.equal(replace_by_identity(model, "attention", x)(x), x)
    inner = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.Tanh())).double()
    assert isinstance(replace_by_identity(inner, "0.1")[0][1](torch.ones(1)), torch.Tensor)


def test_every_layer_is_judged():
    model, x = net(), normal(40, 8)
    found = identity_ablation(model, x, lambda m: -float((m(x) - model(x)).detach().square().sum()))
    assert [(row.name, row.is_possible) for row in found.rows] == [("0", False), ("1", True), ("2", True), ("3", False)]
    without = model[3](model[1](model[0](x))).detach()
    truth = float(torch.linalg.vector_norm(without - model(x).detach()) / torch.linalg.vector_norm(model(x).detach()))
    assert found.rows[2].output_change == pytest.approx(truth)
    assert (found.score, found.rows[0].score) == (0.0, None)
    assert found.rows[2].score_change == pytest.approx(-float((without - model(x).detach()).square().sum()))
    assert "identity impossible" in found.rows[0].why_not.en
    assert found.rows[0].why_not.ja


def test_embeddings_and_what_needs_a_layer_are_told():
    def forward(self, tokens):
        _, (state, _) = self.cell(self.table(tokens))
        return state[-1]

    model = seeded_model(lambda: Written(forward, table=nn.Embedding(5, 4), cell=nn.LSTM(4, 4, batch_first=True)))
    rows = {row.name: row for row in identity_ablation(model, torch.zeros(2, 3, dtype=torch.long)).rows}
    assert "whole numbers" in rows["table"].why_not.en
    assert "does not run without it" in rows["cell"].why_not.en
