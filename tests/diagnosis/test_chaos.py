import math

import numpy as np
import pytest

from kazami.diagnosis.chaos import Chaos
from tests.diagnosis.synthetic import assert_both_languages, falling, fire, noisy, rising, synthetic_trace

RULE = Chaos()
N = 600


def local(rate, spread=0.4, n=N, seed=0):
    return rate + spread * np.random.default_rng(seed).standard_normal(n)


def trace_of(exponents, turns, losses=None):
    n = len(exponents)
    curve = noisy(falling(n), 0.05) if losses is None else losses
    return synthetic_trace(curve, local_exponent=exponents, tangent_cosine=turns, burst_length=np.arange(1, n + 1))


MIXED = np.where(np.random.default_rng(1).random(N) < 0.4, -0.8, 0.7)


def test_growth_that_lasts_is_told_with_its_interval_and_horizon():
    found = fire(RULE, trace_of(local(0.2), MIXED))
    shown = {item.name: item.value for item in found.evidence}
    assert (found.severity, found.id) == ("info", "KZ211")
    assert shown["exponent of tiny differences"] == pytest.approx(0.2, abs=0.05)
    assert 0 < shown["lower end of its 95 % interval"] < shown["exponent of tiny differences"]
    assert shown["prediction horizon 1/λ"] == pytest.approx(1 / shown["exponent of tiny differences"])
    assert "sustained" in found.sentence.en
    assert "this run's own batch order" in found.sentence.en
    assert_both_languages(found.sentence.en, found.sentence.ja)


def test_growth_that_ends_is_told_as_transient_with_its_steps():
    exponents = np.concatenate([local(0.25, n=300), local(-0.1, 0.05, n=300)])
    found = fire(RULE, trace_of(exponents, MIXED))
    assert "transient" in found.sentence.en
    assert "過渡的" in found.sentence.ja
    until = int(found.sentence.en.split(" to ")[1].split(",")[0])
    assert abs(until - 300) < 25


@pytest.mark.parametrize(
    ("exponents", "turns"),
    [
        (local(0.2), np.full(N, 1.0)),  # a saddle that is passed
        (local(0.2), np.full(N, -1.0)),  # an oscillation that swells
        (local(0.0), MIXED),  # the edge of stability
        (local(-0.2), MIXED),
        (local(0.005, 0.02), MIXED),  # less than a thousandfold
        (local(0.05, 3.0), MIXED),  # within its error
        (np.full(N, -np.inf), MIXED),
        (np.full(N, np.nan), MIXED),
    ],
)
def test_what_is_no_chaos(exponents, turns):
    assert RULE.examine(trace_of(exponents, turns)) is None


def test_noise_of_the_losses_alone_is_never_chaos():
    assert RULE.examine(synthetic_trace(noisy(falling(N), 0.5))) is None


def test_a_divergence_is_no_chaos():
    assert RULE.examine(trace_of(local(0.2), MIXED, rising(N))) is None
    losses = falling(N)
    losses[-3:] = math.nan
    assert RULE.examine(trace_of(local(0.2), MIXED, losses)) is None


def test_a_transient_under_a_loss_that_simply_falls_is_not_named():
    exponents = np.concatenate([local(0.25, n=300), local(-0.1, 0.05, n=300)])
    assert RULE.examine(trace_of(exponents, MIXED, 2.3 * np.geomspace(1, 0.02, N))) is None


def test_a_few_steps_are_not_enough():
    assert RULE.examine(trace_of(local(0.5, n=25), MIXED[:25])) is None
