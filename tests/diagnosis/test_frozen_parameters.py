import numpy as np
import pytest

from kazami.diagnosis.frozen_parameters import LARGE_SHARE, FrozenParameters
from tests.diagnosis.synthetic import falling, fire, rising, stuck, synthetic_trace

RULE = FrozenParameters()
OUTSIDE = {"not_in_optimizer": ["head.weight", "head.bias"]}
UNGIVEN = {"never_given_a_gradient": ["body.weight"], "never_given_share": LARGE_SHARE - 0.01}
FROZEN = {"frozen": {"body.weight": 64}, "requires_no_gradient": ["body.bias", "body.weight"]}


@pytest.mark.parametrize("losses", [None, stuck(), falling()], ids=["no losses", "stuck", "falling"])
def test_parameters_in_no_optimizer_are_an_exact_fact(losses):
    found = fire(RULE, synthetic_trace(losses, facts=OUTSIDE))
    assert found.place == "head.weight"
    assert (found.evidence[0].value, found.evidence[0].limit) == (2.0, 0.0)
    assert "in no optimizer" in found.sentence.en
    assert "head.bias" in found.sentence.ja


def test_only_three_names_are_told():
    found = fire(RULE, synthetic_trace(stuck(), facts={"not_in_optimizer": ["a", "b", "c", "d"]}))
    assert found.sentence.en.endswith(": a, b, c ….")
    assert found.sentence.en.startswith("4 parameters")


def test_it_is_surer_when_progress_is_poor():
    assert fire(RULE, synthetic_trace(stuck(), facts=OUTSIDE)).confidence > fire(RULE, synthetic_trace(falling(), facts=OUTSIDE)).confidence


def test_a_missing_gradient_counts_when_progress_is_poor():
    found = fire(RULE, synthetic_trace(stuck(), facts=UNGIVEN))
    assert found.place == "body.weight"
    assert found.evidence[0].value == 1.0
    assert "never get a gradient" in found.sentence.en


@pytest.mark.parametrize(("share", "fires"), [(LARGE_SHARE + 0.01, True), (LARGE_SHARE, False)])
def test_in_a_good_training_it_counts_from_a_fifth_of_the_parameters_on(share, fires):
    trace = synthetic_trace(falling(), facts={**UNGIVEN, "never_given_share": share})
    assert (RULE.examine(trace) is not None) is fires


def test_requires_grad_false_counts_only_when_progress_is_poor():
    found = fire(RULE, synthetic_trace(stuck(), facts=FROZEN))
    assert found.place == "body.bias"
    assert found.evidence[0].value == 2.0  # a parameter that is told twice counts once
    assert RULE.examine(synthetic_trace(falling(), facts=FROZEN)) is None


def test_silent_without_such_parameters():
    assert RULE.examine(synthetic_trace(stuck(), facts={"not_in_optimizer": [], "never_given_a_gradient": [], "frozen": {}})) is None


@pytest.mark.parametrize(
    ("fresh", "share", "fires"), [(["a.weight", "b.weight"], 0.9, True), (["a.weight"], 0.9, False), (["a.weight", "b.weight"], 0.1, False)]
)
def test_a_trunk_as_it_was_drawn_counts_where_progress_is_slow(fresh, share, fires):
    losses = 2.3 * np.linspace(1.0, 0.45, 40) ** 0.5
    facts = {"requires_no_gradient": ["a.weight", "b.weight"], "never_trained": fresh, "frozen_matrices": len(fresh), "frozen_share": share}
    assert (RULE.examine(synthetic_trace(losses, facts=facts)) is not None) is fires
    assert RULE.examine(synthetic_trace(falling(), facts=facts)) is None


@pytest.mark.parametrize(("others", "fires"), [(1e-3, True), (1e-6, True), (4e-9, False)], ids=["they move", "they crawl", "they round away too"])
def test_a_layer_that_never_moves_counts_where_the_others_move_by_more_than_rounding(others, fires):
    trace = synthetic_trace(stuck(), update_ratio=[others, 0.0, others, others], gradient_norm=[1.0] * 4)
    assert (RULE.examine(trace) is not None) is fires


def test_weights_that_half_precision_rounds_still_are_not_frozen():
    """Norm weights of 1 in bfloat16 stand where the matrices beside them move: that is the finding of lost updates."""
    trace = synthetic_trace(stuck(), update_ratio=[1e-3, 0.0, 1e-3, 1e-3], gradient_norm=[1.0] * 4)
    half = {"format": "bfloat16", "layers": ["layer1"], "weights": ["layer1"], "step": 1}
    assert RULE.examine(trace) is not None
    assert RULE.examine(trace.replaced(facts={**trace.facts, "half_precision": half})) is None


@pytest.mark.parametrize("losses", [stuck(), falling()], ids=["stuck", "falling"])
@pytest.mark.parametrize(("wiped", "of", "fires"), [(3, 3, True), (2, 3, False), (0, 3, False)])
def test_gradients_thrown_away_before_every_step_are_an_exact_fact(losses, wiped, of, fires):
    facts = {"wiped_gradients": {"wiped": wiped, "of": of}, "never_given_a_gradient": [], "never_given_share": 0.0}
    found = RULE.examine(synthetic_trace(losses, facts=facts))
    assert (found is not None) is fires
    if found is not None:
        assert "zero_grad" in found.sentence.en
        assert found.severity == "error"


@pytest.mark.parametrize(("is_bare", "share", "word"), [(True, 1.0, "without history"), (True, 0.5, "never get"), (False, 1.0, "never get")])
def test_a_loss_without_history_is_told_as_such(is_bare, share, word):
    facts = {"never_given_a_gradient": ["a.weight"], "never_given_share": share, "is_loss_bare": is_bare}
    assert word in fire(RULE, synthetic_trace(stuck(), facts=facts)).sentence.en


def test_what_is_frozen_throws_no_loss_up():
    facts = {"frozen": {"a": 1}, "requires_no_gradient": ["a"]}
    assert RULE.examine(synthetic_trace(stuck(), facts=facts)) is not None
    assert RULE.examine(synthetic_trace(rising(), facts=facts)) is None


SLOPE = {"operation": "round", "share": 1.0, "parameters": 4, "step": 1}


@pytest.mark.parametrize(
    ("share", "losses", "gradient", "fires"),
    [(1.0, falling(), 0.0, True), (1.0, None, 0.0, True), (1.0, stuck(), 0.1, False), (0.5, stuck(), 0.1, True), (0.5, falling(), 0.1, False)],
)
def test_an_operation_without_slope(share, losses, gradient, fires):
    trace = synthetic_trace(losses, facts={"without_slope": {**SLOPE, "share": share}}, total_gradient_norm=np.full(20, gradient))
    found = RULE.examine(trace)
    assert (found is not None) is fires
    assert found is None or ("round()" in found.sentence.en and "round()" in found.sentence.ja)
