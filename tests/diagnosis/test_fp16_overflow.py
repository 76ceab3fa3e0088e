import numpy as np
import pytest

from kazami.diagnosis import examine
from kazami.diagnosis.fp16_overflow import AT_THE_END_OF_A_STORM, HALVINGS, Fp16Overflow
from tests.diagnosis.synthetic import falling, fire, stuck, synthetic_trace

RULE = Fp16Overflow()
HALF = {"half_precision": {"format": "float16", "layers": ["layer0"], "weights": [], "step": 1}}


def bad(**changes):
    return {"first_bad": {"source": "operation", "place": "pow after layer0", "operation": "pow", "value": "inf", "format": "float16", "step": 20, **changes}}


def scaler(**changes):
    return {"scaler": {"scale": 0.25, "first": 65536.0, "updates": 40, "skipped": 25, "in_a_row": 4, **changes}}


def test_an_operation_beyond_float16_is_named_before_the_nan_it_makes():
    found = fire(RULE, synthetic_trace(stuck(), facts=bad()))
    assert (found.place, found.step, found.severity) == ("pow after layer0", 20, "error")
    assert [one.name for one in examine(synthetic_trace(stuck(), facts=bad()))][:2] == ["fp16_overflow", "nan_inf"]


@pytest.mark.parametrize("changes", [{"format": "float32"}, {"format": "bfloat16"}, {"source": "batch"}, {"operation": "log"}, {"operation": "div"}])
def test_other_first_numbers_are_not_its(changes):
    assert RULE.examine(synthetic_trace(stuck(), facts=bad(**changes))) is None


def test_at_the_end_of_a_storm_it_ranks_behind_its_cause():
    growing = np.append(stuck(), stuck()[-1] * np.geomspace(1, 1e4, 10))
    found = fire(RULE, synthetic_trace(growing, facts=bad(step=growing.size)))
    assert found.rank == AT_THE_END_OF_A_STORM


def test_a_gradient_beyond_float16():
    gradient = {"place": "layer0.weight", "step": 3, "singular": {}}
    assert fire(RULE, synthetic_trace(stuck(), facts={**HALF, "bad_gradient": gradient})).place == "the gradient of layer0.weight"
    assert RULE.examine(synthetic_trace(stuck(), facts={**HALF, "bad_gradient": {**gradient, "place": "layer2.weight"}})) is None
    assert RULE.examine(synthetic_trace(stuck(), facts={**HALF, "bad_gradient": {**gradient, "singular": {"operation": "sqrt"}}})) is None
    assert RULE.examine(synthetic_trace(stuck(), facts={"bad_gradient": gradient})) is None


def test_a_scaler_that_finds_no_scale():
    found = fire(RULE, synthetic_trace(stuck(), facts=scaler()))
    assert found.place == "the gradient scaler"
    assert [item.value for item in found.evidence] == [0.25, 25.0]


@pytest.mark.parametrize(
    ("losses", "changes"),
    [
        (stuck(), {"scale": 1.0}),
        (stuck(), {"scale": 2048.0, "skipped": 30}),
        (stuck(), {"skipped": HALVINGS}),
        (falling(), {}),
        (falling(), {"scale": 2.0**22, "first": 2.0**30, "updates": 400, "skipped": 57}),
    ],
    ids=["a scale of one", "an ordinary scale", "few skips", "good progress", "a scaler that tries often"],
)
def test_a_scaler_at_its_normal_work_is_no_alarm(losses, changes):
    assert RULE.examine(synthetic_trace(losses, facts=scaler(**changes))) is None


def test_a_training_of_which_no_step_was_taken():
    assert fire(RULE, synthetic_trace(step=0, facts=scaler(scale=0.0, updates=30, skipped=30))).severity == "error"
    assert RULE.examine(synthetic_trace(step=0, facts=scaler(scale=2048.0, updates=5, skipped=5))) is None
