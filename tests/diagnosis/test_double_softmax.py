import pytest

from kazami.diagnosis.double_softmax import DoubleSoftmax
from tests.diagnosis.synthetic import falling, fire, stuck, synthetic_trace

RULE = DoubleSoftmax()
FACT = {"softmax_before_log_softmax": {"activation": "softmax", "loss": "cross_entropy", "step": 1}}


@pytest.mark.parametrize("losses", [None, stuck(), falling()], ids=["no losses", "stuck", "falling"])
def test_is_an_exact_fact_whatever_the_progress(losses):
    found = fire(RULE, synthetic_trace(losses, facts=FACT))
    assert (found.severity, found.step, found.place) == ("error", 1, "the output of the model")
    assert (found.evidence[0].value, found.evidence[0].limit) == (2.0, 1.0)


def test_the_step_at_which_it_was_first_seen_is_told():
    assert fire(RULE, synthetic_trace(stuck(), facts={"softmax_before_log_softmax": {"activation": "softmax", "step": 7}})).step == 7


@pytest.mark.parametrize("facts", [{}, {"activation_before_logits_loss": {"activation": "sigmoid", "loss": "cross_entropy"}}])
def test_silent_without_a_softmax_before_a_softmax(facts):
    assert RULE.examine(synthetic_trace(stuck(), facts=facts)) is None
