"""What the files ``more_*`` share: a task and an optimizer in one line each, so that a patient shows only what is planted in it."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ...maps import Training
from ..data import Data, accuracy, minibatches, r2

Optimizer = Callable[[nn.Module], torch.optim.Optimizer]


def classify(data: Data, model: Callable[[], nn.Module], optimizer: Optimizer, steps: int, *, size: int | None = 32, **settings: Any) -> Training:
    """Return a training with cross-entropy on shuffled batches of ``size`` (``None``: all at once), scored by the accuracy on held-out samples."""
    usual: dict[str, Any] = {
        "loss": F.cross_entropy,
        "batches": minibatches(data.x, data.y, size, epochs=4),
        "evaluate": accuracy(data.x_test, data.y_test),
    }
    return Training(model=model, optimizer=optimizer, steps=steps, **(usual | settings))


def regress(data: Data, model: Callable[[], nn.Module], optimizer: Optimizer, steps: int, *, size: int | None = 32, **settings: Any) -> Training:
    """Return a training with the mean squared error on shuffled batches of ``size`` (``None``: all at once), scored by R2 on held-out samples."""
    usual: dict[str, Any] = {
        "loss": F.mse_loss,
        "batches": minibatches(data.x, data.y, size, epochs=4),
        "evaluate": r2(data.x_test, data.y_test),
    }
    return Training(model=model, optimizer=optimizer, steps=steps, **(usual | settings))


def sgd(learning_rate: float, **settings: Any) -> Optimizer:
    """Return a factory of SGD over all parameters."""
    return lambda model: torch.optim.SGD(model.parameters(), lr=learning_rate, **settings)


def adam(learning_rate: float, **settings: Any) -> Optimizer:
    """Return a factory of Adam over all parameters."""
    return lambda model: torch.optim.Adam(model.parameters(), lr=learning_rate, **settings)


def adamw(learning_rate: float, **settings: Any) -> Optimizer:
    """Return a factory of AdamW over all parameters."""
    return lambda model: torch.optim.AdamW(model.parameters(), lr=learning_rate, **settings)


def rmsprop(learning_rate: float, **settings: Any) -> Optimizer:
    """Return a factory of RMSprop over all parameters."""
    return lambda model: torch.optim.RMSprop(model.parameters(), lr=learning_rate, **settings)
