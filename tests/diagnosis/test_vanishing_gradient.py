import numpy as np
import pytest

from kazami.diagnosis._steps import TORN
from kazami.diagnosis.vanishing_gradient import LATER, LIMIT, VanishingGradient, growth_to_input
from tests.diagnosis.synthetic import N_STEPS, assert_both_languages, falling, fire, rising, stuck, synthetic_trace, tower

RULE = VanishingGradient()


def fades(decades, depth=5):
    """Gradients, first layer first, that are smaller at the first layer than at the last."""
    return np.logspace(-decades, 0.0, depth)


@pytest.mark.parametrize("depth", [3, 5, 12])
def test_a_fade_over_depth_fires_at_the_first_layer(depth):
    found = fire(RULE, synthetic_trace(stuck(), layers=tower(depth), output_gradient_rms=fades(6.0, depth)))
    assert found.place == "layer0"
    assert found.evidence[0].value == pytest.approx(6.0)
    assert (found.evidence[0].limit, found.evidence[0].unit) == (LIMIT, "decades")
    assert f"layer{depth - 1}" in found.sentence.en
    assert "6 桁" in found.sentence.ja
    assert found.wind < 0


@pytest.mark.parametrize(("decades", "fires"), [(LIMIT + 0.01, True), (LIMIT - 0.01, False), (-9.0, False)])
def test_the_limit_over_depth(decades, fires):
    trace = synthetic_trace(stuck(), layers=tower(5), output_gradient_rms=fades(decades))
    assert (RULE.examine(trace) is not None) is fires


def test_one_dead_layer_among_others_does_not_tilt_the_robust_slope():
    profile = np.ones(9)
    profile[4] = 1e-30
    assert RULE.examine(synthetic_trace(stuck(), layers=tower(9), output_gradient_rms=profile)) is None


def test_two_layers_are_no_depth():
    assert RULE.examine(synthetic_trace(stuck(), layers=tower(2), output_gradient_rms=fades(9.0, 2))) is None


def test_a_fade_that_came_later_ranks_behind_its_cause():
    table = np.array([fades(0.0)] * 10 + [fades(6.0)] * (N_STEPS - 10))
    later = fire(RULE, synthetic_trace(stuck(), layers=tower(5), output_gradient_rms=table))
    born = fire(RULE, synthetic_trace(stuck(), layers=tower(5), output_gradient_rms=fades(6.0)))
    assert born.rank == RULE.rank < later.rank


def test_what_faded_at_the_start_is_gone_with_the_weights_that_the_first_steps_tore_up():
    table = np.array([fades(6.0)] + [fades(0.0)] * (N_STEPS - 1))
    whole, torn = (synthetic_trace(stuck(), layers=tower(5), output_gradient_rms=table, update_ratio=np.full(5, size)) for size in (0.9 * TORN, 1.1 * TORN))
    assert fire(RULE, whole).rank == RULE.rank
    assert RULE.examine(torn) is None


def test_a_fade_over_time_names_the_recurrent_layer():
    layers = tower(2, kind="recurrent", n_uses=60)
    found = fire(RULE, synthetic_trace(stuck(), layers=layers, time_growth=[-8.0, np.nan]))
    assert found.place == "layer0"
    assert found.evidence[0].value == 8.0
    assert "60 time steps" in found.sentence.en
    assert RULE.examine(synthetic_trace(stuck(), layers=layers, time_growth=[-LIMIT, np.nan])) is None


@pytest.mark.parametrize("losses", [None, falling(), rising()], ids=["no losses", "falling", "rising"])
def test_silent_unless_stuck(losses):
    layers = tower(5, kind="recurrent", n_uses=9)
    assert RULE.examine(synthetic_trace(losses, layers=layers, output_gradient_rms=fades(9.0), time_growth=-9.0 + np.zeros(5))) is None


def test_is_excluded_with_the_change_over_depth():
    sentence = RULE.exonerate(synthetic_trace(stuck(), layers=tower(5), output_gradient_rms=fades(0.5)))
    assert sentence is not None
    assert_both_languages(sentence.en, sentence.ja)
    assert "0.5 decades" in sentence.en
    assert RULE.exonerate(synthetic_trace(stuck(), layers=tower(5), output_gradient_rms=fades(2.5))) is None
    assert RULE.exonerate(synthetic_trace(stuck(), layers=tower(2), output_gradient_rms=[1.0, 1.0])) is None


def test_growth_to_input_is_the_decades_of_a_geometric_profile():
    assert growth_to_input(np.array([1e-4, 1e-2, 1.0])) == pytest.approx(-4.0)
    assert growth_to_input(np.array([0.0, 1e-4, 1e-2, 1.0])) == pytest.approx(-4.0)  # exactly zero is cut off, not faded
    assert np.isnan(growth_to_input(np.array([1.0, np.nan, 1.0])))


def test_a_signal_that_was_lost_later_ranks_behind_what_lost_it():
    born = synthetic_trace(stuck(), input_spread=[1.0, 1e-2, 1e-5, 1e-7])
    lost = np.tile([1.0, 1e-2, 1e-5, 1e-7], (N_STEPS, 1))
    lost[:5] = 1.0
    assert fire(RULE, synthetic_trace(stuck(), input_spread=lost)).rank == LATER > fire(RULE, born).rank == RULE.rank
