"""The network bends afterwards, under the same parameter names."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.insert_activation import InsertActivation
from tests.cures.cases import finding, mlp, prescribed, trace
from tests.cures.examples import carried_example
from tests.cures.trainings import LAYERS, STYLES, rows


def test_the_network_is_no_longer_affine():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), nn.Identity(), nn.Linear(32, 32), nn.Identity(), nn.Linear(32, 4))
    names = list(model.state_dict())
    with torch.no_grad():
        exec(prescribed(InsertActivation(), finding("no_nonlinearity"), trace(layers=mlp("identity"))).code, {"model": model, "nn": nn, "F": F})
    a, b = torch.randn(5, 8), torch.randn(5, 8)
    assert (model(a) + model(b) - model(a + b) - model(torch.zeros(5, 8))).abs().max() > 0.01
    assert list(model.state_dict()) == names


def test_many_layers_are_reached_by_a_loop():
    given = prescribed(InsertActivation(), finding("no_nonlinearity"), trace(layers=mlp("identity", 9)))
    assert "[:8]" in given.code
    assert len(given.parameters["layers"]) == 8


@pytest.mark.parametrize("style", STYLES)
def test_something_bends_between_the_layers(style):
    model = carried_example(InsertActivation(), style).start().model
    a, b, c = (model.get_submodule(name) for name in LAYERS[style])
    x = rows(1)[0][0]
    bent = F.relu(F.linear(F.relu(F.linear(x, a.weight, a.bias)), b.weight, b.bias))
    torch.testing.assert_close(model(x), F.linear(bent, c.weight, c.bias))
