"""One neuron: number · number, vector · vector; fires or not; spikes over time as the closed form says."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets.blocks.neuron import Neuron, ThresholdNeuron


def test_one_input_is_number_times_number():
    neuron = Neuron(1, activation=torch.tanh, weights=[2.0], bias=-1.0)
    assert neuron(3.0).item() == pytest.approx(math.tanh(2 * 3 - 1), rel=1e-6)
    assert neuron(3.0).shape == ()
    assert neuron(torch.tensor([1.0, 2.0, 3.0])).shape == (3,)  # three inputs, one after the other


def test_many_inputs_are_vector_times_vector():
    x, w = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.25, -0.75])
    neuron = Neuron(3, activation=nn.Sigmoid, weights=w.tolist(), bias=0.1).double()
    assert neuron(torch.tensor(x)).item() == pytest.approx(1 / (1 + math.exp(-(x @ w + 0.1))), abs=1e-7)
    assert neuron(torch.tensor(np.stack([x, 2 * x]))).shape == (2,)


def test_it_learns_as_any_module():
    neuron = Neuron(2, activation=lambda x: x, weights=[0.0, 0.0])
    neuron(torch.tensor([3.0, 4.0])).backward()
    assert neuron.weight.grad.tolist() == [3.0, 4.0]
    assert neuron.bias.grad.item() == 1.0


def test_the_seed_alone_decides_and_torch_stays_where_it_was():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second = Neuron(4, activation=torch.tanh, seed=1), Neuron(4, activation=torch.tanh, seed=1)
    assert torch.equal(first.weight, second.weight)
    assert not torch.equal(first.weight, Neuron(4, activation=torch.tanh, seed=2).weight)
    assert torch.equal(torch.get_rng_state(), before)


def test_wrong_numbers_of_inputs_are_refused_in_words():
    with pytest.raises(UsageError, match="3 inputs should have 3 weights, and is given 2"):
        Neuron(3, activation=torch.tanh, weights=[1.0, 2.0])
    with pytest.raises(UsageError, match="3 inputs should be given 3 numbers"):
        Neuron(3, activation=torch.tanh)(torch.ones(2, 4))
    with pytest.raises(UsageError, match="1 input or more"):
        Neuron(0, activation=torch.tanh)
    with pytest.raises(UsageError, match="share of the potential"):
        ThresholdNeuron(2, leak=1.5)


@pytest.mark.parametrize(("weights", "threshold", "truth"), [([1.0, 1.0], 2.0, "and"), ([1.0, 1.0], 1.0, "or"), ([-1.0, -1.0], -0.5, "nor")])
def test_threshold_neurons_are_logic_gates(weights, threshold, truth):
    inputs = [[a, b] for a in (0.0, 1.0) for b in (0.0, 1.0)]
    expected = {"and": lambda a, b: a and b, "or": lambda a, b: a or b, "nor": lambda a, b: not (a or b)}[truth]
    assert ThresholdNeuron(weights, threshold=threshold)(inputs).tolist() == [bool(expected(*pair)) for pair in inputs]


@pytest.mark.parametrize(("leak", "current", "threshold"), [(0.9, 0.3, 1.0), (0.5, 0.6, 1.0), (0.95, 0.08, 1.0), (0.0, 1.0, 1.0)])
def test_the_time_between_spikes_is_the_closed_form(leak, current, threshold):
    # v after k steps is I (1 - λ^k) / (1 - λ); the first k at which it reaches θ is the period.
    period = next(k for k in range(1, 1000) if current * (1 - leak**k) / (1 - leak) >= threshold)
    fired = ThresholdNeuron([1.0], threshold=threshold, leak=leak).double().over_time(torch.full((5 * period, 1), current, dtype=torch.float64)).fired
    assert np.flatnonzero(fired.numpy()).tolist() == [period * n - 1 for n in range(1, 6)]


def test_below_the_rheobase_it_never_fires():
    spikes = ThresholdNeuron([1.0], threshold=1.0, leak=0.9).over_time(torch.full((200, 1), 0.099))
    assert spikes.rate == 0
    assert spikes.potential[-1].item() == pytest.approx(0.99, rel=1e-4)
