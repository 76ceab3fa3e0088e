"""What "better" means: one number for a trained model, comparable across changes of the loss, the outputs' scale and the model itself."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..maps import Training

Kind = Literal["evaluate", "accuracy", "r2", "-loss"]
MOST_BATCHES = 64


@dataclass(frozen=True, slots=True)
class Measure:
    """A score of a model, higher is better.

    Attributes:
        kind: ``"evaluate"``: the user's own; ``"accuracy"``: share of right classes, also of yes or no; ``"r2"``: 1 − MSE / variance of the targets;
            ``"-loss"``: minus the original loss. The last three are taken in evaluation mode over one pass of the training's batches, at most 64 of them.
        score: Gives the score of a model.
    """

    kind: Kind
    score: Callable[[nn.Module], float]


def measure_of(training: Training) -> Measure:
    """Return the measure that fits a training, found from its first batch; the original one serves for all changes of it.

    Limits:
        Without ``evaluate`` it is taken on the training's own batches, so a change that only over-fits looks better. Outputs that are no tensors, and
        targets that fit neither classes nor values, leave minus the loss.
    """
    if training.evaluate is not None:
        return Measure("evaluate", training.evaluate)
    model = training.start().model
    inputs, target = next(iter(training.endless_batches()))
    try:
        with torch.no_grad():
            output = model.eval()(inputs)
    except Exception:  # a model that only runs in training mode
        output = None
    if _is_classes(output, target):
        return Measure("accuracy", lambda trained: _mean(training, trained, _accuracy))
    if _is_values(output, target) and _is_yes_or_no(training, target):
        wants_logits = _wants_logits(training, target)
        return Measure("accuracy", lambda trained: _mean(training, trained, lambda out, y: _binary_accuracy(out, y, wants_logits=wants_logits)))
    if _is_values(output, target):
        variance = float(torch.cat([t.flatten() for _, t in islice(training.batches(), MOST_BATCHES)]).var())
        return Measure("r2", lambda trained: 1 - _mean(training, trained, _squared_error) / variance)
    return Measure("-loss", lambda trained: -_mean(training, trained, lambda out, y: float(training.loss(out, y))))


def _is_classes(output: Any, target: Any) -> bool:
    if not (isinstance(output, Tensor) and isinstance(target, Tensor)) or target.is_floating_point() or output.dim() < 2:
        return False
    return target.shape == (output.shape[0], *output.shape[2:]) and bool((target < output.shape[1]).all())


def _is_values(output: Any, target: Any) -> bool:
    """Return whether there is one output for each target value, be it of another shape: a broadcast between the two is a mistake that a cure mends."""
    if not (isinstance(output, Tensor) and isinstance(target, Tensor)) or not target.is_floating_point():
        return False
    return output.numel() == target.numel() and output.shape[:1] == target.shape[:1] and bool(target.var() > 0)


def _is_yes_or_no(training: Training, target: Tensor) -> bool:
    """Return whether targets are 0 and 1 and the loss is one for probabilities: being right by far costs less than giving the very number."""
    if not bool(((target == 0) | (target == 1)).all()):
        return False
    return _wants_logits(training, target) or _refuses(training, target)


def _wants_logits(training: Training, target: Tensor) -> bool:
    try:
        with torch.no_grad():
            return float(training.loss(20.0 * (2.0 * target - 1.0), target)) < float(training.loss(target.clone(), target))
    except Exception:  # a loss of probabilities refuses other numbers
        return False


def _refuses(training: Training, target: Tensor) -> bool:
    try:
        with torch.no_grad():
            return not math.isfinite(float(training.loss(20.0 * (2.0 * target - 1.0), target)))
    except Exception:
        return True


def _binary_accuracy(output: Tensor, target: Tensor, *, wants_logits: bool) -> float:
    is_probability = not wants_logits and bool((output >= 0).all()) and bool((output <= 1).all())
    return float(((output.reshape(target.shape) > (0.5 if is_probability else 0.0)) == (target > 0.5)).float().mean())


def _accuracy(output: Tensor, target: Tensor) -> float:
    return float((output.argmax(1) == target).float().mean())


def _squared_error(output: Tensor, target: Tensor) -> float:
    return float((output.reshape(target.shape) - target).square().mean())


def _mean(training: Training, model: nn.Module, value: Callable[[Any, Any], float]) -> float:
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            values = [value(model(inputs), target) for inputs, target in islice(training.batches(), MOST_BATCHES)]
    finally:
        model.train(was_training)
    return sum(values) / len(values)
