import numpy as np
import pytest

from kazami.errors import TooShort, UsageError
from kazami.signals import (
    correlation_dimension,
    correlation_sum,
    decorrelation_time,
    delay_vectors,
    determinism,
    image_exponent,
    intermittency_type,
    laminar_phases,
    linear_prediction_error,
    local_prediction_error,
    lyapunov_from_series,
    neighbour_divergence,
    order_patterns,
    period,
    permutation_entropy,
    phase_randomised,
    power_spectrum,
    recurrence,
    regime,
    return_mismatch,
    shuffled,
    shuffled_band,
    spectral_lines,
    zero_one,
)

from .regime_cases import iterate, logistic
from .regime_flows import type_one, type_three, type_two

WHITE = np.random.default_rng(0).standard_normal(2000)
GOLDEN = np.cos(2 * np.pi * (5**0.5 - 1) / 2 * np.arange(2000))


def henon(n):
    return iterate(lambda s: (1 - 1.4 * s[0] ** 2 + s[1], 0.3 * s[0]), (0.1, 0.1), n, 100)


# 0-1 test: the table of published values


@pytest.mark.parametrize(
    ("r", "expected", "tolerance"), [(3.5, 0, 0.02), (3.55, 0, 0.02), (3.83, 0, 0.02), (3.6, 0.942, 0.02), (3.7, 0.998, 0.002), (4.0, 0.998, 0.002)]
)
def test_zero_one_of_the_logistic_map(r, expected, tolerance):
    assert zero_one(logistic(r, 0.3, 2000)) == pytest.approx(expected, abs=tolerance)


def test_zero_one_is_blind_to_noise_and_that_is_why_it_is_never_used_alone():
    assert zero_one(WHITE) == pytest.approx(0.998, abs=0.002)
    assert zero_one(GOLDEN) == pytest.approx(-0.007, abs=0.01)
    assert zero_one(np.ones(200)) == 0.0


def test_the_damped_zero_one_stays_low_where_noise_lifts_the_plain_one():
    noisy = np.cos(2.0 * np.arange(1000)) + 2 + 0.3 * WHITE[:1000]
    assert zero_one(noisy, damped=True) < zero_one(noisy)


# permutation entropy: Bandt and Pompe's closed form for the logistic map at r = 4


def test_order_patterns_of_the_logistic_map():
    x = logistic(4.0, 0.3, 100_000, 100)
    exact = {(0, 1, 2): 1 / 3, (0, 2, 1): 1 / 15, (1, 0, 2): 2 / 15, (2, 0, 1): 1 / 5, (1, 2, 0): 4 / 15, (2, 1, 0): 0.0}
    assert order_patterns(x) == pytest.approx(exact, abs=0.004)
    assert permutation_entropy(x, normalised=False) == pytest.approx(2.150, abs=0.004)
    assert permutation_entropy(x) == pytest.approx(0.8317, abs=0.002)


def test_permutation_entropy_of_order_and_of_chance():
    assert permutation_entropy(np.arange(100.0)) == 0.0
    assert permutation_entropy(np.array([0.0, 1.0] * 50), normalised=False) == pytest.approx(1.0, abs=1e-3)
    assert permutation_entropy(WHITE) > 0.995


# correlation dimension


def test_dimension_of_henon_is_the_published_one_in_every_embedding():
    rows = henon(5000)
    for dimension in (2, 4):
        found = correlation_dimension(rows[:, 0], dimension=dimension)
        assert found.value == pytest.approx(1.22, abs=0.04)
        assert found.smallest < found.largest
    assert correlation_dimension(rows).value == pytest.approx(1.22, abs=0.04)


def test_dimension_of_chance_is_that_of_the_embedding():
    uniform = np.random.default_rng(1).random(6000)
    assert correlation_dimension(uniform, dimension=2).value == pytest.approx(2, abs=0.05)
    assert correlation_dimension(uniform, dimension=3).value == pytest.approx(3, abs=0.12)


def test_dimension_of_quiet_attractors():
    assert correlation_dimension(logistic(3.83, 0.4, 2000, 500)).value == 0.0
    assert correlation_dimension(np.ones(600)).value == 0.0
    angle = np.random.default_rng(2).uniform(0, 2 * np.pi, 4000)
    assert correlation_dimension(np.column_stack([np.cos(angle), np.sin(angle)])).value == pytest.approx(1, abs=0.03)


