"""Robust statistics against closed forms: lines, known noise, known outliers, known periods."""

import numpy as np
import pytest

from kazami.signals import autocorrelation, neighbour_noise, robust_z, rolling_median, theil_sen, turning_rate

RANDOM = np.random.default_rng(0)
WHITE = RANDOM.standard_normal(20_000)


@pytest.mark.parametrize("slope", [-3.0, 0.0, 0.25])
@pytest.mark.parametrize("n", [2, 7, 400, 1001])
def test_theil_sen_finds_the_slope_of_a_line(slope, n):
    assert theil_sen(5.0 + slope * np.arange(n)) == pytest.approx(slope, abs=1e-12)


def test_theil_sen_bears_outliers_up_to_its_breakdown_point():
    # 29 % of the points may be anything (1 - 1/√2); beyond that more than half of the pairs are spoilt.
    y = 2.0 * np.arange(100.0)
    y[:28] = 1e6
    assert theil_sen(y) == pytest.approx(2.0)
    y[:40] = 1e6
    assert theil_sen(y) != pytest.approx(2.0)


def test_theil_sen_is_unmoved_by_order_and_shift():
    x, y = RANDOM.standard_normal((2, 50))
    order = RANDOM.permutation(50)
    assert theil_sen(y[order] + 7.0, x[order] - 3.0) == pytest.approx(theil_sen(y, x))


def test_theil_sen_of_hardly_anything():
    assert theil_sen(np.array([])) == theil_sen(np.array([3.0])) == 0.0
    assert theil_sen(np.array([1.0, 9.0]), np.array([2.0, 2.0])) == 0.0  # all at one place: no slope
    assert theil_sen(np.array([1.0, 9.0, 5.0]), np.array([2.0, 2.0, 4.0])) == pytest.approx((4.0 / 2 - 4.0 / 2) / 2)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_neighbour_noise_is_the_standard_deviation_of_white_noise(scale):
    assert neighbour_noise(scale * WHITE) == pytest.approx(scale, rel=0.02)


def test_neighbour_noise_is_blind_to_a_smooth_curve_and_to_a_few_jumps():
    curve = 100.0 * np.exp(-np.arange(20_000) / 5000)
    assert neighbour_noise(curve + WHITE) == pytest.approx(1.0, rel=0.03)
    jumps = WHITE.copy()
    jumps[::50] += 1000.0
    assert neighbour_noise(jumps) == pytest.approx(1.0, rel=0.08)


def test_neighbour_noise_takes_period_two_for_noise():
    assert neighbour_noise(np.array([1.0, -1.0] * 20)) == pytest.approx(1.4826 * 2 / np.sqrt(2))
    assert neighbour_noise(np.array([1.0, 2.0])) == 0.0


def test_robust_z_is_in_standard_deviations():
    z = robust_z(5.0 + 3.0 * WHITE)
    assert np.std(z) == pytest.approx(1.0, rel=0.02)
    assert np.median(z) == pytest.approx(0.0, abs=1e-12)


def test_robust_z_of_an_outlier_does_not_depend_on_other_outliers():
    y = np.concatenate([WHITE[:1000], [50.0]])
    assert robust_z(y)[-1] == pytest.approx(robust_z(np.append(y, 1e9))[-2], rel=0.02)
    assert robust_z(np.full(9, 4.0)).tolist() == [0.0] * 9


@pytest.mark.parametrize(("width", "medians"), [(1, [5, 1, 4, 2, 3]), (3, [4, 2, 3]), (5, [3]), (99, [3]), (0, [5, 1, 4, 2, 3])])
def test_rolling_median(width, medians):
    assert rolling_median(np.array([5.0, 1.0, 4.0, 2.0, 3.0]), width).tolist() == medians


def test_rolling_median_of_some_windows_of_a_long_series():
    y = WHITE[:1000].repeat(300)[:250_000]
    whole = rolling_median(y, 9)
    assert whole.shape == (249_992,)
    assert whole[[0, 123_456, -1]].tolist() == [np.median(y[:9]), np.median(y[123_456:123_465]), np.median(y[-9:])]
    assert rolling_median(y, 9, 7).tolist() == whole[::7].tolist()


@pytest.mark.parametrize(("values", "rate"), [(np.arange(9.0), 0.0), (np.array([1.0, -1.0] * 9), 1.0), (np.zeros(9), 0.0), (np.array([1.0, 2.0]), 0.0)])
def test_turning_rate_of_what_is_exactly_known(values, rate):
    assert turning_rate(values) == rate


def test_turning_rate_of_noise_and_of_a_wave():
    assert turning_rate(WHITE) == pytest.approx(2 / 3, abs=0.01)
    assert turning_rate(np.sin(2 * np.pi * np.arange(1000) / 20)) == pytest.approx(0.1, abs=0.005)  # two extremes a period


@pytest.mark.parametrize("period", [2, 5, 20])
def test_autocorrelation_of_a_wave_is_the_wave(period):
    wave = np.cos(2 * np.pi * np.arange(2000) / period)
    lags = np.arange(2 * period + 1)
    assert autocorrelation(wave, 2 * period) == pytest.approx(np.cos(2 * np.pi * lags / period), abs=0.02)


def test_autocorrelation_of_noise_is_none():
    correlations = autocorrelation(WHITE, 50)
    assert correlations[0] == pytest.approx(1.0)
    assert np.abs(correlations[1:]).max() < 5 / np.sqrt(WHITE.size)


def test_autocorrelation_leaves_out_the_straight_line_and_constants():
    assert autocorrelation(WHITE + 3.0 * np.arange(WHITE.size), 5) == pytest.approx(autocorrelation(WHITE, 5), abs=1e-6)
    assert autocorrelation(np.zeros(20), 3).tolist() == [0.0] * 4
