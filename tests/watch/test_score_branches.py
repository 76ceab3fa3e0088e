"""Queries and keys are told apart from what carries numbers to the loss."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.diagnosis._base import on_the_way
from tests.watch.seeing import of_model

X = torch.randn(4, 6, 8)


class Attending(nn.Module):
    """Attention written in one of several ways, and a head."""

    def __init__(self, way):
        super().__init__()
        torch.manual_seed(0)
        self.way = way
        self.query, self.key, self.value = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.norm, self.out, self.head = nn.LayerNorm(8), nn.Linear(8, 8), nn.Linear(8, 2)

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        if self.way == "fused":
            parts = (one.view(4, 6, 2, 4).transpose(1, 2) for one in (q, k, v))
            mixed = F.scaled_dot_product_attention(*parts).transpose(1, 2).reshape(4, 6, 8)
        elif self.way == "masked":  # in training and with a mask, PyTorch takes the fused operation apart
            parts = (one.view(4, 6, 2, 4).transpose(1, 2) for one in (q, k, v))
            mask = torch.ones(4, 1, 6, 6, dtype=torch.bool).tril()
            mixed = F.scaled_dot_product_attention(*parts, attn_mask=mask, dropout_p=0.1).transpose(1, 2).reshape(4, 6, 8)
        elif self.way == "normed":
            mixed = (self.norm(q) @ k.transpose(1, 2) / 2 + torch.zeros(6, 6)).masked_fill(torch.eye(6, dtype=torch.bool), -9.0).softmax(-1) @ v
        elif self.way == "einsum":
            mixed = torch.einsum("bij,bjd->bid", torch.softmax(torch.einsum("bid,bjd->bij", q, k), -1), v)
        else:  # the query goes on beside its scores
            mixed = torch.softmax(q @ k.transpose(1, 2), -1) @ v + q
        return self.head(self.out(x + mixed).mean(1))


@pytest.mark.parametrize(
    ("way", "aside"), [("fused", {"query", "key"}), ("normed", {"query", "key", "norm"}), ("einsum", {"query", "key"}), ("beside", {"key"})]
)
def test_queries_and_keys(way, aside):
    trace = of_model(Attending(way), lambda z: F.cross_entropy(z, torch.tensor([0, 1, 0, 1])), X)
    found = set(trace.facts["score_branches"]["layers"])
    assert found == aside & {layer.name for layer in trace.layers}
    kept = {trace.layers[i].name for i in on_the_way(trace)}
    assert {"value", "out", "head"} <= kept
    assert not kept & aside


def test_a_softmax_without_attention_sets_nothing_aside():
    model = nn.Sequential(nn.Linear(8, 5), nn.Softmax(-1), nn.Linear(5, 2))
    trace = of_model(model, lambda z: F.cross_entropy(z, torch.tensor([0, 1, 0, 1])), X[:, 0])
    assert "score_branches" not in trace.facts
    assert len(on_the_way(trace)) == 2


def test_packed_projections_carry_values_too():
    torch.manual_seed(0)
    attention, head = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 2)
    model = nn.ModuleDict({"a": attention, "h": head})
    model.forward = lambda x: head(attention(x, x, x, need_weights=False)[0].mean(1))
    trace = of_model(model, lambda z: F.cross_entropy(z, torch.tensor([0, 1, 0, 1])), X)
    assert "score_branches" not in trace.facts
