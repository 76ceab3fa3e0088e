"""Look-ups that read the input are told from those that do not."""

import torch
from torch import nn
from torch.nn import functional as F

from kazami.nets.inside.embedded_inputs import EmbeddingCalls, input_lookups


def test_only_look_ups_of_the_input_are_found_whatever_their_spelling():
    table, places = nn.Embedding(9, 2), nn.Embedding(4, 2)
    tokens = torch.tensor([[1, 5, 2, 8]])

    def run(inputs):
        return table(inputs[0]) + places(torch.arange(4)) + F.embedding(inputs[0] * 1, table.weight) + torch.embedding(table.weight, inputs[0].view(1, 4))

    reading, calls = input_lookups(run, [tokens])
    assert reading == [0, 2, 3]
    assert len(calls.vectors) == 4


def test_a_look_up_can_be_answered():
    table = nn.Embedding(9, 2)
    with EmbeddingCalls({0: torch.full((1, 2), 7.0)}):
        assert torch.equal(table(torch.tensor([3])), torch.full((1, 2), 7.0))
