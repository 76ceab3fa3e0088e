"""Stochastic gradient descent: plain, with heavy-ball momentum, or Nesterov's."""

from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, decayed


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

    def update(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], group: Group, time: int) -> tuple[Tensor, ...]:
        """Return the new parameters and the new momentum buffer."""
        theta, gradient = decayed(theta, gradient, group)
        rate, momentum = float(group["lr"]), float(group["momentum"])
        if not momentum:
            return (theta - rate * gradient,)
        dampening = float(group["dampening"]) if time else 0.0  # torch copies the first gradient into the buffer undamped
        buffer = momentum * slots[0] + (1.0 - dampening) * gradient
        step = gradient + momentum * buffer if group["nesterov"] else buffer
        return theta - rate * step, buffer
