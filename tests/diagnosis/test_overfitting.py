import numpy as np
import pytest

from kazami.diagnosis._validation import LEAST_PASSES, gaps, trend_of
from kazami.diagnosis.overfitting import Overfitting
from tests.diagnosis.synthetic import TRIVIAL, falling, fire, noisy, rising, synthetic_trace

RULE = Overfitting()
N = 100
FACTS = {
    "loss_reduction": "mean",
    "validation": {
        "sites": [{"series": "validation_loss", "error": "validation_error", "rise_error": "validation_rise_error", "kind": "cross_entropy", "passes": N}],
        "is_eval_mode": True,
        "scale": 1.0,
    },
}


def validated(curve, losses=None, *, error=0.01, facts=FACTS, **settings):
    curve = np.asarray(curve, dtype=float)
    return synthetic_trace(
        falling(N) if losses is None else losses, facts=facts, validation_loss=curve, validation_error=error, validation_rise_error=error, **settings
    )


def valley(low=0.6, end=1.4, noise=0.01):
    return noisy(np.append(np.linspace(TRIVIAL, low, 30), np.linspace(low, end, N - 30)), noise)


def test_a_validation_loss_that_rises_while_training_falls():
    found = fire(RULE, validated(valley()))
    assert found.step == pytest.approx(30, abs=3)
    assert found.evidence[0].value == pytest.approx(0.8, abs=0.05)
    assert found.evidence[0].limit == pytest.approx(0.1 * TRIVIAL)
    assert found.severity == "warning"
    assert not found.is_primary
    assert "the model learns its samples by heart" in found.sentence.en
    assert "過学習" in found.sentence.ja


def test_a_constant_gap_is_none():
    trace = validated(noisy(np.append(np.linspace(TRIVIAL, 0.6, 30), np.full(N - 30, 0.6)), 0.01))
    assert RULE.examine(trace) is None
    assert RULE.exonerate(trace) is not None


@pytest.mark.parametrize(("end", "fires"), [(0.8, False), (0.9, True)])
def test_a_tenth_of_guessing_must_be_given_back(end, fires):
    assert (RULE.examine(validated(valley(end=end))) is not None) is fires


def test_noise_of_passes_and_of_samples_counts():
    assert RULE.examine(validated(valley(end=1.0, noise=0.3))) is None
    assert RULE.examine(validated(valley(end=1.0), error=0.25)) is None


def test_many_passes_that_rise_together_are_beyond_the_noise_of_one():
    assert RULE.examine(validated(valley(end=1.2, noise=0.15))) is not None
    flat = noisy(np.append(np.linspace(TRIVIAL, 0.6, 30), np.full(N - 30, 0.6)), 0.15)
    assert RULE.examine(validated(flat)) is None


def test_chance_alone_is_no_trend():
    generator = np.random.default_rng(0)
    assert sum(trend_of(generator.normal(size=60)) > 0 for _ in range(500)) == 0
    assert trend_of(np.arange(20.0) + generator.normal(size=20)) == pytest.approx(19, rel=0.2)
    assert trend_of(-np.arange(20.0)) == 0


def test_a_training_that_rises_too_is_no_overfitting():
    both_rise = noisy(np.append(np.linspace(TRIVIAL, 0.5, 30), np.linspace(0.5, 1.6, N - 30)), 0.01)
    assert RULE.examine(validated(valley(), both_rise)) is None
    assert RULE.examine(validated(valley(), rising(N))) is None


def test_a_curve_that_comes_down_again_is_none():
    assert RULE.examine(validated(noisy(np.concatenate([np.linspace(2.0, 0.6, 30), np.linspace(0.6, 1.2, 30), np.linspace(1.2, 0.5, 40)]), 0.01))) is None


def test_what_cannot_be_compared_is_left_alone():
    assert gaps(validated(valley(), facts={**FACTS, "loss_reduction": "sum"})) == []
    assert gaps(validated(valley(), loss_kind="mse")) == []
    assert gaps(synthetic_trace(falling(N))) == []
    assert gaps(validated(valley()[-LEAST_PASSES + 1 :])) == []


def test_the_scale_of_the_training_loss_is_taken_into_account():
    halved = {**FACTS, "validation": {**FACTS["validation"], "scale": 0.5}}
    assert gaps(validated(valley(), facts=halved))[0].rise == pytest.approx(gaps(validated(valley()))[0].rise / 2)


def test_many_valleys_of_nothing_but_noise_stay_silent():
    flat = [np.append(np.linspace(TRIVIAL, 0.6, 10), np.full(N - 10, 0.6)) for _ in range(200)]
    curves = [noisy(curve, 0.15, seed=seed) for seed, curve in enumerate(flat)]
    assert sum(RULE.examine(validated(curve)) is not None for curve in curves) == 0
