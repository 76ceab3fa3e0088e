"""The running statistics are those of the data afterwards."""

import torch
from torch import nn

from kazami.cures.batch_norm_statistics import BatchNormStatistics
from tests.cures.cases import finding, prescribed, trace


def test_the_statistics_are_those_of_the_data():
    model, data = nn.Sequential(nn.BatchNorm1d(2)), torch.randn(256, 2, generator=torch.Generator().manual_seed(0)) * 3 + 5
    exec(prescribed(BatchNormStatistics(), finding("train_eval_mismatch"), trace()).code, {"torch": torch, "model": model, "train_loader": [data]})
    torch.testing.assert_close(model[0].running_mean, data.mean(0))
    torch.testing.assert_close(model[0].running_var, data.var(0))