def test_correlation_sum_of_uniform_numbers_is_its_closed_form():
    uniform = np.random.default_rng(3).random(4000)
    r = np.array([0.5, 0.1])  # in no order
    assert correlation_sum(uniform, r, dimension=1) == pytest.approx(1 - (1 - r) ** 2, abs=0.01)


def test_a_theiler_window_takes_the_neighbours_in_time_out():
    t = np.linspace(0, 1, 1000)
    assert correlation_sum(t, np.array([0.0095]), dimension=1, apart=10)[0] == 0.0


# divergence of neighbours


@pytest.mark.parametrize(("series", "exponent"), [(logistic(4.0, 0.3, 4000), np.log(2)), (logistic(3.7, 0.3, 4000), 0.3551), (henon(4000)[:, 0], 0.4192)])
def test_exponents_from_series_agree_with_the_exact_ones(series, exponent):
    found = lyapunov_from_series(series, dimension=3)
    assert found.value == pytest.approx(exponent, rel=0.12)
    assert found.r_squared > 0.95


@pytest.mark.parametrize("series", [GOLDEN, logistic(3.5, 0.3, 2000, 500), np.cos(0.1 * np.arange(2000))])
def test_neighbours_stay_together_where_nothing_is_chaotic(series):
    assert lyapunov_from_series(series, dimension=3).value == 0.0


def test_noise_jumps_to_the_saturation_at_once():
    parted = neighbour_divergence(WHITE, dimension=2)
    assert parted.reach == pytest.approx(1, abs=0.1)
    assert parted.log_distance[2] == pytest.approx(parted.log_distance[-10:].mean(), abs=0.15)


# determinism


@pytest.mark.parametrize("series", [logistic(3.9, 0.3, 600), henon(600)[:, 0]])
def test_a_rule_is_told_from_chance_by_all_three_signs(series):
    found = determinism(series, surrogates=19)
    assert found.ratio < 0.1
    assert found.slope > 0.8
    assert found.rank == 0.0


def test_a_static_function_of_linear_noise_is_no_rule():
    noise = np.zeros(1500)
    for t in range(1, 1500):
        noise[t] = 0.8 * noise[t - 1] + WHITE[t]
    found = determinism(np.exp(noise), surrogates=19)
    assert found.ratio > 0.75
    assert found.slope < 0.3
    assert regime(np.exp(noise)).label == "noise"


def test_prediction_errors_in_units_of_the_series():
    assert local_prediction_error(10 * logistic(3.9, 0.3, 600), dimension=1) < 0.01
    assert linear_prediction_error(10 * WHITE) == pytest.approx(10 * linear_prediction_error(WHITE), rel=1e-6)
    assert image_exponent(logistic(3.9, 0.3, 600), dimension=2) == pytest.approx(1, abs=0.1)


# period and spectrum


@pytest.mark.parametrize(("r", "expected"), [(3.2, 2), (3.5, 4), (3.55, 8), (3.83, 3), (3.7389, 5)])
def test_period_of_the_logistic_map_through_noise(r, expected):
    x = logistic(r, 0.3, 400, 500)
    assert period(x).steps == expected
    assert period(x + 0.002 * WHITE[:400]).steps == expected


@pytest.mark.parametrize("series", [GOLDEN, WHITE, np.ones(100), np.linspace(0, 1, 300), logistic(3.9, 0.3, 500)])
def test_what_does_not_repeat_has_no_period(series):
    assert period(series) is None


def test_a_return_is_zero_and_a_stranger_is_one():
    mismatch = return_mismatch(WHITE, 5)
    assert mismatch[0] == 0.0
    assert mismatch[1:] == pytest.approx(np.ones(5), abs=0.1)


def test_lines_and_their_frequencies():
    t = np.arange(1500)
    lines = spectral_lines(np.cos(0.3 * t) + 0.5 * np.cos(0.3 * 2**0.5 * t))
    assert 2 * np.pi * lines.frequencies[:2] == pytest.approx([0.3, 0.3 * 2**0.5], abs=1e-5)
    assert lines.shares[:2] == pytest.approx([0.8, 0.2], abs=0.001)
    assert lines.background < 1e-8
    assert lines.fundamental is None
    assert spectral_lines(WHITE).background > 0.4


