"""Equal neighbouring parts are found whatever the modules are called; unequal ones are left alone."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kazami.nets import graph

from .asking import folds
from .zoo import GPT, ResidualStack, data, ids, uneven


@pytest.mark.parametrize("depth", [3, 12, 100])
def test_residual_blocks_are_folded(depth):
    found = graph(ResidualStack(depth), data(5, 2))
    assert folds(found) == [depth]
    (loop,) = found.repeats
    assert {len(part) for part in loop.repetitions} == {10}  # W, b, ·, +, tanh, W, b, ·, + and the shortcut's +
    assert len({node for part in loop.repetitions for node in part}) == 10 * depth


def test_a_part_ends_where_one_wire_leaves_it():
    (loop,) = graph(GPT(4), ids(2, 5)).repeats
    assert loop.name == "blocks.0 … blocks.3"


def test_layers_of_unequal_width_are_not_folded():
    assert folds(graph(uneven(8), data(3, 2))) == []


def test_unequal_activations_are_not_folded():
    layers = [one for act in (nn.ReLU, nn.Tanh, nn.ReLU, nn.GELU, nn.ReLU) for one in (nn.Linear(4, 4), act())]
    assert folds(graph(nn.Sequential(*layers), data(3, 4))) == []


def test_two_small_blocks_are_not_worth_folding():
    assert folds(graph(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)), data(3, 4))) == []


class Nest(nn.Module):
    """Three equal stages of four equal layers and a normalisation each."""

    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleList(nn.Sequential(*[nn.Linear(4, 4) for _ in range(4)], nn.LayerNorm(4)) for _ in range(3))

    def forward(self, x):
        for stage in self.stages:
            x = stage(x)
        return x


def test_repeats_inside_repeats():
    found = graph(Nest(), data(3, 4))
    outer, inner = found.repeats
    assert (outer.times, inner.times, inner.parent) == (3, 4, outer.id)


class Every(nn.Module):
    """Layers one after the other, all of whose results are concatenated."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(5))

    def forward(self, x):
        seen = []
        for layer in self.layers:
            x = torch.relu(layer(x))
            seen.append(x)
        return torch.cat(seen, -1)


def test_parts_that_are_all_read_by_the_same_are_folded():
    assert folds(graph(Every(), data(3, 4))) == [5]


class One(nn.Module):
    """Layers one after the other; the third one's result is read again at the end."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(6))

    def forward(self, x):
        seen = []
        for layer in self.layers:
            x = torch.relu(layer(x))
            seen.append(x)
        return x * seen[2]


def test_a_part_that_is_read_from_outside_ends_the_repeat():
    assert folds(graph(One(), data(3, 4))) == [3, 3]


class Heads(nn.Module):
    """Four heads side by side, each with projections of its own."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = (nn.ModuleList(nn.Linear(8, 2) for _ in range(4)) for _ in range(3))

    def forward(self, x):
        made = []
        for q, k, v in zip(self.q, self.k, self.v, strict=True):
            weights = F.softmax(torch.einsum("ntd,nsd->nts", q(x), k(x)) / 2**0.5, -1)
            made.append(torch.einsum("nts,nsd->ntd", weights, v(x)))
        return torch.cat(made, -1)


def test_parallel_heads_are_folded_and_each_is_attention():
    found = graph(Heads(), data(2, 5, 8))
    assert folds(found) == [4]
    assert sum(one.kind == "attention" for one in found.blocks) == 4


def test_a_cell_in_a_loop_is_folded_from_its_first_step():
    class Loop(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.LSTMCell(3, 4)

        def forward(self, x):
            state = None
            for t in range(x.shape[1]):
                state = self.cell(x[:, t], state)
            return state[0]

    (loop,) = graph(Loop(), data(2, 6, 3)).repeats
    assert (loop.times, loop.shares_weights) == (6, True)
