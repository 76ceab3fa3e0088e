import pytest

from kazami.diagnosis import examine
from kazami.diagnosis.loss_term_imbalance import LEAST_STEPS, LIMIT, LONG, LossTermImbalance
from tests.diagnosis.synthetic import assert_both_languages, falling, fire, stuck, synthetic_trace

RULE = LossTermImbalance()


def terms(ratio=1000.0, **second):
    large = {"name": "1: mse of a", "weight": 1.0, "first": 1.0, "now": 0.01, "trivial": 1.0, "gradient_share": 1.0}
    small = {"name": "2: cross_entropy of b", "weight": 1.0, "first": 2.3, "now": 2.28, "trivial": 2.3, "gradient_share": 1 / ratio}
    return {"loss_terms": {"measured": 9, "terms": [large, {**small, **second}]}}


def test_a_starved_term_is_told_though_the_sum_falls():
    trace = synthetic_trace(falling(), facts=terms())
    assert not trace.progress_is_poor
    found = fire(RULE, trace)
    assert found.place == "term 2: cross_entropy of b"
    assert [item.value for item in found.evidence] == [pytest.approx(1000), pytest.approx(2.28 / 2.3), 1.0, 1.0]
    assert "2 (cross_entropy of b)" in found.sentence.en
    assert examine(trace)[0].name == "loss_term_imbalance"


@pytest.mark.parametrize(("ratio", "fires"), [(1.01 * LIMIT, True), (0.99 * LIMIT, False)])
def test_the_limit(ratio, fires):
    assert (RULE.examine(synthetic_trace(falling(), facts=terms(ratio))) is not None) is fires


@pytest.mark.parametrize(
    "second",
    [
        {"now": 1.0},
        {"name": "2: term of b"},
        {"name": "2: kl_div of b"},
        {"weight": 1e-3},
        {"weight": 1e-3, "first": 1.1, "now": 1.09, "trivial": 1.0, "name": "2: mse of b"},
        {"first": float("nan")},
    ],
    ids=["learned", "a divergence", "another", "a side task", "a side task that is much of what is left", "of unknown value"],
)
def test_terms_that_are_small_for_a_reason(second):
    assert RULE.examine(synthetic_trace(falling(), facts=terms(**second))) is None


def test_a_boundary_condition_with_a_tiny_weight_matters_once_it_is_what_is_left():
    """It stands far above what a constant would cost; a side task that nothing can learn does not."""
    facts = terms(weight=1e-2, first=1.0, now=0.9, trivial=0.0, name="2: mse of b")
    assert fire(RULE, synthetic_trace(falling(), facts=facts)).name == "loss_term_imbalance"
    facts["loss_terms"]["terms"][0]["now"] = 0.4
    assert RULE.examine(synthetic_trace(falling(), facts=facts)) is None


def test_where_the_large_term_stands_too_it_takes_time_and_poor_progress():
    facts = terms()
    facts["loss_terms"]["terms"][0]["now"] = 0.95
    assert RULE.examine(synthetic_trace(stuck(LONG - 1), facts=facts)) is None
    assert fire(RULE, synthetic_trace(stuck(LONG), facts=facts)).place.startswith("term 2")


def test_too_early_and_too_seldom_measured():
    assert RULE.examine(synthetic_trace(falling(LEAST_STEPS - 1), facts=terms())) is None
    facts = terms()
    facts["loss_terms"]["measured"] = 2
    assert RULE.examine(synthetic_trace(falling(), facts=facts)) is None
    assert RULE.examine(synthetic_trace(falling())) is None


def test_is_excluded_with_the_ratio():
    sentence = RULE.exonerate(synthetic_trace(falling(), facts=terms(3.0)))
    assert sentence is not None
    assert_both_languages(sentence.en, sentence.ja)
    assert "factor of 3" in sentence.en
    assert RULE.exonerate(synthetic_trace(falling(), facts=terms(50.0))) is None


@pytest.mark.parametrize(("now", "fires"), [(1.6, True), (1.4, False)])
def test_a_term_that_rises_needs_less_of_a_difference(now, fires):
    facts = terms(ratio=40.0, name="2: mse of b", first=1.0, trivial=0.5, now=now)
    assert (RULE.examine(synthetic_trace(falling(), facts=facts)) is not None) is fires


def test_a_code_that_grows_without_targets_is_no_error():
    facts = terms(ratio=40.0, name="2: squares of b", first=0.1, trivial=float("nan"), now=3.0)
    assert RULE.examine(synthetic_trace(falling(), facts=facts)) is None


def against(**second):
    error = {"name": "1: mse of a", "weight": 1.0, "first": 1.1, "now": 0.98, "trivial": 1.0, "gradient_share": 0.9, "opposed": -0.95}
    other = {"name": "2: squares of b", "weight": 9.0, "first": 0.5, "now": 0.4, "trivial": float("nan"), "gradient_share": 1.0, "opposed": -1.0}
    return {"loss_terms": {"measured": 9, "terms": [error, {**other, **second}]}}


def test_terms_that_take_an_error_s_gradient_back_outweigh_it():
    found = fire(RULE, synthetic_trace(stuck(), facts=against()))
    assert found.place == "term 2: squares of b"
    assert "where guessing does" in found.sentence.en
    assert_both_languages(found.sentence.en, found.sentence.ja)


def test_a_penalty_on_weights_is_told_by_another_rule_and_a_falling_loss_by_none():
    assert RULE.examine(synthetic_trace(stuck(), facts=against(is_penalty=True))) is None
    assert RULE.examine(synthetic_trace(falling(), facts=against())) is None


def test_an_error_near_its_targets_own_entropy_does_not_stand_at_guessing():
    """The divergence of a good auto-encoder of grey pixels takes back most of the reconstruction's gradient: an equilibrium, and no fault."""
    facts = terms()
    error, other = facts["loss_terms"]["terms"]
    error.update(name="1: bce of a", first=0.7, now=0.43, trivial=0.5, gradient_share=1.0, opposed=-0.8)
    other.update(name="2: term of b", first=0.1, now=0.2, trivial=float("nan"), gradient_share=0.9)
    assert fire(RULE, synthetic_trace(stuck(), facts=facts)).evidence[2].value == pytest.approx(0.86)
    error["least"] = 0.4
    assert RULE.examine(synthetic_trace(stuck(), facts=facts)) is None
