import numpy as np
import pytest

from kazami.diagnosis.dead_units import ALL, LIMIT, DeadUnits
from tests.diagnosis.synthetic import N_STEPS, assert_both_languages, falling, fire, stuck, synthetic_trace, tower

RULE = DeadUnits()
RELU = tower(activation="relu")


def shares(*of_layers):
    return [*of_layers, np.nan]


def died(at, share):
    """All layers alive until step ``at``, from which on the second has ``share`` dead units."""
    return np.array([shares(0.1, share if step >= at else 0.0, 0.1) for step in range(1, N_STEPS + 1)])


def test_a_layer_born_dead_is_a_cause():
    found = fire(RULE, synthetic_trace(stuck(), layers=RELU, dead_share=shares(0.1, 1.0, 0.2)))
    assert (found.place, found.step, found.severity) == ("layer1", 1, "error")
    assert found.evidence[0].value == 1.0
    assert found.evidence[0].limit == LIMIT
    assert "from the start" in found.sentence.en
    assert "最初から" in found.sentence.ja
    assert found.rank < RULE.rank


def test_a_layer_that_died_is_a_mark_of_something_else():
    found = fire(RULE, synthetic_trace(stuck(), layers=RELU, dead_share=died(17, 1.0)))
    assert (found.place, found.step) == ("layer1", 17)
    assert "from the start" not in found.sentence.en
    assert found.rank > RULE.rank


@pytest.mark.parametrize(("share", "severity"), [(ALL + 0.01, "error"), (ALL - 0.01, "warning")])
def test_a_layer_with_a_few_units_left_is_a_warning(share, severity):
    found = fire(RULE, synthetic_trace(stuck(), layers=RELU, dead_share=shares(0.1, share, 0.1)))
    assert found.severity == severity
    assert found.evidence[0].value == share


def test_a_layer_born_half_dead_is_no_cause_of_its_own():
    assert fire(RULE, synthetic_trace(stuck(), layers=RELU, dead_share=shares(0.1, ALL - 0.01, 0.1))).rank == RULE.rank


def test_the_limit():
    assert fire(RULE, synthetic_trace(stuck(), layers=RELU, dead_share=shares(0.0, LIMIT + 0.01, 0.0))).place == "layer1"
    assert RULE.examine(synthetic_trace(stuck(), layers=RELU, dead_share=shares(LIMIT, LIMIT, LIMIT))) is None


def test_of_equally_dead_layers_the_first_is_named():
    assert fire(RULE, synthetic_trace(stuck(), layers=RELU, dead_share=shares(0.6, 1.0, 1.0))).place == "layer1"


def test_sparse_layers_in_a_training_that_goes_well_are_no_fault():
    assert RULE.examine(synthetic_trace(falling(), layers=RELU, dead_share=shares(1.0, 1.0, 1.0))) is None


def test_is_excluded_with_the_largest_share():
    sentence = RULE.exonerate(synthetic_trace(stuck(), layers=RELU, dead_share=shares(0.03, 0.12, 0.0)))
    assert sentence is not None
    assert_both_languages(sentence.en, sentence.ja)
    assert "12%" in sentence.en
    assert RULE.exonerate(synthetic_trace(stuck(), layers=RELU, dead_share=shares(0.4, 0.0, 0.0))) is None
    assert RULE.exonerate(synthetic_trace(stuck(), layers=RELU)) is None


@pytest.mark.parametrize(("variation", "share", "fires"), [(1e-7, 1.0, True), (0.5, 1.0, False), (1e-7, 0.6, False)])
def test_a_dead_layer_counts_while_the_loss_only_comes_down_to_guessing(variation, share, fires):
    """The output's bias alone learns: the loss falls, from far above, and cannot fall below the best constant."""
    losses = np.linspace(5.0, 3.2, N_STEPS)
    trace = synthetic_trace(losses, layers=RELU, dead_share=shares(share, share, share), output_variation=variation)
    assert not trace.progress_is_poor
    assert (RULE.examine(trace) is not None) is fires


def test_a_dead_branch_of_a_training_that_learns_is_no_fault():
    assert RULE.examine(synthetic_trace(falling(), layers=RELU, dead_share=shares(0.1, 1.0, 0.2), output_variation=1e-7)) is None
