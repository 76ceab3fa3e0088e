"""The exponent: log |1 - 2η| of one weight, and what kazami.max_lyapunov says of a network."""

import math

import pytest

from kazami import TrainingMap, max_lyapunov
from kazami.sweeps import Sweep

from ..trainings import by_factors, linear, net


def test_the_exponent_of_one_weight_is_known():
    found = by_factors(Sweep(linear(), learning_rate=[0.1, 0.45, 0.9, 1.2]).run(record="max_lyapunov"), "max_lyapunov")
    for (rate,), value in found.items():
        assert value == pytest.approx(math.log(abs(1 - 2 * rate)), rel=1e-9)


def test_a_step_that_annihilates_everything_has_minus_infinity():
    assert by_factors(Sweep(linear(), learning_rate=[0.5]).run(record="max_lyapunov"), "max_lyapunov")[(0.5,)] == -math.inf


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_network_has_the_exponent_that_the_estimator_measures(momentum):
    found = Sweep(net(), momentum=[momentum], learning_rate=[0.05, 0.3], seed=[0, 2]).run(record="max_lyapunov")
    m = TrainingMap(net(seed=2))
    m.set_parameter("learning_rate", 0.3)
    m.set_parameter("momentum", momentum)
    expected = max_lyapunov(m, 20)
    assert by_factors(found, "max_lyapunov")[momentum, 0.3, 2] == pytest.approx(expected.value, rel=1e-6)
    assert by_factors(found, "max_lyapunov_error")[momentum, 0.3, 2] == pytest.approx(expected.uncertainty, rel=1e-4)


def test_a_member_that_leaves_the_range_has_the_exponent_of_the_steps_before():
    value = by_factors(Sweep(linear(), learning_rate=[50.0]).run(steps=300, record="max_lyapunov"), "max_lyapunov")[(50.0,)]
    assert value == pytest.approx(math.log(99.0), rel=0.02)
