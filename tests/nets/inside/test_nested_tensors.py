"""Tensors are found and put back in whatever holds them."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import torch

from kazami.nets.inside.nested_tensors import tensors_in, with_tensors

Pair = namedtuple("Pair", "left right")


@dataclass(frozen=True)
class Output:
    logits: torch.Tensor
    note: str


def test_every_holder_comes_back_as_itself():
    one = torch.ones(1)
    value = OrderedDict(a=[one, 3], b=Pair(one, (one, None)), c=Output(one, "kept"), d={})
    assert [name for name, _ in tensors_in(value)] == ["a.0", "b.left", "b.right.0", "c.logits"]
    made = with_tensors(value, iter(torch.arange(4.0)))
    assert isinstance(made, OrderedDict)
    assert isinstance(made["b"], Pair)
    assert (made["a"], made["b"].right[1], made["c"].note) == ([torch.tensor(0.0), 3], None, "kept")
    assert made["c"].logits == 3
    assert value["c"].logits is one
