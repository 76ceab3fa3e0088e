import numpy as np
import pytest

from kazami.diagnosis.saturated import LIMIT, Saturated
from tests.diagnosis.synthetic import N_STEPS, assert_both_languages, falling, fire, stuck, synthetic_trace

RULE = Saturated()


def slopes(*of_layers):
    return [*of_layers, np.nan]


def test_a_layer_born_flat_fires():
    found = fire(RULE, synthetic_trace(stuck(), slope_share=slopes(0.6, 0.02, 0.03)))
    assert found.place == "layer1"  # the first that is flat, not the flattest
    assert (found.evidence[0].value, found.evidence[0].limit) == (0.02, LIMIT)
    assert found.evidence[1].value == 2.0
    assert "(sigmoid)" in found.sentence.en
    assert "from the start" in found.sentence.en
    assert "最初から" in found.sentence.ja
    assert found.rank == RULE.rank


def test_a_layer_that_became_flat_ranks_behind_its_cause():
    table = np.array([slopes(0.6, 0.6, 0.6)] * 10 + [slopes(0.6, 0.02, 0.6)] * (N_STEPS - 10))
    found = fire(RULE, synthetic_trace(stuck(), slope_share=table))
    assert "from the start" not in found.sentence.en
    assert found.rank > RULE.rank


def test_the_limit():
    assert fire(RULE, synthetic_trace(stuck(), slope_share=slopes(0.5, LIMIT - 0.001, 0.5))).place == "layer1"
    assert RULE.examine(synthetic_trace(stuck(), slope_share=slopes(0.5, LIMIT, 0.5))) is None


def test_a_confident_network_saturates_in_good_health():
    assert RULE.examine(synthetic_trace(falling(), slope_share=slopes(0.01, 0.01, 0.01))) is None


def test_the_output_may_saturate():
    assert RULE.examine(synthetic_trace(stuck(), slope_share=[0.5, 0.5, 0.5, 0.01])) is None


def test_is_excluded_with_the_slope_that_is_left():
    sentence = RULE.exonerate(synthetic_trace(stuck(), slope_share=slopes(0.5, 0.4, 0.9)))
    assert sentence is not None
    assert_both_languages(sentence.en, sentence.ja)
    assert "0.4" in sentence.en
    assert RULE.exonerate(synthetic_trace(stuck(), slope_share=slopes(0.5, 2 * LIMIT, 0.9))) is None
    assert RULE.exonerate(synthetic_trace(stuck())) is None


@pytest.mark.parametrize(("slope", "fires"), [(0.005, True), (0.05, False)])
def test_a_layer_that_was_shut_from_the_start_needs_less_of_a_standstill(slope, fires):
    losses = np.append(np.linspace(2.3, 0.5, 10), np.full(30, 0.5))
    trace = synthetic_trace(losses, slope_share=slopes(slope, slope, slope))
    assert 0.5 < trace.progress.explained < 0.9
    assert (RULE.examine(trace) is not None) is fires
