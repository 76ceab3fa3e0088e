import numpy as np
import pytest

from kazami.diagnosis._storms import AFTER_A_STEP, grew_before
from kazami.diagnosis.nan_inf import RISE, NanInf, first_event
from tests.diagnosis.synthetic import N_STEPS, assert_both_languages, falling, fire, stuck, synthetic_trace

RULE = NanInf()
AT = 12


def bad(source, place, operation=""):
    return {"first_bad": {"source": source, "place": place, "operation": operation, "value": "nan", "layer": "", "step": AT}}


def ends_in(value, losses):
    return np.where(np.arange(1, N_STEPS + 1) < AT, losses, value)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (bad("batch", "the batch"), "The batch of step 12"),
        (bad("target", "the target of the loss"), "The targets of step 12"),
        (bad("weight", "fc1.weight"), "`fc1.weight` holds"),
        (bad("operation", "log after fc2", "log"), "`log` gave the first"),
        (
            {"bad_gradient": {"place": "fc1.weight", "step": AT, "singular": {"operation": "sqrt", "place": "sqrt after fc2"}}},
            "`sqrt`, whose derivative is infinite",
        ),
        ({"bad_gradient": {"place": "fc1.weight", "step": AT, "singular": {}}}, "its gradient is not: the gradient of fc1.weight"),
        ({"bad_update": {"place": "fc1", "step": AT}}, "The optimizer's update of `fc1`"),
        ({}, "The loss is not finite from step 12 on"),
    ],
)
def test_every_source_has_its_sentence(facts, says):
    found = fire(RULE, synthetic_trace(ends_in(np.nan, stuck()), facts=facts))
    assert says in found.sentence.en
    assert str(AT) in found.sentence.ja or "fc1" in found.sentence.ja
    assert (found.severity, found.step, found.wind) == ("error", AT, 3.0)
    assert found.evidence[0].value == AT


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_any_loss_that_is_not_finite_fires_even_when_it_comes_back(value):
    losses = falling()
    losses[4] = value
    found = fire(RULE, synthetic_trace(losses))
    assert (found.step, found.place) == (5, "the loss")


def test_needs_no_poor_progress_and_no_losses():
    assert fire(RULE, synthetic_trace(falling(), facts=bad("batch", "the batch"))).place == "the batch"
    assert fire(RULE, synthetic_trace(facts=bad("batch", "the batch"))).step == AT


def test_silent_while_all_is_finite():
    assert RULE.examine(synthetic_trace(stuck())) is None
    assert RULE.examine(synthetic_trace()) is None


def test_the_end_of_a_storm_ranks_behind_its_cause():
    storm = ends_in(np.nan, 2.3 * np.geomspace(1.0, 1e9, N_STEPS))
    assert fire(RULE, synthetic_trace(storm)).rank > 40
    assert fire(RULE, synthetic_trace(ends_in(np.nan, stuck()))).rank == RULE.rank


def test_a_bad_batch_is_never_the_end_of_a_storm():
    storm = ends_in(np.nan, 2.3 * np.geomspace(1.0, 1e9, N_STEPS))
    assert fire(RULE, synthetic_trace(storm, facts=bad("batch", "the batch"))).rank == RULE.rank


def test_a_singular_derivative_is_a_cause_of_its_own_unless_the_rise_was_enormous():
    facts = {"bad_gradient": {"place": "fc1.weight", "step": AT, "singular": {"operation": "sqrt", "place": "sqrt after fc2"}}}
    assert fire(RULE, synthetic_trace(stuck(), facts=facts, total_gradient_norm=np.geomspace(1.0, 1e6, N_STEPS))).rank == RULE.rank
    assert fire(RULE, synthetic_trace(stuck(), facts=facts, total_gradient_norm=np.geomspace(1.0, 1e30, N_STEPS))).rank > 40


def test_the_earliest_event_is_told_and_within_a_step_the_forward_pass_first():
    gradient = {"bad_gradient": {"place": "fc1.weight", "step": AT - 1, "singular": {}}}
    update = {"bad_update": {"place": "fc1", "step": AT - 1}}
    event = first_event(synthetic_trace(facts={**update, **gradient, **bad("weight", "fc1.weight")}))
    assert event is not None
    assert (event["source"], event["step"]) == ("gradient", AT - 1)
    same_step = first_event(synthetic_trace(facts={"bad_update": {"place": "fc1", "step": AT}, **bad("batch", "the batch")}))
    assert same_step is not None
    assert same_step["source"] == "batch"
    assert first_event(synthetic_trace()) is None


@pytest.mark.parametrize("name", ["loss", "total_gradient_norm", "update_norm"])
@pytest.mark.parametrize(("factor", "grew"), [(1.1 * RISE, True), (0.9 * RISE, False)])
def test_growth_is_against_the_first_half_and_the_first_value(name, factor, grew):
    values = np.append(np.ones(N_STEPS - 1), factor)
    series = {"losses": values} if name == "loss" else {name: values}
    assert grew_before(synthetic_trace(step=N_STEPS, **series), N_STEPS + 1) is grew
    assert not grew_before(synthetic_trace(step=N_STEPS, **series), N_STEPS)


def test_is_excluded_while_all_losses_are_finite():
    sentence = RULE.exonerate(synthetic_trace(stuck()))
    assert sentence is not None
    assert_both_languages(sentence.en, sentence.ja)
    assert RULE.exonerate(synthetic_trace(ends_in(np.nan, stuck()))) is None
    assert RULE.exonerate(synthetic_trace()) is None


def test_the_few_words_of_a_place_that_are_not_names_are_in_japanese():
    from kazami.diagnosis.nan_inf import _in_japanese

    places = ["the loss", "the gradient of fc1.weight (sqrt after fc2)", "log after head", "fc1.weight"]
    assert [_in_japanese(place) for place in places] == ["損失", "fc1.weight の勾配（fc2 の後の sqrt）", "head の後の log", "fc1.weight"]


@pytest.mark.parametrize(
    ("update", "facts", "behind"),
    [
        (26.0, bad("operation", "relu after cell", "relu"), True),
        (1.0, bad("operation", "relu after cell", "relu"), False),
        (26.0, bad("batch", "the batch"), False),
        (26.0, {"bad_gradient": {"place": "a", "step": AT, "singular": {"operation": "sqrt", "place": "sqrt"}}}, False),
    ],
)
def test_a_single_step_that_rewrites_the_weights_is_a_storm(update, facts, behind):
    """A recurrent network that explodes may be gone after its first step: nothing has grown yet but that step."""
    updates = np.full((N_STEPS, 4), 1e-3)
    updates[AT - 2] = update
    found = fire(RULE, synthetic_trace(ends_in(np.nan, stuck()), facts=facts, update_ratio=updates))
    assert found.rank == (AFTER_A_STEP if behind else RULE.rank)
