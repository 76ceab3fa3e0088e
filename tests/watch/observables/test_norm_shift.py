"""The distance between the normalisation of the batch and that of the running statistics."""

import math

import pytest
import torch
from torch import nn

from kazami.watch.observables.norm_shift import NormShift
from tests.watch.observables.norms import normal, passes
from tests.watch.observables.sights import made


def norm(mean=0.0, variance=1.0, momentum=0.0, channels=3):
    layer = nn.BatchNorm1d(channels, momentum=momentum).double()
    layer.running_mean.fill_(mean)
    layer.running_var.fill_(variance)
    return layer


@pytest.mark.parametrize(
    ("layer", "mean", "std", "expected"),
    [
        (norm(), 0.0, 1.0, 0.0),
        (norm(), 3.0, 1.0, 3.0),
        (norm(mean=3.0, variance=4.0), -1.0, 2.0, 2.0),  # four apart, in spreads of two
        (norm(), 0.0, math.e**2, 2.0),
        (norm(), 0.0, math.e**-2, 2.0),
    ],
)
def test_spreads_and_e_folds(layer, mean, std, expected):
    for sight in passes(layer, normal(6400, mean=mean, std=std)):
        assert NormShift().measure(sight) == pytest.approx(math.sqrt(max(expected**2 - 1.5 / 6400, 0.0)), abs=1e-3)


def test_the_noise_of_batches_is_none():
    shifts = [NormShift().measure(sight) for sight in passes(norm(channels=200), *(torch.randn(16, 200, dtype=torch.float64) for _ in range(20)))]
    assert sorted(shifts)[10] < 0.15


def test_a_few_channels_that_died_do_not_count():
    batch = normal(640, channels=9)
    batch[:, :2] = 0.0
    for sight in passes(norm(channels=9), batch):
        assert NormShift().measure(sight) < 0.1


def test_in_evaluation_without_statistics_or_another_layer_there_is_none():
    for layer in (norm().eval(), nn.BatchNorm1d(3, track_running_stats=False).double(), nn.LayerNorm(3).double()):
        for sight in passes(layer, normal()):
            assert math.isnan(NormShift().measure(sight))
    assert math.isnan(NormShift().measure(made(torch.ones(2, 2))))
