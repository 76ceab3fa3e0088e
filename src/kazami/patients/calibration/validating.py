"""What patients with a validation pass share: a step that validates now and then, as scripts do, and scores that feel an overconfident output."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data import Data, predictions


@dataclass(slots=True)
class Validates:
    """A training step that computes the validation loss after every few steps, in evaluation mode and without gradients, and does nothing with it.

    Attributes:
        loss: Of outputs and targets.
        data: Validates on its held-out half.
        every: Steps between two passes.
        n: Steps taken.
    """

    loss: Callable[[Tensor, Tensor], Tensor]
    data: Data
    every: int
    n: int = field(default=0)

    def __call__(self, model: nn.Module, optimizer: torch.optim.Optimizer, batch: Any) -> Tensor:
        """Take one step, and validate if it is time."""
        optimizer.zero_grad()
        loss = self.loss(model(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        self.n += 1
        if self.n % self.every == 0:
            self.loss(predictions(model, self.data.x_test), self.data.y_test)
        return loss


def few(data: Data, n: int) -> Data:
    """Return the data with ``n`` training samples only."""
    return Data(data.x[:n], data.y[:n], data.x_test, data.y_test)


def mislabelled(data: Data, share: float, classes: int, *, seed: int = 0) -> Data:
    """Return the data with a share of the training labels drawn at random."""
    generator = np.random.default_rng(seed)
    is_wrong = torch.from_numpy(generator.random(len(data.y)) < share)
    wrong = torch.from_numpy(generator.integers(0, classes, len(data.y)))
    return Data(data.x, torch.where(is_wrong, wrong, data.y), data.x_test, data.y_test)


def certainty(data: Data, classes: int) -> Callable[[nn.Module], float]:
    """Return ``evaluate``: 1 minus the held-out cross-entropy over that of guessing."""

    def evaluate(model: nn.Module) -> float:
        return 1.0 - float(F.cross_entropy(predictions(model, data.x_test), data.y_test)) / float(np.log(classes))

    return evaluate
