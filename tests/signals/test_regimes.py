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
    found, right = confusion(NOISE_KINDS, HELD_OUT[:2])
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
