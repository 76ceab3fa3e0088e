import numpy as np
import pytest

from kazami.diagnosis import assess, examine
from kazami.diagnosis.growing_targets import LIMIT, UNSEEN_LIMIT, GrowingTargets
from kazami.diagnosis.growing_targets import growth_of as growth_at
from kazami.records import Series
from tests.diagnosis.synthetic import assert_both_languages, falling, fire, noisy, rising, synthetic_trace

RULE = GrowingTargets()
N = 200
MOVING = {"moving_targets": {"repeated": 256, "changed": 0.95, "coherence": 0.8}}


def growth_of(sizes):
    return growth_at(sizes, np.arange(float(len(sizes))))


def bootstrapped(sizes, *, along=1.0, facts=MOVING):
    sizes = np.asarray(sizes)
    return synthetic_trace(
        falling(N), facts=facts, loss_kind="mse", target_std=sizes, target_mean=0.1 * sizes, output_std=along * sizes, output_mean=0.1 * along * sizes
    )


STEPS = np.arange(1, N + 1)
EXPONENTIAL = np.exp(0.03 * STEPS)
LINEAR = 0.05 * STEPS
LEVELLING = 10 * (1 - np.exp(-STEPS / 60))


def test_what_the_growth_of_known_curves_is():
    assert growth_of(np.exp(0.03 * np.arange(800))) == (pytest.approx(np.exp(0.03 * 300), rel=0.05), pytest.approx(np.exp(0.03 * 150), rel=0.05))
    growth, acceleration = growth_of(np.arange(1.0, 801.0))
    assert growth == pytest.approx(15 / 9, rel=0.01)
    assert acceleration == pytest.approx(1.0, abs=0.02)
    growth, acceleration = growth_of(np.arange(1.0, 801.0) ** 2)
    assert (growth, acceleration) == (pytest.approx((15 / 9) ** 2, rel=0.01), pytest.approx(81 / 63, rel=0.02))
    assert growth < LIMIT


def test_a_loop_that_runs_away():
    found = fire(RULE, bootstrapped(noisy(EXPONENTIAL, 0.05)))
    assert found.evidence[0].value > LIMIT
    assert found.evidence[2].value == pytest.approx(0.03, rel=0.05)
    assert examine(bootstrapped(EXPONENTIAL))[0].name == "growing_targets"


@pytest.mark.parametrize("sizes", [LINEAR, LEVELLING, np.ones(N), STEPS**2.0], ids=["linear", "levelling off", "steady", "quadratic"])
def test_rewards_that_are_passed_on_are_healthy(sizes):
    assert RULE.examine(bootstrapped(sizes)) is None
    sentence = RULE.exonerate(bootstrapped(sizes))
    assert sentence is None or assert_both_languages(sentence.en, sentence.ja) is None


def test_growth_that_ends_is_healthy():
    """Ten times as large, but the increase is over."""
    sizes = 1 + 9 / (1 + np.exp(-(STEPS - 120) / 6))
    assert RULE.examine(bootstrapped(sizes)) is None


def test_records_that_grow_sparse_do_not_make_growth():
    """Every step at first, and every sixteenth later: halves are halves of the steps."""
    steps = np.concatenate([np.arange(1, 65), np.arange(80, 1105, 16)])
    sizes = 0.14 + 1.6 * (1 - np.exp(-np.maximum(steps - 50, 0) / 250))
    trace = synthetic_trace(falling(1105), facts=MOVING, loss_kind="mse")
    for of in ("target", "output"):
        series = {f"{of}_std": Series(steps, sizes), f"{of}_mean": Series(steps, 0.1 * sizes)}
        trace = trace.replaced(series={**trace.series, **series})
    assert RULE.examine(trace) is None
    assert RULE.exonerate(trace) is not None


def test_outputs_must_grow_along():
    assert RULE.examine(bootstrapped(EXPONENTIAL, along=1 / EXPONENTIAL)) is None


def test_where_no_sample_came_twice_the_growth_must_be_larger():
    slower, faster = np.exp(0.03 * STEPS), np.exp(0.08 * STEPS)
    assert growth_of(slower)[0] < UNSEEN_LIMIT < growth_of(faster)[0]
    assert RULE.examine(bootstrapped(slower, facts={})) is None
    assert fire(RULE, bootstrapped(faster, facts={})).severity == "error"


def test_a_loss_that_rises_with_moving_targets_is_no_divergence():
    assert assess(synthetic_trace(rising())).is_diverging
    assert not assess(synthetic_trace(rising(), facts=MOVING)).is_diverging
    assert assess(synthetic_trace(np.append(rising(), np.nan), facts=MOVING)).is_diverging


def test_too_few_records():
    assert RULE.examine(synthetic_trace(falling(), target_std=EXPONENTIAL[:8], target_mean=EXPONENTIAL[:8], facts=MOVING)) is None
