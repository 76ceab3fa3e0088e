"""Plain training loops for the experiments: full or mini-batches, gradients clipped or not, every loss kept."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn

from ..maps import Training
from ..patients.data import Data, accuracy, minibatches


@dataclass(frozen=True, slots=True)
class Scores:
    """How well a trained classifier does.

    Attributes:
        train_loss: Mean cross-entropy over all training samples, in nats; infinite where an output is not finite.
        train_accuracy: Share of training samples that are right.
        test_accuracy: Share of held-out samples that are right.
    """

    train_loss: float
    train_accuracy: float
    test_accuracy: float


def adam(learning_rate: float) -> Callable[[nn.Module], torch.optim.Optimizer]:
    """Return a factory of Adam optimizers; the fused ones, which are the fastest on small networks."""
    return lambda model: torch.optim.Adam(model.parameters(), learning_rate, fused=True)


def descent(learning_rate: float) -> Callable[[nn.Module], torch.optim.Optimizer]:
    """Return a factory of plain gradient descents."""
    return lambda model: torch.optim.SGD(model.parameters(), learning_rate, foreach=False)


def classifier_training(
    model: nn.Module, data: Data, optimizer: Callable[[nn.Module], torch.optim.Optimizer], *, steps: int, seed: int, clip_grad_norm: float | None = None
) -> Training:
    """Return the training of a classifier with cross-entropy on shuffled batches of 128 (or all samples where there are fewer); ``model`` itself is trained.

    Args:
        model: Gives logits.
        data: Inputs and classes.
        optimizer: ``make_optimizer(model)``.
        steps: Number of optimizer steps.
        seed: Seeds the shuffling alone, so that trainings with the same seed see the same batches.
        clip_grad_norm: Largest total norm of the gradient, or ``None``.
    """
    batches = minibatches(data.x, data.y, min(128, len(data.x)), seed=seed, epochs=steps)
    return Training(
        model=lambda: model, optimizer=optimizer, loss=nn.functional.cross_entropy, batches=batches, steps=steps, seed=seed, clip_grad_norm=clip_grad_norm
    )


def losses_until_overflow(training: Training) -> list[float]:
    """Run a training and return its losses; it ends early with the first loss that is not finite, which is kept as the last."""
    state, losses = training.start(), []
    for batch in islice(training.endless_batches(), training.steps):
        losses.append(float(training.step(state.model, state.optimizer, batch)))
        if not math.isfinite(losses[-1]):
            break
    return losses


def scores(model: nn.Module, data: Data) -> Scores:
    """Return how well ``model`` does in evaluation mode on training and held-out samples."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        loss: Tensor = nn.functional.cross_entropy(model(data.x), data.y)
    model.train(was_training)
    train_loss = float(loss) if bool(torch.isfinite(loss)) else math.inf
    return Scores(train_loss, accuracy(data.x, data.y)(model), accuracy(data.x_test, data.y_test)(model))
