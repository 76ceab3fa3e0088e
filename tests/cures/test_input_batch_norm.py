"""The first layer reads normalised inputs afterwards; parameter names stay."""

import torch
from torch import nn

from kazami.cures.input_batch_norm import InputBatchNorm
from tests.cures.cases import finding, prescribed, trace


def test_the_first_layer_reads_normalised_inputs_afterwards():
    model = nn.Sequential(nn.Linear(8, 4))
    exec(prescribed(InputBatchNorm(), finding("input_scaling", place="0"), trace()).code, {"model": model, "nn": nn})
    read = []
    model[0].register_forward_pre_hook(lambda layer, x: read.append(x[0]))
    model(torch.randn(64, 8) * 50 + 100)
    assert read[0].mean(0).abs().max() < 1e-3
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]


def test_an_unknown_first_layer_gets_none():
    assert InputBatchNorm().prescribe(finding("input_scaling", place="tensor 8×4"), trace()) is None
