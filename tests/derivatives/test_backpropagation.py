"""The readable backpropagation equals torch's autograd and numerical differentiation."""

import itertools
import json

import numpy as np
import pytest

from kazami.derivatives import backprop
from kazami.derivatives.backprop_of_model import autograd_gradients, central_gradients
from kazami.derivatives.backpropagation import ACTIVATIONS, LOSSES
from kazami.errors import UnknownName, UsageError


def network(sizes, activation, loss, seed=0, examples=4):
    draw = np.random.default_rng(seed)
    weights = [draw.normal(size=pair) for pair in itertools.pairwise(sizes)]
    biases = [draw.normal(size=size) for size in sizes[1:]]
    Y = draw.integers(sizes[-1], size=examples) if loss == "cross_entropy" else draw.normal(size=(examples, sizes[-1]))
    return weights, biases, [*[activation] * (len(weights) - 1), "identity"], draw.normal(size=(examples, sizes[0])), Y, loss


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_equal_autograd_and_differences(activation, loss):
    arguments = network((3, 5, 4, 2), activation, loss)
    found = backprop(*arguments)
    own = [*found.weight_gradients, *found.bias_gradients]
    for mine, theirs in zip(own, autograd_gradients(*arguments), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12)
    for mine, theirs in zip(own, central_gradients(*arguments), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-7)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_derivatives_are_those_of_the_activations(activation):
    value, slope, _, _ = ACTIVATIONS[activation]
    z = np.linspace(-4, 4, 41) + 0.013  # off the kinks
    np.testing.assert_allclose(slope(z), (value(z + 1e-6) - value(z - 1e-6)) / 2e-6, atol=1e-8)
    assert np.all(np.isfinite([value(np.array([-800.0, 800.0])), slope(np.array([-800.0, 800.0]))]))


def test_deltas_are_the_derivatives_by_the_sums():
    weights, biases, activations, X, Y, loss = network((3, 5, 2), "tanh", "mse")
    found = backprop(weights, biases, activations, X, Y, loss)
    np.testing.assert_allclose(found.bias_gradients[0], found.deltas[0].sum(axis=0))
    shifted = np.zeros_like(X)
    shifted[1, 2] = 1e-6
    ahead, behind = (backprop(weights, biases, activations, X + sign * shifted, Y, loss).loss for sign in (1, -1))
    assert found.input_gradient[1, 2] == pytest.approx((ahead - behind) / 2e-6, abs=1e-8)


def test_steps_run_forward_then_backward_and_hold_the_numbers():
    found = backprop(*network((3, 4, 2), "tanh", "cross_entropy"))
    steps = found.steps()
    assert [step.name for step in steps] == ["A_0", "Z_1", "A_1", "Z_2", "A_2", "C", "delta_2", "dW_2", "db_2", "delta_1", "dW_1", "db_1"]
    assert [step.phase for step in steps] == ["forward"] * 6 + ["backward"] * 6
    assert all(step.shapes[-1] == step.value.shape for step in steps)
    by_name = {step.name: step for step in steps}
    np.testing.assert_array_equal(by_name["dW_1"].value, found.weight_gradients[0])
    assert by_name["C"].value == found.loss
    assert json.loads(json.dumps(found.to_dict()))["steps"][6]["name"] == "delta_2"


def test_the_formulas_are_latex_that_can_be_drawn():
    from matplotlib.mathtext import MathTextParser

    parser = MathTextParser("path")
    for loss, activation in itertools.product(LOSSES, ACTIVATIONS):
        for step in backprop(*network((2, 2, 2), activation, loss)).steps():
            drawable = step.formula.replace(r"\textstyle", "").replace(r"\tfrac", r"\frac").replace(r"\text{", r"\mathrm{").replace(r"\top", "T")
            assert parser.parse(f"${drawable}$")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({0: [np.ones((2, 5))]}, "as many"),
        ({0: [np.ones((2, 5)), np.ones((4, 2))]}, "Layer 1"),
        ({3: np.ones(3)}, "examples, n_in"),
        ({4: np.ones((4, 3))}, "Y should"),
        ({4: np.array([0, 1, 2, 9]), 5: "cross_entropy"}, "class numbers"),
    ],
)
def test_what_does_not_fit_is_said(change, words):
    arguments = list(network((3, 4, 2), "tanh", "mse"))
    for place, value in change.items():
        arguments[place] = value
    with pytest.raises(UsageError, match=words):
        backprop(*arguments)


def test_unknown_names_get_the_closest_one():
    weights, biases, _, X, Y, _ = network((3, 4, 2), "tanh", "mse")
    with pytest.raises(UnknownName, match='"tanh"'):
        backprop(weights, biases, ["tahn", "identity"], X, Y)
    with pytest.raises(UnknownName, match='"mse"'):
        backprop(weights, biases, ["tanh", "identity"], X, Y, "msse")
