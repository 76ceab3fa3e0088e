"""How each method steps: pure functions of the state, entry by entry equal to ``torch.optim``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import UsageError, unknown_name

Gradient = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a method is set to; torch's own defaults.

    Attributes:
        learning_rate: η, above 0.
        momentum: Of ``momentum`` and ``nesterov``.
        betas: Of ``adam``.
        alpha: Of ``rmsprop``.
        eps: Of ``adam`` and ``rmsprop``.
    """

    learning_rate: float
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    alpha: float = 0.99
    eps: float = 1e-8

    def __post_init__(self) -> None:
        """Refuse a learning rate that is none."""
        if not 0.0 < self.learning_rate < float("inf"):
            raise UsageError(f"A learning rate should be a positive number, and is {self.learning_rate}.")


Rule = Callable[[Tensor, Tensor, Any, Settings], Tensor]  # the step's number is an int, or a tensor of them for many steps at once


def gradient_descent(state: Tensor, gradient: Tensor, step: Any, settings: Settings) -> Tensor:
    r"""Return :math:`w - \eta g`."""
    del step
    return state - settings.learning_rate * gradient.unsqueeze(-2)


def momentum(state: Tensor, gradient: Tensor, step: Any, settings: Settings) -> Tensor:
    r"""Return :math:`m' = \mu m + g,\; w' = w - \eta m'`."""
    del step
    weights, velocity = state.unbind(-2)
    velocity = settings.momentum * velocity + gradient
    return torch.stack([weights - settings.learning_rate * velocity, velocity], -2)


def nesterov(state: Tensor, gradient: Tensor, step: Any, settings: Settings) -> Tensor:
    r"""Return :math:`m' = \mu m + g,\; w' = w - \eta (g + \mu m')`, PyTorch's form."""
    del step
    weights, velocity = state.unbind(-2)
    velocity = settings.momentum * velocity + gradient
    return torch.stack([weights - settings.learning_rate * (gradient + settings.momentum * velocity), velocity], -2)


def rmsprop(state: Tensor, gradient: Tensor, step: Any, settings: Settings) -> Tensor:
    r"""Return :math:`v' = \alpha v + (1-\alpha) g^2,\; w' = w - \eta g/(\sqrt{v'} + \epsilon)`."""
    del step
    weights, square = state.unbind(-2)
    square = settings.alpha * square + (1 - settings.alpha) * gradient * gradient
    return torch.stack([weights - settings.learning_rate * gradient / (_root(square) + settings.eps), square], -2)


def adam(state: Tensor, gradient: Tensor, step: Any, settings: Settings) -> Tensor:
    r"""Return Adam's step with both bias corrections; ``step`` counts from 1."""
    one, two = settings.betas
    weights, mean, square = state.unbind(-2)
    mean = one * mean + (1 - one) * gradient
    square = two * square + (1 - two) * gradient * gradient
    size = settings.learning_rate / (1 - one**step)
    return torch.stack([weights - size * mean / (_root(square) / (1 - two**step) ** 0.5 + settings.eps), mean, square], -2)


RULES: dict[str, tuple[int, Rule]] = {  # how many vectors the state holds, and the step
    "gradient_descent": (1, gradient_descent),
    "sgd": (1, gradient_descent),
    "momentum": (2, momentum),
    "nesterov": (2, nesterov),
    "rmsprop": (2, rmsprop),
    "adam": (3, adam),
    "newton": (1, gradient_descent),
}


def rule_of(method: str) -> tuple[int, Rule]:
    """Return how many vectors a method's state holds and how it steps.

    Raises:
        UnknownName: There is no such method.
    """
    if method not in RULES:
        raise unknown_name("method", method, RULES)
    return RULES[method]


def newton_direction(gradient: Tensor, hessian: Tensor) -> Tensor:
    """Return :math:`H^{-1} g`, of least norm where H is singular; it leads to saddles and maxima as gladly as to minima."""
    usable = hessian.isfinite().all(-1).all(-1) & gradient.isfinite().all(-1)
    inverse = torch.linalg.pinv(torch.where(usable[..., None, None], hessian, torch.zeros((), dtype=hessian.dtype)), rtol=1e-12, hermitian=True)
    direction: Tensor = (inverse @ gradient.unsqueeze(-1)).squeeze(-1)
    return direction


def _root(square: Tensor) -> Tensor:
    """Return the square root with a slope of zero at zero, where a gradient has never been anything else."""
    return torch.where(square > 0, square, torch.ones_like(square)).sqrt() * (square > 0)
