import math

import numpy as np
import pytest

from kazami.diagnosis import examine
from kazami.diagnosis._answers import ALIKE, COLLAPSED, LEAST_STEPS, ONE_ANSWER
from kazami.diagnosis._meanings import meaning_of
from kazami.diagnosis.trivial_solution import TrivialSolution
from kazami.records import Layer, Trace
from tests.diagnosis.synthetic import FACTS, N_STEPS, TRIVIAL, assert_both_languages, falling, fire, stuck, synthetic_trace

RULE = TrivialSolution()


@pytest.mark.parametrize(("value", "fires"), [(ONE_ANSWER - 0.001, True), (ONE_ANSWER, False)])
def test_the_limit(value, fires):
    assert (RULE.examine(synthetic_trace(stuck(LEAST_STEPS), output_variation=value)) is not None) is fires


def test_a_remark_until_there_were_steps_enough():
    assert fire(RULE, synthetic_trace(stuck(LEAST_STEPS - 1), output_variation=0.01)).severity == "info"
    assert fire(RULE, synthetic_trace(stuck(LEAST_STEPS), output_variation=0.01)).severity == "warning"


def test_silent_while_the_loss_falls():
    assert RULE.examine(synthetic_trace(falling(), output_variation=0.01)) is None
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


@pytest.mark.parametrize("spread", [np.full(N_STEPS, 0.9), np.full(N_STEPS, 0.05), np.geomspace(0.9, 0.5, N_STEPS)])
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


def test_inputs_that_are_all_alike_are_the_cause_at_once():
    alike = synthetic_trace(stuck(), output_variation=0.01, input_spread=[0.0, 0.0, 1e-8, 0.0])
    found = fire(RULE, alike)
    assert (found.rank, found.severity) == (ALIKE, "warning")
    assert_both_languages(found.sentence.en, found.sentence.ja)
    lost_on_the_way = synthetic_trace(stuck(), output_variation=0.01, input_spread=[1.0, 0.0, 0.0, 0.0])
    assert RULE.examine(lost_on_the_way) is None or fire(RULE, lost_on_the_way).rank != ALIKE
    without_targets = synthetic_trace(stuck(LEAST_STEPS), head_spread=np.ones(LEAST_STEPS), input_spread=[0.0, 0.0, 0.0, 0.0])
    assert RULE.examine(without_targets) is None


def test_one_class_for_everybody_is_told_after_steps_enough():
    assert fire(RULE, synthetic_trace(stuck(LEAST_STEPS), answered_classes=1.0)).evidence[0].value == 1.0
    assert RULE.examine(synthetic_trace(stuck(LEAST_STEPS), answered_classes=2.0)) is None
    assert RULE.examine(synthetic_trace(stuck(LEAST_STEPS - 1), answered_classes=1.0)) is None
    assert RULE.examine(synthetic_trace(falling(LEAST_STEPS), answered_classes=1.0)) is None


def code(error=1.0, now=0.001, share=1.0):
    terms = [
        {"name": "1: mse of decoder", "weight": 1.0, "first": 1.2, "now": error, "trivial": 1.0, "gradient_share": 0.1},
        {"name": "2: term of encoder", "weight": 5.0, "first": 0.3, "now": now, "trivial": math.nan, "gradient_share": share},
    ]
    return synthetic_trace(stuck(), facts={"loss_terms": {"measured": 9, "terms": terms}})


def test_a_code_that_its_own_term_silences():
    found = fire(RULE, code())
    assert "code says nothing" in found.sentence.en
    assert_both_languages(found.sentence.en, found.sentence.ja)
    for healthy in (code(error=0.3), code(now=0.2), code(share=0.05)):
        assert RULE.examine(healthy) is None


def test_a_spread_that_goes_on_shrinking_is_told_before_it_is_gone():
    shrinking = np.geomspace(0.9, 0.2, N_STEPS)
    assert "are collapsing" in fire(RULE, synthetic_trace(falling(), embedding_spread=shrinking)).sentence.en
    settled = np.append(np.geomspace(0.9, 0.3, N_STEPS // 8), np.full(N_STEPS - N_STEPS // 8, 0.3))
    assert RULE.examine(synthetic_trace(falling(), embedding_spread=settled)) is None


@pytest.mark.parametrize("losses", [None, stuck(), falling()], ids=["no losses", "stuck", "falling"])
def test_a_softmax_over_one_number_is_told_at_once(losses):
    found = fire(RULE, synthetic_trace(losses, facts={"softmax_of_one": {"axis": 1, "shape": [32, 1], "step": 1}}))
    assert (found.severity, found.rank < ALIKE) == ("error", True)
    assert "axis 1 of 32×1" in found.sentence.en
