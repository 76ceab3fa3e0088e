"""A fifth of what hidden layers give is dropped in training, nothing in evaluation."""

import pytest
import torch
from torch import nn

from kazami.cures.add_dropout import RATE, AddDropout
from tests.cures.cases import finding, mlp, prescribed, trace
from tests.cures.examples import carried_example
from tests.cures.trainings import STYLES, rows


@pytest.mark.parametrize("depth", [2, 3, 8])
def test_the_lines_drop_behind_every_hidden_layer(depth):
    layers = mlp(depth=depth)
    model = nn.Sequential(*[module for layer in layers for module in (nn.Linear(layer.fan_in, layer.fan_out), nn.ReLU())][:-1])
    exec(prescribed(AddDropout(), finding("overfitting"), trace(layers=layers)).code, {"model": model, "nn": nn})
    torch.manual_seed(0)
    linear = [module for module in model if isinstance(module, nn.Linear)]
    x = torch.ones(2000, 32)
    for layer in linear[1:-1]:
        assert float((layer(x) == 0).float().mean()) == pytest.approx(RATE, abs=0.02)
    assert bool((linear[-1](x) != 0).all())
    model.eval()
    assert not any(bool((layer(x) == 0).any()) for layer in linear[1:])


def test_dropout_that_is_there_is_enough():
    assert AddDropout().prescribe(finding("overfitting"), trace(facts={"dropout": {"rate": 0.5}})) is None
    assert AddDropout().prescribe(finding("overfitting"), trace(layers=mlp(depth=1))) is None


@pytest.mark.parametrize("style", STYLES)
def test_training_drops_and_evaluation_does_not(style):
    model = carried_example(AddDropout(), style).start().model
    x = rows(1, 500)[0][0]
    assert not torch.equal(model(x), model(x))
    model.eval()
    torch.testing.assert_close(model(x), model(x), rtol=0, atol=0)
