import numpy as np
import pytest

from kazami.diagnosis.over_decay import OverDecay
from tests.diagnosis.synthetic import N_STEPS, falling, fire, stuck, synthetic_trace

RULE = OverDecay()
ADAMW = {"name": "AdamW", "learning_rate": 0.1, "weight_decay": 1.0}
SGD = {"name": "SGD", "learning_rate": 0.1, "weight_decay": 0.5}


def shrinking(left):
    """Norms of four equal layers that shrink to ``left`` of their start."""
    return np.geomspace(1.0, left, N_STEPS)[:, None] * np.ones(4)


GRADIENTS = np.full(4, 0.01)


@pytest.mark.parametrize("optimizer", [ADAMW, SGD], ids=["decoupled", "coupled"])
def test_weights_that_decay_shrinks_fire(optimizer):
    found = fire(RULE, synthetic_trace(stuck(), optimizer=optimizer, learning_rate=0.1, weight_norm=shrinking(0.05), gradient_norm=GRADIENTS))
    assert found.evidence[0].value == pytest.approx(0.05)
    assert found.evidence[0].limit == 0.5
    assert found.place == "weight decay"
    assert str(optimizer["weight_decay"]).rstrip("0").rstrip(".") in found.sentence.en


@pytest.mark.parametrize(("left", "fires"), [(0.49, True), (0.51, False)])
def test_the_weights_must_have_lost_half(left, fires):
    trace = synthetic_trace(stuck(), optimizer=ADAMW, learning_rate=0.1, weight_norm=shrinking(left), gradient_norm=GRADIENTS)
    assert (RULE.examine(trace) is not None) is fires


@pytest.mark.parametrize(("decay", "fires"), [(0.11, True), (0.09, False)])
def test_a_decoupled_pull_below_a_hundredth_a_step_is_gentle(decay, fires):
    optimizer = {**ADAMW, "weight_decay": decay}
    trace = synthetic_trace(stuck(), optimizer=optimizer, learning_rate=0.1, weight_norm=shrinking(0.05), gradient_norm=GRADIENTS)
    assert (RULE.examine(trace) is not None) is fires


def test_a_coupled_pull_is_held_against_the_gradient():
    trace = synthetic_trace(stuck(), optimizer=SGD, learning_rate=0.1, weight_norm=shrinking(0.4), gradient_norm=np.full(4, 100.0))
    assert RULE.examine(trace) is None


@pytest.mark.parametrize("decay", [0.0, None, "0.1"])
def test_silent_without_decay(decay):
    trace = synthetic_trace(stuck(), optimizer={**ADAMW, "weight_decay": decay}, learning_rate=0.1, weight_norm=shrinking(0.05), gradient_norm=GRADIENTS)
    assert RULE.examine(trace) is None


def test_silent_with_good_progress():
    trace = synthetic_trace(falling(), optimizer=ADAMW, learning_rate=0.1, weight_norm=shrinking(0.05), gradient_norm=GRADIENTS)
    assert RULE.examine(trace) is None


def test_silent_where_norms_were_not_recorded():
    assert RULE.examine(synthetic_trace(stuck(), optimizer=ADAMW, learning_rate=0.1)) is None
