"""Stochastic gradient descent: plain, with heavy-ball momentum, or Nesterov's."""

from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, Number, Numbers, decay, decayed, number


class SGD(AbstractOptimizerRule):
    r"""Gradient descent, heavy ball and Nesterov, as torch writes them.

    .. math:: m' = \beta m + (1 - \tau) g, \qquad \theta' = \theta - \eta m' \quad (\text{Nesterov: } \theta' = \theta - \eta (g + \beta m'))

    with :math:`m' = g` in the first step, and :math:`g` including coupled weight decay.

    References:
        Polyak 1964; Sutskever et al. 2013.
    """

    optimizer: ClassVar = torch.optim.SGD
    is_linear: ClassVar = True

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return the momentum buffer, or nothing without momentum."""
        return ("momentum_buffer",) if float(group["momentum"]) else ()

    def numbers(self, group: Group, time: int) -> dict[str, Number]:
        """Return the coefficients."""
        rate, momentum = number(group["lr"]), number(group["momentum"])
        dampening = number(group["dampening"]) if time else 0.0  # torch copies the first gradient into the buffer undamped
        return {**decay(group), "rate": rate, "momentum": momentum, "fresh": 1.0 - dampening}

    def moved(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], numbers: Numbers, group: Group) -> tuple[Tensor, ...]:
        """Return the new parameters and the new state."""
        theta, gradient = decayed(theta, gradient, numbers)
        if not slots:
            return (theta - numbers["rate"] * gradient,)
        buffer = numbers["momentum"] * slots[0] + numbers["fresh"] * gradient
        step = gradient + numbers["momentum"] * buffer if group["nesterov"] else buffer
        return theta - numbers["rate"] * step, buffer