def test_shares_of_the_spectrum_add_up():
    assert power_spectrum(WHITE)[1].sum() == pytest.approx(1)
    assert power_spectrum(np.ones(50))[1].sum() == 0.0


# surrogates


def test_surrogates_keep_what_their_null_keeps():
    x = np.convolve(WHITE, np.ones(5), "valid")
    rng = np.random.default_rng(0)
    assert np.array_equal(np.sort(shuffled(x, rng=rng)), np.sort(x))
    other = phase_randomised(x, rng=rng)
    assert set(other) <= set(x)
    lag_one = [np.corrcoef(y[1:], y[:-1])[0, 1] for y in (x, other, shuffled(x, rng=rng))]
    assert lag_one[1] == pytest.approx(lag_one[0], abs=0.03)
    assert lag_one[2] == pytest.approx(0, abs=0.08)


def test_the_null_band_holds_noise_and_not_an_oscillation():
    correlations, bound = shuffled_band(WHITE[:500], 20, surrogates=200)
    assert bound == pytest.approx(1.96 / 500**0.5, rel=0.2)
    assert np.mean(np.abs(correlations[1:]) < bound) > 0.8
    assert np.max(np.abs(shuffled_band(GOLDEN, 20, surrogates=50)[0][1:])) > 0.9


# recurrence


def test_recurrence_of_order_and_of_chance():
    ordered = recurrence(logistic(3.83, 0.3, 300, 500))
    assert ordered.rate == pytest.approx(1 / 3, abs=0.01)
    assert ordered.determinism == 1.0
    chance = recurrence(WHITE[:800], rate=0.05)
    assert chance.rate == pytest.approx(0.05, abs=0.002)
    assert chance.determinism == pytest.approx(1 - (1 - 0.05) ** 2, abs=0.03)  # a point is on a line unless both its neighbours are blank
    assert recurrence(logistic(4.0, 0.3, 800), rate=0.05).determinism > 3 * chance.determinism


# intermittency


def test_laminar_lengths_scale_with_the_square_root_of_the_distance():
    epsilons = np.array([1e-3, 1e-4, 1e-5])
    means = [laminar_phases(logistic(1 + 8**0.5 - e, 0.5, 60_000), period=3, tolerance=0.1).mean_length for e in epsilons]
    slope = np.polyfit(np.log(epsilons), np.log(means), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.08)


@pytest.mark.parametrize(("make", "expected"), [(type_one, "I"), (type_three, "III"), (type_two, "II")])
def test_types_of_intermittency_most_of_the_time(make, expected):
    found = [intermittency_type(make(np.random.default_rng(seed), 8000)[0]).type for seed in range(4)]
    assert found.count(expected) >= 2
    assert len({"I", "II", "III"} & set(found) - {expected}) <= 1


def test_chaos_has_no_long_laminar_phases():
    assert laminar_phases(logistic(3.9, 0.3, 4000)).share < 0.03
    assert intermittency_type(logistic(3.9, 0.3, 2000)).type == "unsure"


# what is asked of a series


def test_delay_vectors_and_the_decorrelation_time():
    assert delay_vectors(np.arange(6.0), 3, 2).tolist() == [[0, 2, 4], [1, 3, 5]]
    assert decorrelation_time(logistic(3.9, 0.3, 500)) == 1


@pytest.mark.parametrize(
    "estimator", [zero_one, determinism, permutation_entropy, correlation_dimension, period, spectral_lines, laminar_phases, neighbour_divergence]
)
def test_too_few_steps_say_how_many_are_needed(estimator):
    with pytest.raises(TooShort, match=r"at least \d+ (steps|states).*(has|are) \d+"):
        estimator(np.arange(6.0))


def test_a_wrong_series_is_named():
    with pytest.raises(UsageError, match="nan at step 3"):
        zero_one(np.array([0.0, 1.0, 2.0, np.nan] * 50))
    with pytest.raises(UsageError, match=r"one axis.*\(2, 2\)"):
        period(np.ones((2, 2)))
