import pytest

from kazami.diagnosis.no_zero_grad import LEAST_STEPS, NoZeroGrad
from tests.diagnosis.synthetic import falling, fire, stuck, synthetic_trace

RULE = NoZeroGrad()


@pytest.mark.parametrize("losses", [None, stuck(), falling()], ids=["no losses", "stuck", "falling"])
def test_is_an_exact_fact_whatever_the_progress(losses):
    found = fire(RULE, synthetic_trace(losses, facts={"kept_gradients": 39}))
    assert (found.evidence[0].value, found.evidence[0].limit) == (39.0, float(LEAST_STEPS))
    assert (found.severity, found.step) == ("error", 2)
    assert "zero_grad" in found.sentence.en
    assert "zero_grad" in found.sentence.ja


@pytest.mark.parametrize(("kept", "step", "fires"), [(LEAST_STEPS, 4, True), (LEAST_STEPS - 1, 4, False), (19, 40, False), (20, 40, True)])
def test_must_hold_for_three_steps_and_for_half_of_all(kept, step, fires):
    assert (RULE.examine(synthetic_trace(stuck(step), facts={"kept_gradients": kept})) is not None) is fires


def test_silent_where_gradients_are_cleared():
    assert RULE.examine(synthetic_trace(stuck())) is None
