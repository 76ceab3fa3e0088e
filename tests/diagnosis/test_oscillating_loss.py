import numpy as np
import pytest

from kazami.diagnosis.oscillating_loss import BACK, LEAST_STEPS, LIMIT, OscillatingLoss
from tests.diagnosis.synthetic import TRIVIAL, falling, fire, stuck, synthetic_trace

RULE = OscillatingLoss()


def swinging(period, swing=0.5, n_steps=120):
    return TRIVIAL * (1 + swing * np.cos(2 * np.pi * np.arange(n_steps) / period))


@pytest.mark.parametrize(("period", "turning"), [(2, -0.9), (20, 0.9), (30, 0.9)])
def test_a_loss_that_swings_fires_with_its_period(period, turning):
    found = fire(RULE, synthetic_trace(swinging(period), update_cosine=turning))
    assert found.evidence[0].value < LIMIT
    assert found.evidence[0].limit == LIMIT
    assert found.evidence[1].value == pytest.approx(period, rel=0.25)
    assert f"about {found.evidence[1].value:.0f} steps" in found.sentence.en
    assert f"約 {found.evidence[1].value:.0f} ステップ" in found.sentence.ja
    assert found.step == 61  # the newest half


@pytest.mark.parametrize("period", [2, 3, 4])
def test_an_order_of_unlike_batches_swings_while_the_updates_go_on(period):
    assert RULE.examine(synthetic_trace(swinging(period), update_cosine=0.5)) is None


@pytest.mark.parametrize("period", [3, 4, 5])
def test_a_short_orbit_that_closes_fires_with_its_period(period):
    levels = np.random.default_rng(period).permutation(np.linspace(0.5, 1.5, period))
    cosines = np.tile([-0.9, -0.6, 0.5, -0.8, -0.4][:period], 120)[:120]
    losses = TRIVIAL * np.tile(levels, 120)[:120] * (1 + 0.01 * np.random.default_rng(0).standard_normal(120))
    assert np.mean(cosines) < BACK
    found = fire(RULE, synthetic_trace(losses, update_cosine=cosines))
    assert found.evidence[1].value == period
    assert RULE.examine(synthetic_trace(losses, update_cosine=np.abs(cosines))) is None  # a fixed order of unlike batches


def test_updates_that_point_back_make_no_period_of_noise():
    noise = np.random.default_rng(1).standard_normal(400)
    assert RULE.examine(synthetic_trace(TRIVIAL * (1 + 0.2 * noise), update_cosine=-0.9)) is None


def test_a_swing_within_a_twentieth_of_the_loss_is_no_oscillation():
    assert RULE.examine(synthetic_trace(swinging(20, swing=0.08))) is not None
    assert RULE.examine(synthetic_trace(swinging(20, swing=0.06))) is None  # its standard deviation is 0.04


def test_a_converged_loss_swings_widely_around_nearly_nothing():
    assert RULE.examine(synthetic_trace(falling(120) * (1 + 0.5 * np.cos(np.arange(120) / 3)))) is None


def test_the_noise_of_batches_has_no_period():
    noise = np.random.default_rng(0).standard_normal(400)
    assert RULE.examine(synthetic_trace(TRIVIAL * (1 + 0.1 * noise))) is None


def test_silent_when_stuck_too_short_or_not_finite():
    assert RULE.examine(synthetic_trace(stuck())) is None
    assert RULE.examine(synthetic_trace(swinging(2, n_steps=LEAST_STEPS - 1), update_cosine=-0.9)) is None
    assert RULE.examine(synthetic_trace(np.append(swinging(20), np.nan))) is None
