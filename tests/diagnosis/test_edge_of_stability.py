import numpy as np
import pytest

from kazami.diagnosis.edge_of_stability import EdgeOfStability
from tests.diagnosis.synthetic import assert_both_languages, falling, fire, rising, synthetic_trace

RULE = EdgeOfStability()
N = 300


def trace_of(ratios, losses=None, **more):
    return synthetic_trace(falling(N) if losses is None else losses, stability_ratio=ratios, sharpness_limit=20.0, learning_rate=0.1, **more)


def test_hovering_at_the_limit_is_told_in_the_optimizers_unit():
    found = fire(RULE, trace_of(np.full(N, 0.99)))
    assert (found.severity, found.id) == ("info", "KZ207")
    assert "η·λmax = 1.98 of 2" in found.sentence.en
    shown = {item.name: item for item in found.evidence}
    assert shown["η·λmax"].value == pytest.approx(1.98)
    assert shown["η·λmax"].limit == pytest.approx(2.0)
    assert_both_languages(found.sentence.en, found.sentence.ja)


@pytest.mark.parametrize("ratios", [np.tile([0.5, 1.5], N // 2), np.tile([1.0, 1.04], N // 2), 1 + 0.05 * np.sin(np.arange(N) / 9)])
def test_two_cycles_and_slow_swings_around_the_limit_are_the_edge(ratios):
    assert fire(RULE, trace_of(ratios)).severity == "info"


@pytest.mark.parametrize("ratios", [np.full(N, 0.6), np.full(N, 1.3), np.full(N, 0.93), np.linspace(0.1, 1.05, N), np.linspace(2.0, 0.05, N)])
def test_below_above_short_of_it_and_passing_through_are_not(ratios):
    assert RULE.examine(trace_of(ratios)) is None


def test_a_training_that_diverges_hovers_nowhere():
    assert RULE.examine(trace_of(np.full(N, 1.0), losses=rising(N))) is None


def test_few_steps_and_few_pairs_are_not_enough():
    assert RULE.examine(synthetic_trace(falling(20), stability_ratio=1.0, sharpness_limit=20.0, learning_rate=0.1)) is None
    lonely = np.full(N, np.nan)
    lonely[::7] = 1.0
    assert RULE.examine(trace_of(lonely)) is None
    two = np.full(N, np.nan)
    two[[150, 151, 290, 291]] = 1.0
    assert RULE.examine(trace_of(two)) is None


def test_three_pairs_that_reach_far_are():
    three = np.full(N, np.nan)
    three[[140, 141, 200, 201, 290, 291]] = 1.0
    assert fire(RULE, trace_of(three)).step == 142


def test_without_the_limit_the_ratio_is_told():
    found = fire(RULE, synthetic_trace(falling(N), stability_ratio=np.full(N, 1.0)))
    assert "1 of its limit" in found.sentence.en
