"""Layers are judged one by one, inner ones before the modules that hold them."""

import torch
from torch import nn
from torch.nn import functional as F

from kazami.nets.inside.collapse_layers import layer_verdicts
from kazami.nets.inside.input_output_map import input_output_map
from kazami.nets.inside.layer_calls import layer_calls
from tests.nets.models import Written, normal, seeded_model


def verdicts(model, example):
    function = input_output_map(model, example)
    return {layer.name: layer.is_affine for layer in layer_verdicts(function, layer_calls(function))}


def test_a_bending_forward_is_named_only_if_nothing_in_it_bends():
    block = seeded_model(lambda: Written(lambda self, x: F.relu(self.f(x)), f=nn.Linear(3, 3)))
    outer = nn.Sequential(block, Written(lambda self, x: self.act(x), act=nn.Tanh()), nn.Linear(3, 3).double())
    assert verdicts(outer, normal(4, 3)) == {"0": False, "0.f": True, "1.act": False, "2": True}


def test_a_layer_without_floats_is_not_judged():
    model = nn.Sequential(nn.Embedding(5, 2), Written(lambda self, x: self.f(x.argmax(2)), f=Written(lambda _, n: n.double())))
    model = Written(lambda self, t, x: x + 0 * self.inner(t).sum(), inner=model)
    found = verdicts(model, (torch.zeros(3, 2, dtype=torch.long), normal(3, 1)))
    assert found["inner.1.f"] is None
