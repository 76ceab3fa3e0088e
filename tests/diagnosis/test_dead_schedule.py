import numpy as np
import pytest

from kazami.diagnosis.dead_schedule import LIMIT, DeadSchedule
from tests.diagnosis.synthetic import N_STEPS, falling, fire, rising, stuck, synthetic_trace

RULE = DeadSchedule()


def drop(at, share, n_steps=N_STEPS):
    """A rate of 0.5 that is multiplied by ``share`` from step ``at`` on."""
    return np.where(np.arange(1, n_steps + 1) < at, 0.5, 0.5 * share)


@pytest.mark.parametrize("share", [0.0, 1e-6, 0.9 * LIMIT])
def test_a_rate_turned_off_while_nothing_is_learned_fires(share):
    found = fire(RULE, synthetic_trace(stuck(), learning_rate=drop(11, share)))
    assert found.evidence[0].value == pytest.approx(share)
    assert found.evidence[0].limit == LIMIT
    assert found.step == 11
    assert "since step 11" in found.sentence.en
    assert "ステップ 11" in found.sentence.ja


def test_silent_just_above_the_limit():
    assert RULE.examine(synthetic_trace(stuck(), learning_rate=drop(11, 1.1 * LIMIT))) is None


def test_a_schedule_may_end_when_the_work_is_done():
    assert RULE.examine(synthetic_trace(falling(), learning_rate=drop(11, 0.0))) is None


def test_silent_while_the_loss_runs_away():
    assert RULE.examine(synthetic_trace(rising(), learning_rate=drop(11, 0.0))) is None


@pytest.mark.parametrize(("at", "fires"), [(N_STEPS // 2, True), (N_STEPS - 4, False)])
def test_half_learned_counts_only_if_the_rate_was_off_for_a_third_of_the_steps(at, fires):
    half_learned = 2.3 * np.geomspace(1.0, 0.5, N_STEPS)  # explains half and still falls: not poor
    trace = synthetic_trace(half_learned, learning_rate=drop(at, 0.0))
    assert not trace.progress_is_poor
    assert (RULE.examine(trace) is not None) is fires


def test_a_warm_up_from_nothing_is_no_dead_schedule():
    assert RULE.examine(synthetic_trace(stuck(), learning_rate=np.linspace(0.0, 0.5, N_STEPS))) is None


def test_silent_where_no_rate_was_seen():
    assert RULE.examine(synthetic_trace(stuck())) is None


@pytest.mark.parametrize(("factor", "fires"), [(0.8, True), (0.95, True), (0.985, False)])
def test_a_rate_that_falls_by_a_factor_each_step_is_worth_few_steps(factor, fires):
    steps = int(np.log(0.01) / np.log(factor)) + 2  # until a hundredth is left
    trace = synthetic_trace(np.resize(stuck(), steps), learning_rate=0.5 * factor ** np.arange(steps))
    found = RULE.examine(trace)
    assert (found is not None) is fires
    if found is not None:
        assert found.evidence[0].value == pytest.approx(1 / (1 - factor), rel=1e-6)


def test_a_geometric_schedule_is_silent_while_the_training_learns():
    steps = 40
    assert RULE.examine(synthetic_trace(falling()[:steps], learning_rate=0.5 * 0.85 ** np.arange(steps))) is None


def test_the_end_of_a_cosine_is_no_geometric_schedule():
    steps = np.arange(N_STEPS)
    assert RULE.examine(synthetic_trace(stuck(), learning_rate=0.25 * (1 + np.cos(np.pi * steps / N_STEPS)) + 1e-3)) is None
