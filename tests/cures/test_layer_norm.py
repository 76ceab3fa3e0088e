"""The normalisation seen is replaced, with its channels; training and evaluation then agree."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.layer_norm import LayerNorm
from kazami.records import Layer
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out, plain, rows


def test_training_and_evaluation_agree_afterwards():
    model = nn.Sequential(nn.Linear(4, 12), nn.BatchNorm1d(12))
    layers = (Layer("1", "norm", (12,), 1, 12),)
    exec(prescribed(LayerNorm(), finding("train_eval_mismatch"), trace(layers=layers)).code, {"model": model, "nn": nn})
    x = torch.randn(2, 4)
    assert torch.equal(model.train()(x), model.eval()(x))
    assert model[1].num_channels == 12


@pytest.mark.parametrize("style", STYLES)
def test_groups_are_normalised_instead_of_batches(style):
    before, parameters = EXAMPLES["layer_norm"](style)
    model = carried_out(LayerNorm(), before, **parameters).start().model
    x = rows(1)[0][0]
    weight, bias = (model.norm.weight, model.norm.bias) if style == "modules" else (model.scale, model.shift)
    expected = model.c(torch.relu(F.group_norm(model.a(x), 2, weight, bias)))
    torch.testing.assert_close(model.train()(x), expected)
    torch.testing.assert_close(model.eval()(x), expected)
    assert torch.isfinite(model.train()(x[:1])).all(), "one sample is enough"


def test_models_that_normalise_no_batches_are_left_alone():
    assert LayerNorm().apply(plain("modules"), {"layers": [], "groups": []}) is None
