"""How a distance grows: laws with known rates, and rivals that must not be taken for one another."""

import numpy as np
import pytest

from kazami.comparison.growth import growth_of, jump_in

STEPS = np.arange(250)


def noise(seed, size=0.05):
    return size * np.random.default_rng(seed).standard_normal(STEPS.size)


@pytest.mark.parametrize("rate", [0.06, 0.12, 0.27, np.log(2)])
@pytest.mark.parametrize("seed", range(3))
def test_exponential_growth_up_to_saturation(rate, seed):
    growth = growth_of(STEPS, np.minimum(-20 + rate * STEPS + noise(seed), -0.5 + noise(seed + 100)))
    assert growth.model == "exponential"
    assert growth.rate == pytest.approx(rate, abs=max(4 * growth.rate_error, 0.01 * rate))
    assert growth.r2 > 0.99
    if 20 / rate < 240:
        assert growth.saturation == pytest.approx(-0.5, abs=0.2)
        assert growth.last <= 20 / rate + 15


def test_a_lag_before_the_growth_does_not_bend_the_rate():
    growth = growth_of(STEPS, -25 + 0.2 * np.maximum(STEPS - 80, 0) + noise(0))
    assert (growth.model, growth.rate) == ("exponential", pytest.approx(0.2, rel=0.02))
    assert abs(growth.first - 80) < 12


def test_the_chaotic_rate_fluctuates_and_its_error_says_so():
    hits, found = 0, []
    for seed in range(40):
        draw = np.random.default_rng(seed)
        logs = -28 + np.cumsum(0.2 + 0.15 * draw.standard_normal(STEPS.size))
        growth = growth_of(STEPS, np.minimum(logs, -0.5 + noise(seed)))
        found.append(growth.model)
        hits += abs(growth.rate - 0.2) < 3 * growth.rate_error
    assert found.count("exponential") >= 36
    assert hits >= 32


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_power_of_time_is_not_called_exponential(power, seed):
    growth = growth_of(STEPS, -20 + power * np.log1p(STEPS) + noise(seed))
    assert growth.model == "power"
    assert growth.power == pytest.approx(power, abs=0.1)


@pytest.mark.parametrize("start", [2.0, 10.0, 50.0])
def test_linear_growth_from_an_offset_is_not_called_exponential(start):
    assert growth_of(STEPS, -20 + np.log(start + STEPS)).model in ("power", "level")


def test_diffusion_is_not_called_exponential():
    for seed in range(20):
        walk = np.cumsum(np.random.default_rng(seed).standard_normal((250, 40)), axis=0)
        assert growth_of(STEPS, np.log(1e-8 * np.linalg.norm(walk, axis=1))).model != "exponential"


def test_no_growth_is_a_level():
    assert growth_of(STEPS, -3 + noise(0)).model == "level"


def test_a_distance_that_shrinks_has_a_negative_rate():
    growth = growth_of(STEPS, np.maximum(-4 - 0.1 * STEPS, -25) + noise(0))
    assert (growth.model, growth.rate) == ("exponential", pytest.approx(-0.1, rel=0.03))


def test_slow_decay_is_not_called_exponential():
    assert growth_of(STEPS, -4 - np.log1p(STEPS) + noise(0)).model == "power"


def test_sparse_records_give_the_same_rate():
    steps = np.array([s for s in range(4000) if s < 64 or s % 64 < 2])
    growth = growth_of(steps, np.minimum(-28 + 0.01 * steps, -1.0))
    assert (growth.model, growth.rate) == ("exponential", pytest.approx(0.01, rel=0.02))


def test_too_few_points_tell_nothing():
    assert growth_of(np.arange(7), np.arange(7.0)) is None


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("at", [9, 137, 240])
def test_a_jump_is_found_where_it_is(seed, at):
    assert jump_in(STEPS, np.where(at > STEPS, -16.0 + 0.3 * np.log1p(STEPS), -4.0) + noise(seed)) == at


@pytest.mark.parametrize("rate", [0.05, 0.3, 1.5])
def test_exponential_growth_is_no_jump(rate):
    assert jump_in(STEPS, np.minimum(-36 + rate * STEPS, -1) + noise(1)) is None


def test_a_long_gap_between_records_is_no_jump():
    steps = np.array([0, 1, 2, 3, 4, 5, 6, 7, 128, 129, 256, 257, 384, 385])
    assert jump_in(steps, -30 + 0.05 * steps) is None
