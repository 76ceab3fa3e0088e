"""The running statistics are those of the data afterwards."""

import pytest
import torch
from torch import nn

from kazami.cures.batch_norm_statistics import BatchNormStatistics
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import carried_example
from tests.cures.trainings import STYLES, plain, rows


def test_the_statistics_are_those_of_the_data():
    model, data = nn.Sequential(nn.BatchNorm1d(2)), torch.randn(256, 2, generator=torch.Generator().manual_seed(0)) * 3 + 5
    exec(prescribed(BatchNormStatistics(), finding("train_eval_mismatch"), trace()).code, {"torch": torch, "model": model, "train_loader": [data]})
    torch.testing.assert_close(model[0].running_mean, data.mean(0))
    torch.testing.assert_close(model[0].running_var, data.var(0))


@pytest.mark.parametrize("style", STYLES)
def test_statistics_are_the_averages_over_the_batches_at_the_last_weights(style):
    after = carried_example(BatchNormStatistics(), style)
    model = after.run().model.eval()
    x = rows(1)[0][0]
    model(x)
    seen = [model.a(inputs) for inputs, _ in rows()]
    mean = model.mean if style == "functions" else model.norm.running_mean
    variance = model.variance if style == "functions" else model.norm.running_var
    torch.testing.assert_close(mean, torch.stack([z.mean(0) for z in seen]).mean(0))
    torch.testing.assert_close(variance, torch.stack([z.var(0) for z in seen]).mean(0))
    assert not any(module.training for module in model.modules())


def test_models_that_normalise_no_batches_are_left_alone():
    assert BatchNormStatistics().apply(plain("modules"), {"recalibrate": True}) is None
