"""Weights of long loops are drawn near each reader, so that a picture of hundreds of steps comes at all."""

from collections import Counter

import torch
from torch import nn

from kazami.nets import graph
from kazami.nets.graph.near_sources import MOST_ROWS_CROSSED, with_near_sources
from kazami.nets.graph.picture import Picture, picture_of

from .zoo import data, mlp


class Stepped(nn.Module):
    """One cell, called for every step."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.RNNCell(2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Go through all steps."""
        state = x.new_zeros(len(x), 3)
        for step in range(x.shape[1]):
            state = self.cell(x[:, step], state)
        return state


def unfolded(model: nn.Module, example: torch.Tensor) -> Picture:
    """Return the picture of all that is in a model, one by one."""
    found = graph(model, example)
    return picture_of(found.nodes, found.edges, found.blocks, open_blocks=True, fold=False, language="en")


def test_a_small_picture_stays_as_it_is():
    for picture in (unfolded(mlp(), data(5, 3)), unfolded(Stepped(), torch.ones(2, 5, 2))):
        assert with_near_sources(picture) is picture


def test_a_long_loop_keeps_its_arrows_and_repeats_only_what_nothing_goes_into():
    picture = unfolded(Stepped(), torch.ones(2, 90, 2))
    near = with_near_sources(picture)
    assert near is not picture
    assert len(near.arrows) == len(picture.arrows) > MOST_ROWS_CROSSED / 90
    titles = {box.id: (box.title, box.lines[0]) for box in picture.boxes} | {box.id: (box.title, box.lines[0]) for box in near.boxes}
    wires = [Counter((titles[arrow.source], titles[arrow.target]) for arrow in one.arrows) for one in (picture, near)]
    assert wires[0] == wires[1]
    fed = {arrow.target for arrow in picture.arrows}
    assert fed <= {box.id for box in near.boxes}
    assert len({box.id for box in near.boxes}) == len(near.boxes)
