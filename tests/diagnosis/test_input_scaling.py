import numpy as np
import pytest

from kazami.diagnosis._progress import is_slow
from kazami.diagnosis.input_scaling import EXTREME, LARGEST_OFFSET, LARGEST_RATIO, LARGEST_RMS, STRONG, InputScaling
from tests.diagnosis.synthetic import assert_both_languages, falling, fire, stuck, synthetic_trace

RULE = InputScaling()
UNIT = {
    "layer": "body.0",
    "rms": 1.0,
    "std": 1.0,
    "largest_std": 1.0,
    "smallest_std": 1.0,
    "typical_std": 1.0,
    "offset": 0.0,
    "largest_mean": 0.0,
    "features": 4,
}
SLOW = 2.3 * np.append(np.geomspace(1.0, 0.75, 10), np.linspace(0.75, 0.7, 90))  # explains a third and hardly falls: slow, not poor
UNFINISHED = 2.3 * np.append(np.geomspace(1.0, 0.32, 10), np.linspace(0.32, 0.3, 90))  # explains most of it: not even slow


def inputs(**changes):
    return {"input": {**UNIT, **changes}}


@pytest.mark.parametrize(
    ("changes", "value", "limit", "says"),
    [
        ({"rms": 255.0}, 255.0, LARGEST_RMS, "root-mean-square"),
        ({"rms": 2.0, "offset": 9.0}, 9.0, LARGEST_OFFSET, "offset"),
        ({"rms": 4.0, "largest_std": 500.0, "typical_std": 0.5}, 1000.0, LARGEST_RATIO, "ratio between the scales"),
        ({"rms": 1e-3}, 20.0, 1.0, "smallness"),
    ],
)
def test_each_measure_fires_with_its_number(changes, value, limit, says):
    found = fire(RULE, synthetic_trace(stuck(), facts=inputs(**changes)))
    assert found.evidence[0].value == pytest.approx(value)
    assert found.evidence[0].limit == limit
    assert says in found.sentence.en
    assert found.place == "body.0"


def test_small_inputs_are_a_calm_and_large_ones_a_storm():
    assert fire(RULE, synthetic_trace(stuck(), facts=inputs(rms=1e-3))).wind < 0 < fire(RULE, synthetic_trace(stuck(), facts=inputs(rms=255.0))).wind


@pytest.mark.parametrize(
    "changes",
    [
        {"rms": 0.99 * LARGEST_RMS},
        {"rms": 2.0, "offset": 0.99 * LARGEST_OFFSET},
        {"rms": 4.0, "largest_std": 3.5, "typical_std": 3.5 / (0.99 * LARGEST_RATIO)},
        {"rms": 0.021},
        {"rms": 1.0, "offset": 9.0},  # an offset in inputs of unit size is at most one
        {"rms": 1.0, "largest_std": 1.0, "typical_std": 1e-4},  # a rare indicator among others is no scale
        {"rms": 4.0, "largest_std": 500.0, "typical_std": 0.5, "features": 1},
    ],
)
def test_silent_within_the_limits(changes):
    assert RULE.examine(synthetic_trace(stuck(), facts=inputs(**changes))) is None


@pytest.mark.parametrize(("rms", "fires"), [(1.01 * STRONG * LARGEST_RMS, True), (0.99 * STRONG * LARGEST_RMS, False)])
def test_slow_progress_is_enough_for_strong_evidence_only(rms, fires):
    trace = synthetic_trace(SLOW, facts=inputs(rms=rms))
    assert is_slow(trace.progress)
    assert not trace.progress_is_poor
    assert (RULE.examine(trace) is not None) is fires


@pytest.mark.parametrize(("rms", "fires"), [(1.01 * EXTREME * LARGEST_RMS, True), (0.99 * EXTREME * LARGEST_RMS, False)])
def test_unfinished_work_is_enough_for_extreme_evidence_only(rms, fires):
    trace = synthetic_trace(UNFINISHED, facts=inputs(rms=rms))
    assert not is_slow(trace.progress)
    assert (RULE.examine(trace) is not None) is fires


@pytest.mark.parametrize("losses", [None, falling()], ids=["no losses", "falling"])
def test_silent_unless_progress_is_slow(losses):
    assert RULE.examine(synthetic_trace(losses, facts=inputs(rms=255.0))) is None


def test_is_excluded_with_the_size_of_the_inputs():
    sentence = RULE.exonerate(synthetic_trace(stuck(), facts=inputs(rms=1.5)))
    assert sentence is not None
    assert_both_languages(sentence.en, sentence.ja)
    assert "rms 1.5" in sentence.en
    assert RULE.exonerate(synthetic_trace(stuck(), facts=inputs(rms=9.0))) is None
    assert RULE.exonerate(synthetic_trace(stuck())) is None
