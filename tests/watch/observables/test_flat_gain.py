"""The share of a signal that flat directions would explain is the R² of a regression on them."""

import math

import numpy as np
import pytest
import torch

from kazami.watch.observables.flat_gain import FlatGain
from kazami.watch.observables.input_condition import InputCondition
from kazami.watch.observables.sharp_gain import SharpGain
from tests.watch.observables.sights import made


def looked_at(x, delta):
    """Return a layer that read rows ``x`` and whose output has the gradient ``delta``."""
    weight = torch.ones(delta.shape[1], x.shape[1], dtype=torch.float64)
    rms = float(delta.square().mean().sqrt())
    sight = made(weight, first_input=x, reads_data=True, memory={}, gradient=delta.T @ x, output_gradients=[rms])
    InputCondition().measure(sight)
    return sight


def inputs(n=400, seed=0):
    x = np.random.default_rng(seed).standard_normal((n, 4)) * [10.0, 3.0, 0.1, 0.05]
    return torch.from_numpy(x)


@pytest.mark.parametrize(("column", "flat", "sharp"), [(0, 0.0, 1.0), (3, 1.0, 0.0)])
def test_a_signal_along_one_direction(column, flat, sharp):
    x = inputs(1000)
    sight = looked_at(x, x[:, [column]])
    assert FlatGain().measure(sight) == pytest.approx(flat, abs=0.01)
    assert SharpGain().measure(sight) == pytest.approx(sharp, abs=0.01)


def test_the_r2_of_a_regression_without_its_chance():
    x = inputs(60)
    delta = 30 * x[:, [3]] + torch.from_numpy(np.random.default_rng(5).standard_normal((60, 2)))
    _, vectors = np.linalg.eigh((x.T @ x).numpy())
    z = x.numpy() @ vectors[:, :2]
    fitted = z @ np.linalg.lstsq(z, delta.numpy(), rcond=None)[0]
    expected = (fitted**2).sum() / float(delta.square().sum())
    assert FlatGain().measure(looked_at(x, delta)) == pytest.approx(expected - 2 / 60, rel=1e-6)


def test_noise_has_none_on_average():
    x = inputs(40)
    shares = [FlatGain().measure(looked_at(x, torch.from_numpy(np.random.default_rng(seed).standard_normal((40, 3))))) for seed in range(200)]
    assert abs(np.mean(shares)) < 0.01


def test_without_flat_directions_there_is_nothing_along_them():
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((50, 4)))
    assert FlatGain().measure(looked_at(x, x[:, [0]])) == 0.0


def test_what_is_not_known_is_nan():
    sight = looked_at(inputs(), inputs()[:, [0]])
    for name, value in (("memory", {}), ("gradient", None), ("output_gradients", []), ("output_gradients", [0.0])):
        broken = looked_at(inputs(), inputs()[:, [0]])
        setattr(broken, name, value)
        assert math.isnan(FlatGain().measure(broken))
    assert not math.isnan(FlatGain().measure(sight))


def test_directions_that_only_look_flat_in_a_small_sample_do_not_count():
    """64 rows of 48 features with a mean: the smallest eigenvalues of the sample are a fiftieth of the true ones, which are not flat."""
    random, memory = np.random.default_rng(0), {}
    for look in range(24):
        x = torch.from_numpy(1.0 + 0.4 * random.standard_normal((8, 48)))
        delta = torch.from_numpy(random.standard_normal((8, 2)))
        weight = torch.ones(2, 48, dtype=torch.float64)
        sight = made(weight, first_input=x, reads_data=True, memory=memory, gradient=delta.T @ x, output_gradients=[float(delta.square().mean().sqrt())])
        InputCondition().measure(sight)
        if look >= 12:
            assert FlatGain().measure(sight) == 0.0
