"""One gradient step looked at closely: how much of the weights it overwrites, how far it should have gone, what it does to the next gradient."""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

FRACTIONS = 10.0 ** np.arange(-5.0, 0.01, 0.125)  # of the step; the last one is the step itself
STEPS_AHEAD = 1000
LARGEST = math.log10(torch.finfo(torch.float32).max)


@dataclass(frozen=True, slots=True)
class FirstStep:
    """What the first gradient step of a classifier does.

    Attributes:
        overwritten: Length of the largest update of a weight matrix over the length of the matrix.
        loop_gain: Norm of the gradient after the step over that before: above one, every step makes the next one longer; infinite where
            the step itself overflows.
        overshoot: How many times longer the step is than the one in its direction with the least loss (on a grid of eight per decade).
        along: Loss in nats at ``FRACTIONS`` of the step; infinite where it is not finite.
        overflow_step: After how many updates the loss should no longer be finite, by this first gradient alone; infinite for never.
    """

    overwritten: float
    loop_gain: float
    overshoot: float
    along: np.ndarray
    overflow_step: float


def first_step(model: nn.Module, x: Tensor, y: Tensor, learning_rate: float, *, uses: Mapping[str, int] | None = None) -> FirstStep:
    """Take one step of gradient descent on a copy of ``model`` and look at it.

    Args:
        model: A classifier; stays as it is.
        x: Inputs.
        y: Classes.
        learning_rate: Of plain gradient descent.
        uses: How often a weight matrix is used in one pass, by the parameter's name, where it is more than once.
    """
    copied = copy.deepcopy(model)
    weights = [weight.detach().clone() for weight in copied.parameters()]
    with torch.no_grad():
        output = float(copied(x).abs().max())
    before = _gradients(copied, x, y)
    along = np.array([_loss_at(copied, weights, before, fraction * learning_rate, x, y) for fraction in FRACTIONS])
    after = _gradients(copied, x, y)  # the last fraction was the whole step
    gain = _norm(after) / _norm(before)
    lengths = [(learning_rate * _norm([gradient]), _norm([weight])) for weight, gradient in zip(weights, before, strict=True) if weight.ndim > 1]
    return FirstStep(
        overwritten=max(update / length for update, length in lengths),
        loop_gain=gain if math.isfinite(gain) else math.inf,
        overshoot=float(1.0 / FRACTIONS[int(np.argmin(along))]),
        along=along,
        overflow_step=_overflow_step(model, before, learning_rate, output, uses or {}),
    )


def _overflow_step(model: nn.Module, gradients: Sequence[Tensor], learning_rate: float, output: float, uses: Mapping[str, int]) -> float:
    """Extrapolate the runaway from the first gradient.

    Outputs of homogeneous layers (linear, ReLU) grow by the product of what every matrix grows by, each as often as it is used; the gradient of a matrix by the
    product of all the others. A matrix grows at most by 1 + r, with r the length of its update over its own. Decades add up, and soon feed on themselves.
    """
    named = [(name, weight.detach(), gradient) for (name, weight), gradient in zip(model.named_parameters(), gradients, strict=True) if weight.ndim > 1]
    times = np.array([uses.get(name, 1) for name, _, _ in named])
    ratios = np.log10([learning_rate * _norm([gradient]) / _norm([weight]) for _, weight, gradient in named])  # decades of r
    if ratios.max() <= 0:  # every update is shorter than its matrix: no runaway to extrapolate
        return math.inf
    decades = math.log10(output)
    for step in range(1, STEPS_AHEAD):
        growth = np.logaddexp(0.0, ratios * math.log(10)) / math.log(10)  # log10(1 + r)
        decades += float(times @ growth)
        if decades > LARGEST:
            return float(step)
        ratios = ratios + float(times @ growth) - 2 * growth  # its gradient grew with all factors but one of its own, and itself by that one
    return math.inf


def _gradients(model: nn.Module, x: Tensor, y: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(nn.functional.cross_entropy(model(x), y), list(model.parameters())))


def _loss_at(model: nn.Module, weights: Sequence[Tensor], gradients: Sequence[Tensor], step: float, x: Tensor, y: Tensor) -> float:
    with torch.no_grad():
        for parameter, weight, gradient in zip(model.parameters(), weights, gradients, strict=True):
            parameter.copy_(weight - step * gradient)
        loss = float(nn.functional.cross_entropy(model(x), y))
    return loss if math.isfinite(loss) else math.inf


def _norm(tensors: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float(tensor.double().square().sum()) for tensor in tensors))
