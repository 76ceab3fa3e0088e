import math

import numpy as np
import pytest

from kazami.diagnosis import examine
from kazami.diagnosis._meanings import meaning_of
from kazami.diagnosis.trivial_solution import COLLAPSED, LEAST_STEPS, LIMIT, TrivialSolution
from kazami.records import Layer, Trace
from tests.diagnosis.synthetic import FACTS, N_STEPS, TRIVIAL, assert_both_languages, falling, fire, stuck, synthetic_trace

RULE = TrivialSolution()


@pytest.mark.parametrize(("value", "fires"), [(LIMIT - 0.001, True), (LIMIT, False)])
def test_the_limit(value, fires):
    assert (RULE.examine(synthetic_trace(stuck(LEAST_STEPS), output_variation=value)) is not None) is fires


def test_a_remark_until_there_were_steps_enough():
    assert fire(RULE, synthetic_trace(stuck(LEAST_STEPS - 1), output_variation=0.01)).severity == "info"
    assert fire(RULE, synthetic_trace(stuck(LEAST_STEPS), output_variation=0.01)).severity == "warning"


def test_silent_while_the_loss_falls_and_where_inputs_are_alike():
    assert RULE.examine(synthetic_trace(falling(), output_variation=0.01)) is None
    assert RULE.examine(synthetic_trace(stuck(LEAST_STEPS), output_variation=0.01, input_spread=[0.0, 0.0, 0.0, 0.0])) is None
    assert RULE.examine(synthetic_trace(stuck(LEAST_STEPS))) is None


def test_without_targets_it_compares_with_its_own_past():
    shrinking = np.append(np.ones(N_STEPS), np.full(LEAST_STEPS - N_STEPS, 0.01))
    assert fire(RULE, synthetic_trace(stuck(LEAST_STEPS), head_spread=shrinking)).evidence[0].value == pytest.approx(0.01)
    assert RULE.examine(synthetic_trace(stuck(LEAST_STEPS), head_spread=np.ones(LEAST_STEPS))) is None
    assert RULE.examine(synthetic_trace(falling(LEAST_STEPS), head_spread=shrinking)) is None


def test_it_is_a_remark_beside_any_cause():
    fact = {"softmax_before_log_softmax": FACTS["softmax_before_log_softmax"]}
    found = examine(synthetic_trace(stuck(LEAST_STEPS), output_variation=0.01, facts=fact))
    assert next(one.severity for one in found if one.name == "trivial_solution") == "info"
    alone = examine(synthetic_trace(stuck(LEAST_STEPS), output_variation=0.01))
    assert [(one.name, one.is_primary) for one in alone] == [("trivial_solution", True)]


@pytest.mark.parametrize("losses", [stuck(), falling()])
def test_agreement_that_has_collapsed_needs_no_gate(losses):
    spread = np.geomspace(0.8, 0.01, N_STEPS)
    found = fire(RULE, synthetic_trace(losses, embedding_spread=spread))
    assert (found.severity, found.rank < RULE.rank) == ("warning", True)
    assert found.evidence[0].limit == COLLAPSED


@pytest.mark.parametrize("spread", [np.full(N_STEPS, 0.9), np.full(N_STEPS, 0.05), np.geomspace(0.9, 0.2, N_STEPS)])
def test_agreement_that_is_spread_or_never_was_is_left_alone(spread):
    assert RULE.examine(synthetic_trace(falling(), embedding_spread=spread)) is None


OUTPUT = (Layer("head", "linear", (10, 8), 8, 10, is_output=True),)


@pytest.mark.parametrize(
    ("loss", "fields", "word"),
    [
        (math.log(10), {"loss_kind": "cross_entropy", "layers": OUTPUT}, "ln 10"),
        (math.log(2), {"loss_kind": "bce_with_logits"}, "ln 2"),
        (2 * math.log(2), {"loss_kind": "bce_with_logits"}, "2 ln 2"),
        (2 * math.log(2), {"loss_kind": "unknown", "facts": {"adversarial": {"players": 2}}}, "2 ln 2"),
        (4.2, {"loss_kind": "mse", "trivial_loss": 4.21}, "var(y)"),
        (0.7, {"loss_kind": "l1", "trivial_loss": 0.7}, "median"),
        (0.61, {"loss_kind": "cross_entropy", "trivial_loss": 0.61}, "class shares"),
        (13.8155, {"loss_kind": "unknown"}, "-ln 1e-6"),
        (16.118, {"loss_kind": "nll"}, "-ln 1e-7"),
        (15.94, {"loss_kind": "unknown"}, "float32"),
        (100.0, {"loss_kind": "bce"}, "cut off"),
    ],
)
def test_a_standing_loss_has_a_meaning(loss, fields, word):
    meaning = meaning_of(loss, Trace(step=1, **fields))
    assert meaning is not None
    assert word in meaning.en
    assert_both_languages(meaning.en, meaning.ja)


@pytest.mark.parametrize(("loss", "kind"), [(3.3, "mse"), (13.8155, "mse"), (1.9, "unknown"), (0.5, "bce")])
def test_most_losses_mean_nothing(loss, kind):
    assert meaning_of(loss, Trace(step=1, loss_kind=kind)) is None


def test_the_finding_tells_it():
    found = fire(RULE, synthetic_trace(stuck(LEAST_STEPS), output_variation=0.01))
    assert "class shares" in found.sentence.en
    assert found.evidence[1].value == pytest.approx(TRIVIAL, rel=0.02)
