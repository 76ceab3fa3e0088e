"""Layers made for one measurement, with everything known."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from kazami.records import Layer
from kazami.watch.graph import LiveGraph
from kazami.watch.layers import Sight, read_layers
from kazami.watch.names import Names


def followed_by(activation: Callable[[Tensor], Tensor], signal: list[list[float]]) -> tuple[Sight, Tensor]:
    """Return a layer whose output is ``signal``, rows of units, with an activation after it, and the loss that keeps its graph alive."""
    x = torch.tensor(signal)
    layer = nn.Linear(x.shape[1], x.shape[1], bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(x.shape[1]))
    loss = activation(layer(x)).sum()
    (sight,) = read_layers(LiveGraph((loss,)), Names([layer]))
    return sight, loss


def made(weight: Tensor, kind: str = "linear", **fields: object) -> Sight:
    """Return a layer with a weight and whatever else is given."""
    layer = Layer(name="made", kind=kind, shape=tuple(weight.shape), fan_in=weight.shape[-1], fan_out=weight.shape[0])
    sight = Sight(layer=layer, weight=weight, is_trained=True)
    for name, value in fields.items():
        setattr(sight, name, value)
    return sight
