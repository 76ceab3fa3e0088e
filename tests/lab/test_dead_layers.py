"""What is left of a training when its hidden layer is dead."""

import math

import pytest
import torch

from kazami.lab.danovski import iris_map, local_exponents, raw_iris_batch
from kazami.lab.dead_layers import SAME, Ensemble, stable_rate, without_inputs
from kazami.lab.small_trainings import Factors

FACTORS = Factors("10", "sigmoid", "normal:1", "cross_entropy")


def dead_state(m, bias):
    """Return a state whose hidden units are all stuck, at one where ``bias`` is large."""
    state = m.current_state()
    state[:40] = 0.0
    state[40:50] = bias
    return state


@pytest.mark.parametrize(("bias", "ones"), [(-60.0, 0), (60.0, 10)])
def test_a_dead_layer_leaves_the_map_of_output_sums_exactly(bias, ones):
    m = iris_map(FACTORS, 5.0, 0)
    ensemble = Ensemble(m, *raw_iris_batch())
    states = dead_state(m, bias)[None]
    now = ensemble.look(states, 5.0)
    assert now.response[0] < SAME
    assert now.alive[0] == 0
    assert now.effective_rate[0] == pytest.approx(5.0 * (1 + ones))
    predicted = without_inputs(now.logits, ensemble.class_shares(), torch.tensor(now.effective_rate))
    following = ensemble.look(m.advance_many(states, 0), 5.0).logits
    assert float((predicted - following).abs().max()) < 1e-9


def test_a_living_layer_is_not_called_dead_and_not_predicted():
    m = iris_map(FACTORS, 0.1, 0)
    ensemble = Ensemble(m, *raw_iris_batch())
    states = m.current_state()[None]
    now = ensemble.look(states, 0.1)
    assert now.alive[0] > 0
    assert now.response[0] > SAME
    predicted = without_inputs(now.logits, ensemble.class_shares(), torch.tensor(now.effective_rate))
    following = ensemble.look(m.advance_many(states, 0), 0.1).logits
    assert float((predicted - following).abs().max()) > 1e-4


def test_the_ensemble_agrees_with_torch():
    m = iris_map(FACTORS, 0.1, 3)
    x, y = raw_iris_batch()
    losses, _ = Ensemble(m, x, y).losses_and_responses(m.current_state()[None])
    assert losses[0] == pytest.approx(m.loss(m.current_state()), abs=1e-12)


def test_the_stable_rate_is_where_the_map_first_oscillates():
    shares = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    limit = stable_rate(shares)
    for factor, rests in ((0.98, True), (1.02, False)):
        logits = torch.log(shares)[None] + 1e-3 * torch.tensor([[1.0, -1.0, 0.5]], dtype=torch.float64)
        for _ in range(4000):
            logits = without_inputs(logits, shares, torch.tensor([factor * limit], dtype=torch.float64))
        apart = float((torch.softmax(logits, -1) - shares).abs().max())
        assert (apart < 1e-6) is rests


def test_local_exponents_of_a_known_map():
    x = [0.345]
    for _ in range(4000):
        x.append(3.999 * x[-1] * (1 - x[-1]))
    import numpy as np

    found = local_exponents(np.array(x), seed=0, neighbours=1e-4, points=200)
    assert len(found) > 100
    assert 0.3 < float(np.median(found)) < 0.8  # ln 2 = 0.69, bent by saturation
    assert len(local_exponents(np.zeros(20), seed=0)) == 0
    assert math.isfinite(float(np.median(found)))
