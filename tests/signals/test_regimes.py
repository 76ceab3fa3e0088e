"""The classifier on series with known labels: a few by name, and one of every kind, drawn from seeds that nothing was chosen by."""

import json
from collections import Counter

import numpy as np
import pytest

from kazami.errors import UsageError
from kazami.records import LETTERS, Regime
from kazami.signals import regime

from .regime_cases import KINDS, cases, logistic
from .regime_noises import NOISE_KINDS

HELD_OUT = tuple(range(300, 306))
SLOW_KINDS = ("lorenz_intermittent", "lorenz_dies", "lorenz", "rossler", "van_der_pol")
LEAST_RIGHT = 0.95


def confusion(kinds, seeds):
    found = Counter((case.label, regime(case.series).label) for case in cases(seeds, tuple(kinds)))
    return found, sum(n for (true, seen), n in found.items() if true == seen) / found.total()


def test_one_of_every_kind_that_is_quick_to_draw():
    found, right = confusion([kind for kind in KINDS if kind not in SLOW_KINDS and kind not in NOISE_KINDS], HELD_OUT[:1])
    assert right >= LEAST_RIGHT - 0.05, found  # of 32: one more may be wrong


def test_no_noise_is_called_chaos():
    found, right = confusion(NOISE_KINDS, HELD_OUT[:1])
    assert not {("noise", "chaos"), ("noise", "intermittent"), ("noise", "transient_chaos")} & set(found)
    assert right >= 0.9, found


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_whole_held_out_half():
    found, right = confusion(KINDS, HELD_OUT)
    assert right >= LEAST_RIGHT, found
    assert found["noise", "chaos"] == 0


@pytest.mark.parametrize(
    ("r", "label"), [(2.8, "convergent"), (3.2, "periodic"), (3.83, "periodic"), (3.7, "chaos"), (4.0, "chaos"), (1 + 8**0.5 - 1e-4, "intermittent")]
)
def test_the_logistic_map(r, label):
    found = regime(logistic(r, 0.4, 3000))
    assert found.label == label
    assert found.letter == LETTERS[label]


@pytest.mark.parametrize("change", [lambda x: x, lambda x: 1e-6 * x + 3, lambda x: -1e6 * x - 1e5, lambda x: x + np.exp(-np.arange(x.size) / 20)])
def test_scale_offset_and_a_transient_change_nothing(change):
    assert regime(change(logistic(3.9, 0.4, 1000))).label == "chaos"
    found = regime(change(logistic(3.83, 0.4, 1000)))
    assert (found.label, found.parameters["period"]) == ("periodic", 3)


def test_narrow_bands_are_chaos_although_they_nearly_repeat():
    assert regime(logistic(3.58, 0.4, 3000)).label == "chaos"


def test_what_is_not_finite_names_its_step():
    found = regime(np.array([1.0, 2.0, 4.0, np.inf, np.nan]))
    assert (found.label, found.parameters["step"]) == ("divergent", 3)
    assert "step 3" in found.sentence.en


def test_a_short_series_says_how_many_steps_are_needed():
    found = regime(logistic(3.9, 0.4, 50))
    assert found.label == "unsure"
    assert "50 steps; at least 100" in found.sentence.en
    assert "100" in found.sentence.ja


def test_a_constant_is_dead_and_a_settled_one_is_not():
    assert regime(np.full(300, 2.3)).label == "dead"
    assert regime(np.exp(-np.arange(2000.0))).label == "convergent"


def test_more_than_one_axis_is_refused():
    with pytest.raises(UsageError, match=r"\(3, 4\)"):
        regime(np.ones((3, 4)))


@pytest.mark.parametrize("series", [logistic(3.9, 0.4, 500), np.cos(0.3 * np.arange(500)), np.ones(200), np.random.default_rng(0).random(500)])
def test_every_regime_is_plain_data_with_both_languages(series):
    before = series.copy()
    found = regime(series)
    assert isinstance(found, Regime)
    assert json.loads(json.dumps(found.to_dict()))["letter"] == found.letter
    assert found.sentence.en.isascii()
    assert not found.sentence.ja.isascii()
    assert found.evidence
    assert 0 < found.confidence <= 1
    assert np.array_equal(series, before)


