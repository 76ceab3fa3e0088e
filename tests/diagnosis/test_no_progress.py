import numpy as np
import pytest

from kazami.diagnosis import examine
from kazami.diagnosis.no_progress import EXPLAINED, LEAST_STEPS, PACE, NoProgress
from tests.diagnosis.synthetic import FACTS, TRIVIAL, falling, fire, rising, stuck, synthetic_trace

RULE = NoProgress()


@pytest.mark.parametrize(("n_steps", "severity"), [(LEAST_STEPS, "warning"), (LEAST_STEPS - 1, "info")])
def test_a_standstill_is_a_remark_until_there_were_steps_enough(n_steps, severity):
    trace = synthetic_trace(stuck(n_steps))
    found = fire(RULE, trace)
    assert trace.progress is not None
    assert found.severity == severity
    assert (found.evidence[0].value, found.evidence[0].limit) == (trace.progress.explained, EXPLAINED)
    assert (found.evidence[1].value, found.evidence[1].limit) == (trace.progress.pace, PACE)
    assert f"After {n_steps} steps" in found.sentence.en
    assert f"{n_steps} ステップ後" in found.sentence.ja


def test_a_loss_that_has_risen_is_told_at_once():
    found = fire(RULE, synthetic_trace(rising()))
    assert found.severity == "warning"
    assert found.wind > 0 > fire(RULE, synthetic_trace(stuck())).wind


def test_the_reference_is_named():
    assert "guessing" in fire(RULE, synthetic_trace(stuck())).sentence.en
    unseen = fire(RULE, synthetic_trace(stuck(), trivial_loss=None))
    assert "at the start" in unseen.sentence.en
    assert "開始時" in unseen.sentence.ja


@pytest.mark.parametrize(("explained", "fires"), [(EXPLAINED / 2 - 0.02, True), (EXPLAINED / 2 + 0.02, False)])
def test_the_limit(explained, fires):
    settled = np.append(TRIVIAL, np.full(LEAST_STEPS, TRIVIAL * (1 - explained)))
    trace = synthetic_trace(settled)
    assert trace.progress_is_poor
    assert (RULE.examine(trace) is not None) is fires


def test_silent_with_good_progress_and_without_losses():
    assert RULE.examine(synthetic_trace(falling())) is None
    assert RULE.examine(synthetic_trace()) is None


def test_is_left_out_beside_any_cause():
    fact = {"softmax_before_log_softmax": FACTS["softmax_before_log_softmax"]}
    assert "no_progress" not in {finding.name for finding in examine(synthetic_trace(stuck(LEAST_STEPS), facts=fact))}
    assert [finding.name for finding in examine(synthetic_trace(stuck(LEAST_STEPS)))] == ["no_progress"]


@pytest.mark.parametrize(("noise", "fires"), [(0.01, False), (0.3, True)])
def test_a_little_that_is_surely_better_than_guessing_is_no_standstill(noise, fires):
    """Noisy targets leave no more to learn."""
    losses = 0.93 * TRIVIAL * (1 + noise * np.random.default_rng(3).standard_normal(300))
    assert (RULE.examine(synthetic_trace(losses)) is not None) is fires
