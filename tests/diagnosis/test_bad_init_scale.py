import numpy as np
import pytest

from kazami.diagnosis.bad_init_scale import IDEAL, LARGE, SMALL, BadInitScale, growth
from tests.diagnosis.synthetic import assert_both_languages, falling, fire, stuck, synthetic_trace, tower

RULE = BadInitScale()
SQUASHED = [0.9, 0.9, 0.9, np.nan]
FADES = [1.0, 0.05, 3e-3, 1e-4]  # spread between samples at each layer's input: four decades down


def gains(relative, activation="sigmoid"):
    return [relative * IDEAL.get(activation, 1.0)] * 3 + [1.0]


def test_large_weights_that_squash_the_signal_fire():
    found = fire(RULE, synthetic_trace(stuck(), gain=gains(8.0), saturated_share=SQUASHED))
    assert found.evidence[0].value == pytest.approx(8.0)
    assert found.evidence[0].limit == LARGE
    assert found.wind > 0
    assert "too large" in found.sentence.en
    assert "大きすぎ" in found.sentence.ja


def test_small_weights_that_let_the_signal_fade_fire():
    found = fire(RULE, synthetic_trace(stuck(), gain=gains(0.05), input_spread=FADES))
    assert found.evidence[0].value == pytest.approx(0.05)
    assert found.evidence[0].limit == SMALL
    assert found.wind < 0
    assert "too small" in found.sentence.en
    assert "小さすぎ" in found.sentence.ja


def test_a_first_loss_far_above_guessing_shows_too():
    assert fire(RULE, synthetic_trace(stuck(level=7.0), gain=gains(8.0))).severity == "warning"


def test_the_layer_furthest_off_is_named():
    trace = synthetic_trace(stuck(), gain=[8.0, 40.0, 8.0, 1.0], saturated_share=SQUASHED)
    assert fire(RULE, trace).place == "layer1"


@pytest.mark.parametrize("activation", IDEAL)
def test_each_activation_has_its_own_ideal(activation):
    layers = tower(activation=activation)
    just_right = synthetic_trace(stuck(), layers=layers, gain=gains(0.95 * LARGE, activation), saturated_share=SQUASHED)
    too_large = synthetic_trace(stuck(), layers=layers, gain=gains(1.05 * LARGE, activation), saturated_share=SQUASHED)
    assert RULE.examine(just_right) is None
    assert fire(RULE, too_large).evidence[0].value == pytest.approx(1.05 * LARGE)


@pytest.mark.parametrize(("relative", "fires"), [(0.95 * SMALL, True), (1.05 * SMALL, False)])
def test_the_lower_limit(relative, fires):
    assert (RULE.examine(synthetic_trace(stuck(), gain=gains(relative), input_spread=FADES)) is not None) is fires


@pytest.mark.parametrize("relative", [8.0, 0.05])
def test_silent_while_it_does_not_show(relative):
    assert RULE.examine(synthetic_trace(stuck(), gain=gains(relative), input_spread=1.0 + np.zeros(4), output_spread=1.0)) is None


@pytest.mark.parametrize(
    ("layers", "spread", "fires"),
    [
        (tower(4), 0.9e-3, True),
        (tower(4), 1.1e-3, False),
        (tower(2), 0.9e-3, False),  # one hidden layer: small on purpose
        ((*tower(4), *tower(2, kind="norm")[:1]), 0.9e-3, False),  # whatever is lost is scaled up again
    ],
)
def test_outputs_that_hardly_differ_between_samples_show_small_weights(layers, spread, fires):
    trace = synthetic_trace(stuck(), layers=layers, gain=[0.05] * len(layers), output_spread=spread)
    assert (RULE.examine(trace) is not None) is fires


def test_silent_with_good_progress():
    assert RULE.examine(synthetic_trace(falling(), gain=gains(8.0), saturated_share=SQUASHED)) is None


def test_only_the_first_recorded_step_counts():
    later = np.array([gains(1.0)] + [gains(8.0)] * 39)
    assert RULE.examine(synthetic_trace(stuck(), gain=later, saturated_share=SQUASHED)) is None


def test_is_excluded_with_the_gain_of_the_hidden_layers():
    sentence = RULE.exonerate(synthetic_trace(stuck(), gain=gains(1.25)))
    assert sentence is not None
    assert_both_languages(sentence.en, sentence.ja)
    assert "1.25" in sentence.en
    assert RULE.exonerate(synthetic_trace(stuck(), gain=gains(8.0))) is None
    assert RULE.exonerate(synthetic_trace(stuck())) is None


def test_growth_is_in_decades_from_the_first_layer_to_the_last():
    assert growth(synthetic_trace(input_spread=[2.0, 7.0, 7.0, 0.02])) == pytest.approx(-2.0)
    assert growth(synthetic_trace(input_spread=[0.0, np.nan, 1.0, 1000.0])) == pytest.approx(3.0)
    assert growth(synthetic_trace()) == 0.0
