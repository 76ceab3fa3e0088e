"""What stands out from the recent losses is told when it comes, a few times."""

import numpy as np
import pytest

from kazami.watch.spikes import LEAST_STEPS, MOST_TOLD, SpikeWatch


def told(losses):
    watch = SpikeWatch()
    return [index for index, loss in enumerate(losses) if watch.stands_out(float(loss))]


@pytest.mark.parametrize("seed", range(5))
def test_the_one_loss_that_leaps(seed):
    losses = np.random.default_rng(seed).normal(2.0, 0.1, 300)
    losses[200] = 4.0
    assert told(losses) == [200]


def test_the_noise_of_a_falling_loss_is_nothing():
    noise = np.random.default_rng(0).normal(1.0, 0.05, 3000)
    assert told(np.geomspace(5.0, 0.01, 3000) * noise) == []


def test_neither_the_start_nor_a_downward_leap_nor_a_constant_loss():
    assert told([1.0, 1.1] * (LEAST_STEPS // 2 - 1) + [50.0]) == []
    assert told([1.0, 1.1] * 50 + [-50.0]) == []
    assert told([1.0] * 50 + [1.0 + 1e-12]) == []


def test_a_leap_does_not_hide_the_next_one_and_only_a_few_are_told():
    losses = np.random.default_rng(1).normal(2.0, 0.1, 1000)
    losses[50::50] = 30.0
    assert told(losses) == list(range(50, 50 + 50 * MOST_TOLD, 50))


def test_what_is_not_finite_is_passed_over():
    losses = np.random.default_rng(2).normal(2.0, 0.1, 100)
    losses[40], losses[60] = np.nan, np.inf
    losses[80] = 9.0
    assert told(losses) == [80]
