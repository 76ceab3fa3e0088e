import numpy as np
import pytest

from kazami.diagnosis.exploding_gradient import LIMIT, ExplodingGradient, growth_to_input
from tests.diagnosis.synthetic import N_STEPS, falling, fire, rising, stuck, synthetic_trace, tower

RULE = ExplodingGradient()


def grows(decades, depth=5):
    """Gradients, first layer first, that are larger at the first layer than at the last."""
    return np.logspace(decades, 0.0, depth)


@pytest.mark.parametrize("depth", [3, 5, 12])
def test_growth_over_depth_fires_at_the_first_layer(depth):
    found = fire(RULE, synthetic_trace(stuck(), layers=tower(depth), output_gradient_rms=grows(4.0, depth)))
    assert found.place == "layer0"
    assert found.evidence[0].value == pytest.approx(4.0)
    assert (found.evidence[0].limit, found.evidence[0].unit) == (LIMIT, "decades")
    assert f"layer{depth - 1}" in found.sentence.en
    assert found.wind > 0


@pytest.mark.parametrize(("decades", "fires"), [(LIMIT + 0.01, True), (LIMIT - 0.01, False), (-6.0, False)])
def test_the_limit_over_depth(decades, fires):
    trace = synthetic_trace(stuck(), layers=tower(5), output_gradient_rms=grows(decades))
    assert (RULE.examine(trace) is not None) is fires


def test_two_layers_are_no_depth():
    assert RULE.examine(synthetic_trace(stuck(), layers=tower(2), output_gradient_rms=grows(6.0, 2))) is None


def test_growth_at_the_start_is_remembered():
    table = np.array([grows(5.0)] * 3 + [grows(0.0)] * (N_STEPS - 3))
    assert fire(RULE, synthetic_trace(stuck(), layers=tower(5), output_gradient_rms=table)).evidence[0].value == pytest.approx(5.0)


def test_growth_over_time_names_the_recurrent_layer():
    layers = tower(3, kind="recurrent", n_uses=50)
    found = fire(RULE, synthetic_trace(stuck(), layers=layers, time_growth=[0.5, 6.0, np.nan]))
    assert found.place == "layer1"
    assert found.evidence[0].value == 6.0
    assert "50 time steps" in found.sentence.en
    assert RULE.examine(synthetic_trace(stuck(), layers=layers, time_growth=[0.5, LIMIT, np.nan])) is None


def test_a_norm_that_grows_from_step_to_step_fires_when_the_loss_runs_away():
    norms = np.geomspace(1.0, 1e5, N_STEPS)
    found = fire(RULE, synthetic_trace(rising(), total_gradient_norm=norms))
    assert found.evidence[0].value == pytest.approx(np.log10(1e5 / np.median(norms[: N_STEPS // 4])))
    assert found.rank > RULE.rank
    assert RULE.examine(synthetic_trace(stuck(), total_gradient_norm=norms)) is None


BAD = {"place": "layer0.weight", "step": 9, "singular": {}}
POLE = {"operation": "sqrt", "place": "sqrt after layer0"}


@pytest.mark.parametrize(
    ("layers", "bad", "fires"),
    [
        (tower(2, kind="recurrent", n_uses=4), BAD, True),
        (tower(2, kind="recurrent", n_uses=3), BAD, False),
        (tower(2, n_uses=50), BAD, False),
        (tower(10), BAD, True),
        (tower(9), BAD, False),
        (tower(10), {**BAD, "singular": POLE}, False),  # an infinite derivative overflows without any depth
    ],
)
def test_a_gradient_that_overflows_through_many_factors(layers, bad, fires):
    found = RULE.examine(synthetic_trace(stuck(), layers=layers, facts={"bad_gradient": bad}))
    assert (found is not None) is fires
    if found is not None:
        assert (found.place, found.step, found.severity) == ("layer0", 9, "error")
        assert "step 9" in found.sentence.en


def test_silent_with_good_progress():
    layers = tower(5, kind="recurrent", n_uses=9)
    assert RULE.examine(synthetic_trace(falling(), layers=layers, output_gradient_rms=grows(9.0), time_growth=9.0 + np.zeros(5))) is None


def test_growth_to_input_is_the_decades_of_a_geometric_profile():
    assert growth_to_input(np.array([1e4, 1e2, 1.0])) == pytest.approx(4.0)
    assert growth_to_input(np.array([1e4, np.nan, 1e2, 1.0])) == pytest.approx(4.0)
    assert np.isnan(growth_to_input(np.array([1e4, np.nan, 1.0])))


@pytest.mark.parametrize(
    ("gain", "measured", "uses", "fires"), [(1.7, 1.5, 30, True), (1.1, 1.5, 30, False), (1.7, 0.5, 30, False), (1.7, 1.5, 5, False), (30.0, 1.5, 1, False)]
)
def test_recurrent_weights_tell_what_squashing_units_hide(gain, measured, uses, fires):
    layers = tower(2, kind="recurrent", n_uses=uses)
    found = RULE.examine(synthetic_trace(stuck(), layers=layers, gain=np.full(2, gain), time_growth=np.full(2, measured)))
    assert (found is not None) is fires
    if found is not None:
        assert found.evidence[0].value == pytest.approx(uses * np.log10(gain))
        assert "1.7" in found.sentence.en
