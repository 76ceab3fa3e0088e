"""The same training in plain PyTorch, one member after another: what kernels must agree with."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from kazami.kernels import Descent, Network

ACTIVATIONS = {
    "identity": lambda z: z,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, 0.2),
    "gelu": F.gelu,
    "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
    "silu": F.silu,
    "softplus": F.softplus,
}
DESCENTS = {
    "sgd": (Descent(), lambda p: torch.optim.SGD(p, 0.1), {"learning_rate": 0.1}),
    "decay": (Descent(weight_decay="coupled"), lambda p: torch.optim.SGD(p, 0.1, weight_decay=0.02), {"learning_rate": 0.1, "weight_decay": 0.02}),
    "momentum": (
        Descent(momentum=True, weight_decay="coupled"),
        lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, dampening=0.2, weight_decay=0.01),
        {"learning_rate": 0.05, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.01},
    ),
    "nesterov": (
        Descent(momentum=True, nesterov=True),
        lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, nesterov=True),
        {"learning_rate": 0.05, "momentum": 0.9},
    ),
    "adam": (Descent("adam"), lambda p: torch.optim.Adam(p, 0.02, betas=(0.8, 0.97)), {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.97}),
    "adamw": (
        Descent("adam", weight_decay="decoupled"),
        lambda p: torch.optim.AdamW(p, 0.02, weight_decay=0.1),
        {"learning_rate": 0.02, "weight_decay": 0.1},
    ),
}


def loss_of(network: Network, parameters: torch.Tensor, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the loss of one member, written out by torch's own functions; ``parameters`` is flat."""
    h = inputs
    for layer, (weights, biases) in zip(network.layers, network.first_rows, strict=True):
        matrix = parameters[weights : weights + layer.n_weights].reshape(layer.n_outputs, layer.n_inputs)
        z = layer.scale * (h @ matrix.T)
        if layer.bias:
            z = z + parameters[biases : biases + layer.n_outputs]
        h = ACTIVATIONS[layer.activation](layer.gain * z)
    return F.cross_entropy(h, targets) if network.loss == "cross_entropy" else (h - targets).pow(2).mean()  # F.mse_loss has no forward mode


def trained(network, make_optimizer, first, batch_at, steps):
    """Return losses and final parameters of one member; ``batch_at(step)`` gives inputs and targets."""
    parameters = nn.Parameter(torch.tensor(first))
    optimizer, losses = make_optimizer([parameters]), []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_of(network, parameters, *batch_at(step))
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return np.array(losses), parameters.detach().numpy()


def task(network: Network, n_samples: int = 21, seed: int = 0):
    """Return inputs and targets in float64."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n_samples, network.n_inputs))
    if network.loss == "cross_entropy":
        return inputs, rng.integers(0, network.n_outputs, n_samples)
    return inputs, rng.normal(size=(n_samples, network.n_outputs))


def first_parameters(network: Network, n_members: int, size: float = 0.5, seed: int = 1):
    """Return fresh parameters of all members."""
    return np.random.default_rng(seed).normal(size=(n_members, network.n_parameters)) * size
