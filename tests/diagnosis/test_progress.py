"""The gate: on loss curves whose answer is known."""

import math

import numpy as np
import pytest

from kazami.diagnosis import _progress as gate
from kazami.diagnosis._progress import assess, has_risen, is_slow, is_stuck, pace_of
from kazami.records import Progress, Series, Trace
from tests.diagnosis.synthetic import TRIVIAL, noisy, synthetic_trace


def judge(losses, trivial=TRIVIAL) -> Progress:
    values = np.asarray(losses, dtype=np.float64)
    return assess(Trace(step=values.size, series={"loss": Series(np.arange(1, values.size + 1), values)}, trivial_loss=trivial))


T = np.arange(200)
HEALTHY = {
    "a fall to nothing": 2.3 * np.exp(-T / 40),
    "a fall that has just begun": 2.3 - 0.002 * T,
    "a late start": np.where(T < 140, 2.3, 2.3 * np.exp(-(T - 140) / 20)),
    "settled at a tenth": np.maximum(2.3 * np.exp(-T / 10), 0.23),
    "settled at a third": np.maximum(2.3 * np.exp(-T / 10), 0.77),
    "an overshoot that came back": np.where(T < 30, 2.3 * (1 + T), 2.3 * 31 * np.exp(-(T - 30) / 10)).clip(0.05),
    "far above guessing and falling fast": 230.0 * np.exp(-T / 40) + 0.5,
    "a confident loss that swings around nothing": 0.001 * (1.5 + np.cos(T)) + 2.3 * np.exp(-T / 5),
}
STUCK = {
    "at guessing": np.full(200, 2.3),
    "at guessing after a fall from above": np.maximum(9.0 * np.exp(-T / 5), 2.3),
    "at half of guessing": np.maximum(2.3 * np.exp(-T / 5), 1.15),
    "far above guessing": np.full(200, 100.0),
    "hopelessly far above guessing though it falls": 1e5 * np.exp(-T / 200),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_curves_pass(name):
    progress = judge(noisy(HEALTHY[name], 0.02))
    assert not progress.is_poor
    assert not progress.is_diverging


@pytest.mark.parametrize("name", STUCK)
def test_stuck_curves_are_poor_and_do_not_diverge(name):
    progress = judge(noisy(STUCK[name], 0.02))
    assert progress.is_poor
    assert not progress.is_diverging


def test_noise_of_the_batches_is_no_gain():
    progress = judge(noisy(np.full(200, 2.3), 0.3))
    assert progress.is_poor
    assert not progress.is_diverging
    assert not progress.is_falling


def test_noisy_labels_settle_where_the_trivial_predictor_of_the_noise_is():
    # Labels of which 60 % are random: the best a network can do is a loss of 1.6 of 2.3, and there it stays.
    progress = judge(noisy(np.maximum(2.3 * np.exp(-T / 10), 1.6), 0.05))
    assert progress.explained == pytest.approx(1 - 1.6 / 2.3, abs=0.03)
    assert progress.is_poor  # the gate cannot tell it from a plateau: only the gate speaks, no rule


@pytest.mark.parametrize("end", [np.nan, np.inf, -np.inf])
def test_a_tail_that_is_not_finite_diverges(end):
    progress = judge([*(2.3 * np.exp(-T / 40)), end])
    assert progress.is_diverging
    assert progress.is_poor


def test_a_number_that_is_not_finite_but_passed_does_not():
    losses = 2.3 * np.exp(-T / 40)
    losses[50] = np.nan
    assert not judge(losses).is_poor


def test_no_finite_number_at_all():
    progress = judge([np.nan] * 20)
    assert progress.is_diverging
    assert progress.is_poor
    assert math.isnan(progress.now)


@pytest.mark.parametrize("factor", [1.5, 30.0, 1e6])
def test_a_rise_well_above_the_start_diverges(factor):
    assert judge(noisy(2.3 * np.geomspace(1, factor, 200), 0.02)).is_diverging


def test_a_loss_that_had_been_low_and_is_lost_again_diverges():
    assert judge(noisy(np.where(T < 100, 2.3 * np.exp(-T / 20), 2.5), 0.02)).is_diverging


def test_a_rise_within_the_noise_does_not():
    assert not judge(noisy(np.linspace(2.3, 2.4, 200), 0.2)).is_diverging


def test_without_a_trivial_predictor_the_start_is_the_reference():
    progress = judge(2.3 * np.exp(-T / 40), trivial=None)
    assert progress.trivial is None
    assert progress.reference == progress.first
    assert not progress.is_poor
    assert judge(np.full(200, 5.0), trivial=None).is_poor


@pytest.mark.parametrize("trivial", [0.0, -1.0])
def test_a_trivial_loss_that_is_no_measure_is_left_out(trivial):
    assert judge([1.0] * 20, trivial).trivial is None


def test_the_numbers_of_an_exact_curve():
    progress = judge(np.linspace(4.0, 1.0, 301), trivial=2.0)
    width = 50
    assert progress.now == pytest.approx(np.median(np.linspace(4.0, 1.0, 301)[-width:]))
    assert progress.explained == pytest.approx(1 - progress.now / 2.0)
    assert progress.best == progress.now
    assert progress.first == pytest.approx(4.0, rel=0.01)
    assert progress.fall == pytest.approx(1 - progress.now / progress.first)


@pytest.mark.parametrize("losses", [[], [2.3], [2.3, 2.3], [2.3] * 4])
def test_below_five_steps_nothing_is_poor(losses):
    progress = judge(losses)
    assert not progress.is_poor
    assert not progress.is_diverging


def test_without_losses_nothing_is_known():
    progress = judge([])
    assert math.isnan(progress.explained)
    assert not is_slow(progress)
    assert not is_slow(None)


def test_negative_losses_survive():
    assert not judge(-np.exp(T / 100), trivial=None).is_diverging  # a likelihood of densities falls below zero


def test_the_scale_of_the_loss_does_not_matter():
    losses = noisy(HEALTHY["a fall that has just begun"], 0.02)
    one, thousand = judge(losses), judge(1000 * losses, 1000 * TRIVIAL)
    assert thousand.explained == pytest.approx(one.explained)
    assert thousand.pace == pytest.approx(one.pace)
    assert thousand.is_poor == one.is_poor


def test_pace_is_the_share_that_the_newest_half_removed():
    steps = np.where(np.arange(120) < 60, 2.0, 1.0)
    assert pace_of(steps, 0.0, 2.0) == (pytest.approx(0.5), True)
    assert pace_of(np.full(120, 2.0), 0.0, 2.0) == (0.0, False)
    assert pace_of(np.array([2.0, 1.0]), 0.0, 2.0) == (pytest.approx(0.5), True)
    assert pace_of(np.array([0.0]), 0.0, 0.0) == (0.0, False)


def test_coming_back_from_a_rise_is_no_gain():
    peak = np.concatenate([np.full(50, 2.0), np.full(50, 20.0), np.full(100, 2.0)])
    assert pace_of(peak, 0.0, 2.0)[0] == pytest.approx(0.0)


def test_coming_down_to_guessing_is_no_gain():
    down = np.concatenate([np.full(60, 9.0), np.full(60, 2.3)])
    assert pace_of(down, 0.0, 9.0, ceiling=2.3)[0] == pytest.approx(0.0)
    assert pace_of(down, 0.0, 9.0)[0] > 0.7


@pytest.mark.parametrize(
    ("explained", "pace", "n_steps", "stuck"),
    [
        (0.0, 0.0, 5, True),
        (0.0, 0.0, 4, False),
        (gate.STUCK_EXPLAINED - 0.01, gate.STUCK_PACE - 0.01, 100, True),
        (gate.STUCK_EXPLAINED - 0.01, gate.STUCK_PACE + 0.01, 100, False),
        (gate.PLATEAU_EXPLAINED - 0.01, gate.PLATEAU_PACE - 0.01, 100, True),
        (gate.PLATEAU_EXPLAINED - 0.01, gate.PLATEAU_PACE + 0.01, 100, False),
        (gate.PLATEAU_EXPLAINED + 0.01, 0.0, 100, False),
        (gate.FAR_ABOVE - 0.1, gate.FAR_ABOVE_PACE - 0.01, 100, True),
        (gate.FAR_ABOVE - 0.1, gate.FAR_ABOVE_PACE + 0.01, 100, False),
        (gate.HOPELESS - 0.1, 1.0, 30, True),
        (gate.HOPELESS - 0.1, 1.0, 29, False),
    ],
)
def test_the_limits_of_the_gate(explained, pace, n_steps, stuck):
    assert is_stuck(explained, pace, n_steps) is stuck


def test_has_risen_needs_more_than_the_noise():
    assert has_risen(start=1.0, now=2.0, best=1.0, reference=1.0, error=0.1)
    assert not has_risen(start=1.0, now=2.0, best=1.0, reference=1.0, error=0.2)
    assert not has_risen(start=1.0, now=2.0, best=1.0, reference=2.0, error=0.1)  # still where guessing stands
    assert has_risen(start=9.0, now=2.5, best=1.0, reference=2.3, error=0.0)


def test_slow_is_wider_than_poor():
    slow = synthetic_trace(2.3 * np.linspace(1.0, 0.8, 40)).progress
    assert slow is not None
    assert not slow.is_poor
    assert is_slow(slow)
    assert not is_slow(judge(HEALTHY["settled at a third"]))


def test_a_game_of_two_players_is_not_judged_by_its_loss_unless_it_breaks():
    rising = np.linspace(1.0, 9.0, 60)
    assert assess(synthetic_trace(rising)).is_poor
    game = assess(synthetic_trace(rising, facts={"adversarial": {"players": 2}}))
    assert not game.is_poor
    assert not is_slow(game)
    rising[-1] = np.nan
    assert assess(synthetic_trace(rising, facts={"adversarial": {"players": 2}})).is_poor


def test_a_loss_that_is_nought_at_every_step_says_nothing():
    """Two terms of opposite sign that see different weights: their sum is no measure of anything."""
    trace = Trace(step=60, series={"loss": Series(np.arange(1, 61), np.zeros(60))})
    assert not assess(trace).is_poor


def judge_shares(losses, least):
    values = np.asarray(losses, float)
    series = {"loss": Series(np.arange(1, values.size + 1), values)}
    return assess(Trace(step=values.size, series=series, trivial_loss=0.5, facts={"least_loss": least}))


def test_what_the_targets_themselves_cost_is_not_left_to_learn():
    """An auto-encoder of grey pixels ends at their entropy and not at 0."""
    learned = 0.4 + 0.1 * np.exp(-T / 20)
    assert judge_shares(learned, 0.4).explained > 0.95
    assert not judge_shares(learned, 0.4).is_poor
    assert judge_shares(learned, 0.0).is_poor
    assert judge_shares(np.full(200, 0.5), 0.4).is_poor
    assert judge_shares(np.full(200, 0.5), 0.5).explained == pytest.approx(0.0)  # shares that tell nothing: no division by nothing


def test_a_loss_that_leaps_with_its_first_steps_began_below_the_leap():
    leap = np.concatenate([[1.0, 60.0, 80.0, 50.0, 40.0], np.geomspace(30.0, 4.0, 95)])
    assert judge(noisy(leap), trivial=1.0).is_diverging
    assert judge(noisy(leap), trivial=1.0).first < 2.0
    assert not judge(noisy(np.geomspace(60.0, 0.5, 100)), trivial=1.0).is_diverging


def test_a_signed_loss_within_its_noise_tells_nothing():
    """Policy gradients: rewards less their mean, times log-probabilities."""
    losses = 0.2 * np.random.default_rng(0).standard_normal(200)
    assert (losses < 0).any()
    mute = judge(losses, trivial=0.001)
    assert not mute.is_poor
    assert not mute.is_diverging
    assert math.isnan(mute.explained)
    assert judge(np.abs(losses), trivial=0.001).is_poor
