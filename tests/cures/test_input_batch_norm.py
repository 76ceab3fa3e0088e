"""The first layer reads normalised inputs afterwards; parameter names stay."""

import pytest
import torch
from torch import nn

from kazami.cures.input_batch_norm import InputBatchNorm
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out, rows, training


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


@pytest.mark.parametrize("style", STYLES)
def test_the_layer_is_given_normalised_inputs(style):
    before, parameters = EXAMPLES["input_batch_norm"](style)
    model = carried_out(InputBatchNorm(), before, **parameters).start().model
    x = 100 * rows(1)[0][0] + 7
    expected = before.start().model((x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt())
    torch.testing.assert_close(model(x), expected, atol=1e-4, rtol=1e-4)


def test_sequences_and_images_are_normalised_per_feature():
    data = [(torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(0)) * 9, torch.zeros(4, 5, 2))]
    reader = training(lambda: nn.Sequential(nn.Linear(3, 2)), data=data, evaluate=None)
    model = InputBatchNorm().apply(reader, {"layer": "0", "features": 3, "dimensions": 1}).start().model
    seen = []
    model[0].register_forward_hook(lambda layer, given, output: seen.append(given[0]))
    model(data[0][0])
    torch.testing.assert_close(seen[0].reshape(-1, 3).std(0, unbiased=False), torch.ones(3), atol=1e-3, rtol=0)

    images = [(torch.rand(4, 2, 6, 6), torch.zeros(4, 3, 4, 4))]
    filters = training(lambda: nn.Sequential(nn.Conv2d(2, 3, 3)), data=images, evaluate=None)
    assert InputBatchNorm().apply(filters, {"layer": "0", "features": 2, "dimensions": 2}).run().losses
    assert InputBatchNorm().apply(filters, {"layer": "0", "features": 5, "dimensions": 2}) is None
