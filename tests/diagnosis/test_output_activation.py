import pytest

from kazami.diagnosis.output_activation import LEAST_OUTSIDE, OutputActivation
from tests.diagnosis.synthetic import FACTS, falling, fire, stuck, synthetic_trace

RULE = OutputActivation()
RANGE = {"activation": "sigmoid", "low": 0.0, "high": 1.0, "target_low": -3.0, "target_high": 5.0, "outside": 0.6, "layer": "head", "step": 1}


def squashed(activation, loss="cross_entropy"):
    return {"activation_before_logits_loss": {"activation": activation, "loss": loss, "step": 1}}


@pytest.mark.parametrize("losses", [None, stuck(), falling()], ids=["no losses", "stuck", "falling"])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_a_squashed_output_before_a_loss_of_logits_is_an_exact_fact(losses, activation):
    found = fire(RULE, synthetic_trace(losses, facts=squashed(activation)))
    assert (found.severity, found.place) == ("error", "the output of the model")
    assert (found.evidence[0].value, found.evidence[0].limit) == (1.0, 0.0)
    assert activation in found.sentence.en
    assert activation in found.sentence.ja


def test_a_softmax_stands_just_before_the_others_in_the_causal_order():
    assert fire(RULE, synthetic_trace(facts=squashed("softmax"))).rank < fire(RULE, synthetic_trace(facts=squashed("sigmoid"))).rank == RULE.rank


def test_the_loss_is_named():
    found = fire(RULE, synthetic_trace(facts=squashed("sigmoid", "binary_cross_entropy_with_logits")))
    assert found.sentence.en.startswith("binary_cross_entropy_with_logits expects")


def test_a_softmax_applied_twice_is_also_a_squashed_output():
    assert fire(RULE, synthetic_trace(facts={"softmax_before_log_softmax": {"activation": "softmax", "loss": "cross_entropy"}})).confidence == 0.95


@pytest.mark.parametrize(("activation", "says"), [("identity", "raw outputs"), ("softmax", "the result of softmax")])
def test_nll_of_something_that_is_no_logarithm(activation, says):
    found = fire(RULE, synthetic_trace(falling(), facts={"nll_without_log": {"activation": activation, "loss": "nll_loss", "step": 1}}))
    assert says in found.sentence.en
    assert ("生の出力" in found.sentence.ja) is (activation == "identity")
    assert (found.evidence[0].value, found.evidence[0].limit) == (0.0, 1.0)


@pytest.mark.parametrize("loss", ["kl_div", "ctc_loss"])
def test_other_losses_of_logarithms_are_named(loss):
    found = fire(RULE, synthetic_trace(falling(), facts={"nll_without_log": {"activation": "softmax", "loss": loss, "step": 1}}))
    assert found.sentence.en.startswith(f"{loss} expects log-probabilities")
    assert loss in found.evidence[0].name
    assert found.sentence.ja.startswith(loss)


@pytest.mark.parametrize("losses", [None, stuck(), falling()], ids=["no losses", "stuck", "falling"])
def test_targets_that_are_no_probabilities(losses):
    found = fire(RULE, synthetic_trace(losses, facts={"targets_no_probabilities": FACTS["targets_no_probabilities"]}))
    assert "50% of the targets (1 … 2) lie outside what sigmoid can give (0 … 1)" in found.sentence.en


def test_targets_outside_the_range_fire_with_their_share():
    found = fire(RULE, synthetic_trace(falling(), facts={"output_range": RANGE}))
    assert (found.evidence[0].value, found.evidence[0].limit) == (0.6, LEAST_OUTSIDE)
    assert found.place == "head"
    assert "60%" in found.sentence.en
    assert "-3 … 5" in found.sentence.ja


@pytest.mark.parametrize(
    ("outside", "losses", "fires"),
    [
        (0.1, falling(), True),
        (0.099, falling(), False),
        (LEAST_OUTSIDE, stuck(), True),
        (0.99 * LEAST_OUTSIDE, stuck(), False),
    ],
)
def test_the_limits_of_the_share(outside, losses, fires):
    assert (RULE.examine(synthetic_trace(losses, facts={"output_range": {**RANGE, "outside": outside}})) is not None) is fires


def test_silent_without_such_facts():
    assert RULE.examine(synthetic_trace(stuck())) is None


@pytest.mark.parametrize(("axis", "word"), [(0, "samples"), (2, "positions")])
def test_a_softmax_over_another_axis_is_an_exact_fact(axis, word):
    found = fire(RULE, synthetic_trace(falling(), facts={"softmax_axis": {"axis": axis, "classes": 1, "size": 30, "step": 1}}))
    assert found.severity == "error"
    assert (found.evidence[0].value, found.evidence[0].limit) == (float(axis), 1.0)
    assert f"axis {axis}, the {word}" in found.sentence.en
    assert f"軸 {axis}" in found.sentence.ja
