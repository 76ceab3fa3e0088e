"""Kernels against the same training in plain PyTorch."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from kazami.kernels import Layer, Network, compiled
from tests.kernels.reference import ACTIVATIONS, DESCENTS, first_parameters, task, trained

pytest.importorskip("llvmlite")


def mlp(*widths, activation="tanh", loss="mse", **more):
    """Return layers of these widths, the last one linear."""
    last = len(widths) - 2
    layers = [Layer(a, b, activation="identity" if i == last else activation, slope=0.2, **more) for i, (a, b) in enumerate(pairwise(widths))]
    return Network(tuple(layers), loss=loss)


def assert_agrees(network, name, *, steps=50, n_members=3, rtol=1e-9, dtype="float64", n_samples=21, size=0.5):
    descent, optimizer, settings = DESCENTS[name]
    inputs, targets = task(network, n_samples)
    first = first_parameters(network, n_members, size).astype(dtype).astype(np.float64)
    run = compiled(network, descent, dtype).run(first, inputs, targets, steps, settings=settings)
    pair = torch.tensor(inputs), torch.tensor(targets)
    for member in range(n_members):
        losses, parameters = trained(network, optimizer, first[member], lambda step: pair, steps)
        np.testing.assert_allclose(run.losses[:, member], losses, rtol=rtol, atol=rtol)
        np.testing.assert_allclose(run.parameters[member], parameters, rtol=rtol, atol=rtol)
    assert (run.first_bad_step == -1).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation):
    assert_agrees(mlp(3, 5, 2, activation=activation, loss="cross_entropy"), "sgd", n_members=2)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("name", DESCENTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_under_every_loss_and_rule(activation, name, loss):
    assert_agrees(mlp(3, 5, 4, 2, activation=activation, loss=loss), name)


@pytest.mark.parametrize("name", DESCENTS)
def test_every_rule(name):
    assert_agrees(mlp(4, 6, 3, loss="cross_entropy"), name)


@pytest.mark.parametrize(
    "network",
    [
        mlp(2, 3),
        mlp(1, 1, bias=False),
        mlp(7, 33, 1, activation="sigmoid"),
        mlp(5, 17, 23, 11, 3, activation="relu", loss="cross_entropy"),
        mlp(3, *[4] * 8, 2, activation="softplus"),
        Network((Layer(4, 6, activation="gelu"), Layer(6, 5, bias=False, activation="leaky_relu", slope=0.2), Layer(5, 2, activation="sigmoid"))),
        Network((Layer(6, 6, bias=False, activation="tanh", gain=2**0.5, scale=6**-0.5), Layer(6, 1, bias=False, scale=1 / 6))),
        Network((Layer(3, 4, activation="silu", gain=1.3, scale=0.7), Layer(4, 2, gain=0.5)), loss="cross_entropy"),
    ],
    ids=lambda network: "-".join(str(layer.n_outputs) for layer in network.layers),
)
def test_any_shape(network):
    assert_agrees(network, "momentum", n_samples=19)