def test_the_same_series_gives_the_same_answer():
    x = logistic(3.9, 0.4, 800)
    assert regime(x) == regime(x)


def narrow(x: np.ndarray) -> np.ndarray:
    """Return a series scaled to the range from 0 to 1."""
    return (x - x.min()) / np.ptp(x)


@pytest.mark.parametrize(("period", "lively", "quiet"), [(2, 400, 700), (4, 500, 600), (7, 600, 1500)])
def test_chaos_that_falls_into_a_cycle_is_transient(period, lively, quiet):
    cycle = np.random.default_rng(period).random(period)
    found = regime(np.concatenate([logistic(3.95, 0.37, lively), np.tile(cycle, quiet // period)]))
    assert (found.label, found.parameters["period"]) == ("transient_chaos", period)
    assert found.parameters["steps"] == pytest.approx(lively, abs=period)
    assert str(period) in found.sentence.en
    assert str(period) in found.sentence.ja


def test_noise_that_falls_into_a_cycle_was_no_chaos():
    rng = np.random.default_rng(1)
    found = regime(np.concatenate([rng.random(500), np.tile(rng.random(5), 200)]))
    assert (found.label, found.parameters["period"]) == ("periodic", 5)


def test_an_intermittent_series_that_ends_in_a_laminar_phase_has_not_settled():
    """The Pomeau–Manneville map near its marginal fixed point: cut within its longest quiet spell."""
    x = [0.31]
    for _ in range(9000):
        x.append((x[-1] + x[-1] ** 2) % 1.0)
    series = np.array(x)
    burst = np.flatnonzero(np.diff(series) < -0.5)  # the ends of the quiet spells
    longest = int(np.argmax(np.diff(burst[burst > 2000])))
    cut = int(burst[burst > 2000][longest + 1])
    assert regime(series[: cut - 20]).label == "intermittent"


def test_a_map_that_hops_between_two_bands_is_chaos_and_noise_that_hops_is_noise():
    """The odd map a x - x^3 just beyond the merging of its bands at a = 3 sqrt(3) / 2: chaos within a band, seldom a hop to the other."""
    x, hops = [0.4], 0.0
    for _ in range(4000):
        x.append(2.62 * x[-1] - x[-1] ** 3)
        hops += x[-1] * x[-2] < 0
    assert 5 < hops < 400
    assert regime(np.array(x)).label == "chaos"
    rng = np.random.default_rng(2)
    side = 1.0 - 2.0 * (np.cumsum(rng.random(4000) < 0.02) % 2)
    assert regime(side + 0.4 * rng.standard_normal(4000)).label == "noise"


@pytest.mark.parametrize("levels", [2, 3])
def test_random_jumps_between_a_few_values_are_noise(levels):
    rng = np.random.default_rng(levels)
    jumps = rng.random(2500) < 0.04
    assert regime(np.cumsum(jumps * rng.integers(1, levels, 2500)) % levels + 0.0).label == "noise"


@pytest.mark.parametrize("depth", [0.8, 1.6, 2.4])
def test_strong_modulations_are_quasi_periodic(depth):
    t = np.arange(3500)
    carrier, beat = 0.1373 * 2**0.5, 0.0171 * 3**0.5
    assert regime(np.cos(2 * np.pi * carrier * t + depth * np.sin(2 * np.pi * beat * t))).label == "quasi_periodic"
    assert regime(np.exp(depth * np.cos(2 * np.pi * beat * t)) * np.cos(2 * np.pi * carrier * t)).label == "quasi_periodic"


def test_flat_stretches_of_a_flow_are_no_laminar_phases():
    """The exponential of a coordinate of the Rössler flow lies near zero most of the time, as a sampled spike train does; it is no intermittency."""
    state, rows = np.array([1.0, 1.0, 0.5]), []

    def field(s):
        return np.array([-s[1] - s[2], s[0] + 0.15 * s[1], 0.2 + s[2] * (s[0] - 10.0)])

    for step in range(12_000):
        a = field(state)
        b = field(state + 0.025 * a)
        c = field(state + 0.025 * b)
        state = state + 0.05 / 6 * (a + 2 * b + 2 * c + field(state + 0.05 * c))
        if step >= 2000 and step % 4 == 0:
            rows.append(state[0])
    assert regime(np.exp(3.0 * narrow(np.array(rows)))).label == "chaos"
