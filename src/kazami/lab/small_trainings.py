"""The small trainings of the dynamics experiments: full batch, float64, deterministic, with every factor that is not the learning rate open to change."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..maps import Training
from ..nets import mlp

Optimizer = Callable[[nn.Module], torch.optim.Optimizer]
N_TRAIN = 120  # of Iris' 150


@dataclass(frozen=True, slots=True)
class Factors:
    """What an experiment lets be changed besides its learning rates; a change leaves the published setup, and its expectations with it.

    Attributes:
        hidden: Sizes of the hidden layers, for example ``"16-16"``.
        activation: Name of the hidden layers' activation.
        initialisation: As in :func:`kazami.nets.mlp`.
        loss: ``"cross_entropy"`` or ``"mse"`` (half the squared distance to the one-hot class, mean over the samples).
        weight_decay: Of the optimizer.
    """

    hidden: str
    activation: str
    initialisation: str
    loss: str
    weight_decay: float = 0.0

    def network(self, n_in: int, n_out: int) -> nn.Module:
        """Return a new network in float64, drawn from torch's global generator."""
        sizes = [n_in, *(int(size) for size in self.hidden.split("-") if size), n_out]
        model: nn.Module = mlp(sizes, activation=self.activation, initialisation=self.initialisation).double()
        return model

    def loss_of(self, n_classes: int) -> Callable[[Tensor, Tensor], Tensor]:
        """Return the loss of logits and classes.

        Raises:
            UsageError: There is no such loss.
        """
        if self.loss == "cross_entropy":
            return nn.functional.cross_entropy
        if self.loss == "mse":
            return lambda output, target: 0.5 * (output - nn.functional.one_hot(target, n_classes).to(output)).square().sum(dim=1).mean()
        raise UsageError(f"loss should be cross_entropy or mse, but it is {self.loss!r}.")


@dataclass(frozen=True, slots=True)
class Samples:
    """Inputs and classes, float64 and int64."""

    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor


def raw_iris(*, standardised: bool = False) -> Samples:
    """Return Iris, raw or standardised, in the order ``numpy.random.default_rng(0).permutation(150)``: 120 samples to train on, 30 to test."""
    from sklearn.datasets import load_iris

    bunch: Any = load_iris()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    x = torch.tensor(bunch.data[order], dtype=torch.float64)
    y = torch.tensor(bunch.target[order], dtype=torch.int64)
    if standardised:
        x = (x - x[:N_TRAIN].mean(0)) / x[:N_TRAIN].std(0)
    return Samples(x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:])


def small_digits(n_train: int = 200, n_test: int = 500) -> Samples:
    """Return scikit-learn's digits divided by 16, in an order of a fixed seed."""
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    x = torch.tensor(bunch.data[order] / 16.0, dtype=torch.float64)
    y = torch.tensor(bunch.target[order], dtype=torch.int64)
    return Samples(x[:n_train], y[:n_train], x[n_train : n_train + n_test], y[n_train : n_train + n_test])


def full_batch(samples: Samples, factors: Factors, optimizer: Optimizer, *, steps: int, seed: int) -> Training:
    """Return the full-batch training of ``factors``' network on ``samples``.

    Args:
        samples: What it learns.
        factors: Network, loss and decay; the decay belongs to ``optimizer``, which the caller makes.
        optimizer: Makes the optimizer.
        steps: Number of steps.
        seed: Of the weights.
    """
    n_in, n_out = samples.x.shape[1], int(samples.y.max()) + 1
    return Training(
        model=lambda: factors.network(n_in, n_out),
        optimizer=optimizer,
        loss=factors.loss_of(n_out),
        batches=lambda: [(samples.x, samples.y)],
        steps=steps,
        seed=seed,
    )


def gradient_descent(rate: float, weight_decay: float = 0.0) -> Optimizer:
    """Return a factory of plain gradient descents."""
    return lambda model: torch.optim.SGD(model.parameters(), rate, weight_decay=weight_decay)
