"""The catapult of two linear layers against its exact map of two numbers."""

import numpy as np

from kazami.lab.catapults import trained, two_numbers
from kazami.lab.doublings import accumulation, doubling, doublings, training_orbit


def test_the_training_is_the_map_of_two_numbers():
    found = trained(2.5, width=64, steps=25, seed=4)
    first, second = found.outputs[:2]
    constant = (second / first - 1 + found.curvatures[0]) / first**2
    predicted = two_numbers(first, found.curvatures[0], constant, 25)
    assert np.abs(predicted - found.outputs).max() < 1e-9 * np.abs(found.outputs).max()


def test_divergence_is_an_outcome():
    assert trained(5.0, width=64, steps=500, seed=0).diverged
    assert not trained(1.0, width=64, steps=50, seed=0).diverged


def test_doublings_and_their_accumulation():
    found = doublings(3)
    assert abs(found[1] - (5**0.5 - 1)) < 1e-9
    assert abs(doubling(1, 0.9, 1.1) - 1.0) < 1e-9
    assert abs(accumulation([1.29923, 1.30163]) - 1.30228) < 1e-4


def test_the_torch_training_is_the_cubic_map():
    x = [0.7 / 2.0]
    for _ in range(30):
        x.append(2.1 * x[-1] - 1.1 * x[-1] ** 3)
    assert np.abs(training_orbit(1.1, 30, target=4.0) - x).max() < 1e-9
