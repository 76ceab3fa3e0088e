"""What goes into and out of layers: order, tied use, in-place layers, nested calls."""

import torch
from torch import nn

from kazami.nets.inside.input_output_map import input_output_map
from kazami.nets.inside.layer_calls import layer_calls
from tests.nets.models import Written, normal, seeded_model


def test_order_tied_use_and_parents():
    shared = nn.Linear(2, 2)
    model = nn.Sequential(shared, Written(lambda self, x: self.f(x), f=nn.Tanh()), shared).double()
    calls = {call.name: call for call in layer_calls(input_output_map(model, normal(3, 2)))}
    assert [(name, call.n_calls, call.is_leaf, call.parent) for name, call in calls.items()] == [
        ("0", 2, True, ""),
        ("1", 1, False, ""),
        ("1.f", 1, True, "1"),
    ]
    assert calls["0"].has_weights
    assert not calls["1.f"].has_weights


def test_what_goes_in_is_kept_as_it_was():
    model = nn.Sequential(nn.ReLU(inplace=True))
    x = -torch.ones(2, 2)
    call = layer_calls(input_output_map(model, x))[0]
    assert torch.equal(call.arguments[0][0], -torch.ones(2, 2, dtype=torch.float64))
    assert torch.equal(x, -torch.ones(2, 2))


def test_parametrizations_are_no_layers():
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)))
    calls = layer_calls(input_output_map(seeded_model(lambda: model), normal(1, 2)))
    assert [(call.name, call.kind, call.is_leaf, call.has_weights) for call in calls] == [("0", "Linear", True, True)]
