"""The normalisation seen is replaced, with its channels; training and evaluation then agree."""

import torch
from torch import nn

from kazami.cures.layer_norm import LayerNorm
from kazami.records import Layer
from tests.cures.cases import finding, prescribed, trace


def test_training_and_evaluation_agree_afterwards():
    model = nn.Sequential(nn.Linear(4, 12), nn.BatchNorm1d(12))
    layers = (Layer("1", "norm", (12,), 1, 12),)
    exec(prescribed(LayerNorm(), finding("train_eval_mismatch"), trace(layers=layers)).code, {"model": model, "nn": nn})
    x = torch.randn(2, 4)
    assert torch.equal(model.train()(x), model.eval()(x))
    assert model[1].num_channels == 12
