"""The vector carried through a user's steps: against closed forms of quadratics, and against the tangents of the training as a map."""

import math

import pytest
import torch
from torch import nn

from kazami.maps import TrainingMap
from kazami.watch.tangent import Clip, StepMismatch, TangentVector, rule_of
from tests.watch.small_iris import F64, tanh_net, watched

CURVED = torch.tensor([0.5, 3.0, 7.0], dtype=F64)


def quadratic(make, start, steps):
    """Carry a vector through descent on a quadratic with the curvatures ``CURVED``; return the exponents and cosines."""
    weights = nn.Parameter(torch.tensor([1.0, -2.0, 0.5], dtype=F64))
    optimizer = make([weights])
    vector = TangentVector([weights], rule_of(optimizer), torch.tensor(start, dtype=F64))
    found = []
    for _ in range(steps):
        gradient = CURVED * weights.detach()
        weights.grad = gradient.clone()
        found.append(vector.advance(optimizer, gradient, CURVED * vector.weights, [weights.grad], None))
        optimizer.step()
        assert vector.is_where_expected()
    return found


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.4])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_descent_on_a_quadratic_stretches_by_one_minus_rate_times_curvature(rate, place):
    start = [0.0, 0.0, 0.0]
    start[place] = 1.0
    factor = 1.0 - rate * float(CURVED[place])
    for stretch in quadratic(lambda p: torch.optim.SGD(p, lr=rate), start, 5):
        assert stretch.exponent == pytest.approx(math.log(abs(factor)), abs=1e-12)
        assert stretch.cosine == math.copysign(1.0, factor)


def test_heavy_ball_reaches_the_root_of_its_characteristic_polynomial():
    """Beyond the limit 2(1+β)/η the multiplier is the larger root of μ² - (1+β-ηλ)μ + β = 0, which is below -1."""
    rate, momentum = 0.6, 0.9
    middle = 1 + momentum - rate * float(CURVED[2])
    root = (middle - math.sqrt(middle**2 - 4 * momentum)) / 2
    found = quadratic(lambda p: torch.optim.SGD(p, lr=rate, momentum=momentum), [1.0, 1.0, 1.0], 60)
    assert root < -1
    assert found[-1].exponent == pytest.approx(math.log(-root), rel=1e-9)
    assert found[-1].cosine == pytest.approx(-1.0)


def test_a_vector_that_vanishes_says_so_and_goes_on():
    found = quadratic(lambda p: torch.optim.SGD(p, lr=0.5, weight_decay=2.0 - 0.5), [1.0, 0.0, 0.0], 2)  # 1 - 0.5 (0.5 + 1.5) = 0
    assert found[0].exponent == -math.inf
    assert found[1].exponent == -math.inf


OPTIMIZERS = {
    "sgd": lambda net: torch.optim.SGD(net.parameters(), lr=0.2),
    "nesterov with decay": lambda net: torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda net: torch.optim.Adam(net.parameters(), lr=1e-3),
    "adamw amsgrad": lambda net: torch.optim.AdamW(net.parameters(), lr=1e-3, amsgrad=True),
    "rmsprop": lambda net: torch.optim.RMSprop(net.parameters(), lr=1e-4, momentum=0.5, centered=True),
    "two groups": lambda net: torch.optim.SGD([{"params": net[0].parameters(), "lr": 0.3}, {"params": net[2:].parameters()}], lr=0.1, momentum=0.5),
}


@pytest.mark.parametrize("clip", [None, 0.05])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_growth_is_that_of_the_training_as_a_map(name, clip):
    training = tanh_net(OPTIMIZERS[name], 80, clip=clip)
    trace, observer = watched(training, is_full=True)
    local = trace["local_exponent"]
    assert len(local) > 40, observer.blind
    m = TrainingMap(training)
    m.step(1)  # the first step makes the optimizer known; the vector begins at the second
    state, vector = m.current_state(), torch.zeros(m.dimension, 1, dtype=F64)
    vector[: m.n_parameters, 0] = torch.randn(m.n_parameters, dtype=F64, generator=torch.Generator().manual_seed(0))
    vector /= vector.norm()
    expected = {}
    for step in range(2, training.steps + 1):
        state, vector = m.advance_tangents(state, vector, step - 1)
        expected[step] = float(vector.norm().log())
        vector /= vector.norm()
    for step, value in zip(local.steps.tolist(), local.values.tolist(), strict=True):
        assert value == pytest.approx(expected[step], abs=1e-8)


def test_gradients_changed_on_their_way_are_noticed():
    weights = nn.Parameter(torch.ones(3, dtype=F64))
    optimizer = torch.optim.SGD([weights], lr=0.1)
    vector = TangentVector([weights], rule_of(optimizer), torch.ones(3, dtype=F64))
    gradient = CURVED.clone()
    norm = float(gradient.norm())
    for arrived, clip in (
        (gradient.clamp(max=1.0), None),
        (0.5 * gradient, None),
        (0.5 * gradient, Clip(2 * norm, norm)),
        (gradient.sign(), Clip(norm, 1.0)),
    ):
        with pytest.raises(StepMismatch, match="gradients are changed"):
            vector.advance(optimizer, gradient, CURVED, [arrived], clip)


def test_weights_moved_by_others_are_noticed():
    weights = nn.Parameter(torch.ones(3, dtype=F64))
    optimizer = torch.optim.SGD([weights], lr=0.1)
    vector = TangentVector([weights], rule_of(optimizer), torch.ones(3, dtype=F64))
    weights.grad = CURVED.clone()
    vector.advance(optimizer, CURVED, CURVED, [weights.grad], None)
    optimizer.step()
    assert vector.is_where_expected()
    with torch.no_grad():
        weights.mul_(0.9)
    assert not vector.is_where_expected()


def test_a_class_of_the_users_own_has_no_known_rule():
    class Mine(torch.optim.SGD):
        pass

    assert rule_of(Mine([nn.Parameter(torch.ones(2))], lr=0.1)) is None
    assert rule_of(torch.optim.LBFGS([nn.Parameter(torch.ones(2))])) is None
