"""Deviation vectors beside the step, against forward-mode differentiation of the whole step in torch, and Gram–Schmidt in NumPy."""

import numpy as np
import pytest
import torch

from kazami.kernels import Descent, Layer, Network, compiled
from tests.kernels.reference import ACTIVATIONS, first_parameters, loss_of, task
from tests.kernels.test_kernel import mlp

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # torch's forward mode warns about itself
SETTINGS = {
    "sgd": {"learning_rate": 0.2, "momentum": 0.8, "dampening": 0.1, "weight_decay": 0.03},
    "adam": {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.9, "eps": 1e-3, "weight_decay": 0.1},
}


def stepped(network, descent, state, inputs, targets, time):
    """Return the state after one step, as a function that torch can differentiate; settings are `SETTINGS`."""
    n, s = network.n_parameters, SETTINGS[descent.rule]
    theta, slots = state[:n], state[n:].split(n) if len(state) > n else ()
    gradient = torch.func.grad(lambda p: loss_of(network, p, inputs, targets))(theta)
    rate = s["learning_rate"]
    if descent.weight_decay == "coupled":
        gradient = gradient + s["weight_decay"] * theta
    if descent.weight_decay == "decoupled":
        theta = theta * (1 - rate * s["weight_decay"])
    if descent.rule == "adam":
        first = s["beta_1"] * slots[0] + (1 - s["beta_1"]) * gradient
        second = s["beta_2"] * slots[1] + (1 - s["beta_2"]) * gradient**2
        scale = (second / (1 - s["beta_2"] ** (time + 1))).sqrt() + s["eps"]
        return torch.cat([theta - rate / (1 - s["beta_1"] ** (time + 1)) * first / scale, first, second])
    if not descent.momentum:
        return theta - rate * gradient
    buffer = s["momentum"] * slots[0] + (1 - (s["dampening"] if time else 0)) * gradient
    return torch.cat([theta - rate * (gradient + s["momentum"] * buffer if descent.nesterov else buffer), buffer])


def reference(network, descent, state, vectors, data, steps, every):
    """Return final state, vectors and logarithms of growth."""
    logs = []
    for time in range(steps):
        turned = [torch.func.jvp(lambda x, t=time: stepped(network, descent, x, *data, t), (state,), (vector,))[1] for vector in vectors]
        state, vectors = stepped(network, descent, state, *data, time), turned
        if (time + 1) % every == 0 or time + 1 == steps:
            q, r = np.linalg.qr(torch.stack(vectors).numpy().T)
            signs = np.sign(np.diag(r))
            logs.append(np.log(np.abs(np.diag(r))))
            vectors = list(torch.tensor((q * signs).T))
    return state.numpy(), torch.stack(vectors).numpy(), np.array(logs)


def assert_tangents_agree(network, descent, *, k=2, steps=7, every=3, n_samples=11):
    inputs, targets = task(network, n_samples)
    first = first_parameters(network, 2)
    kernel = compiled(network, descent, "float64", k)
    size = kernel.dimension
    vectors = np.linalg.qr(np.random.default_rng(3).normal(size=(2, size, k)))[0].transpose(0, 2, 1)
    settings = {name: value for name, value in SETTINGS[descent.rule].items() if name in descent.settings}
    run = kernel.run(first, inputs, targets, steps, settings=settings, deviation=vectors, orthonormalise_every=every)
    data = torch.tensor(inputs), torch.tensor(targets)
    for member in range(2):
        start = torch.cat([torch.tensor(first[member]), torch.zeros(size - network.n_parameters, dtype=torch.float64)])
        state, turned, logs = reference(network, descent, start, list(torch.tensor(vectors[member])), data, steps, every)
        np.testing.assert_allclose(run.parameters[member], state[: network.n_parameters], rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(run.log_growth[:, member], logs, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(run.deviation[member], turned, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation):
    assert_tangents_agree(mlp(3, 4, 2, activation=activation), Descent(), k=1, steps=4)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_in_the_middle_under_every_loss(activation, loss):
    assert_tangents_agree(mlp(3, 4, 3, 2, activation=activation, loss=loss), Descent())


@pytest.mark.parametrize(
    "descent",
    [
        Descent(momentum=True, weight_decay="coupled"),
        Descent(momentum=True, nesterov=True, weight_decay="decoupled"),
        Descent("adam", weight_decay="coupled"),
        Descent("adam", weight_decay="decoupled"),
    ],
    ids=str,
)
def test_every_rule_with_its_memory(descent):
    assert_tangents_agree(mlp(3, 4, 2, loss="cross_entropy"), descent, k=3)


def test_scales_gains_and_a_bent_output():
    layers = (Layer(3, 5, activation="gelu", gain=1.3, scale=0.6), Layer(5, 4, bias=False, activation="tanh", gain=1.4, scale=0.5))
    assert_tangents_agree(Network((*layers, Layer(4, 2, activation="sigmoid", gain=0.7))), Descent())
    assert_tangents_agree(Network((*layers, Layer(4, 2, activation="silu"))), Descent(), k=1)


def test_wide_layers_and_long_batches():
    assert_tangents_agree(mlp(5, 37, 3, loss="cross_entropy"), Descent(), n_samples=53, steps=3)
