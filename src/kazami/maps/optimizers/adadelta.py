"""Adadelta: the step in units of past steps."""

from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, decayed


class Adadelta(AbstractOptimizerRule):
    r"""Adadelta, as torch writes it: :math:`v' = \rho v + (1-\rho) g^2`, and

    .. math:: \delta = g \sqrt{\frac{a + \epsilon}{v' + \epsilon}}, \qquad a' = \rho a + (1-\rho) \delta^2, \qquad \theta' = \theta - \eta\, \delta

    References:
        Zeiler 2012, algorithm 1.
    """

    optimizer: ClassVar = torch.optim.Adadelta

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return the mean squares of gradients and of steps."""
        del group
        return ("square_avg", "acc_delta")

    def update(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], group: Group, time: int) -> tuple[Tensor, ...]:
        """Return the new parameters and the new state."""
        theta, gradient = decayed(theta, gradient, group)
        keep, eps = float(group["rho"]), float(group["eps"])
        square = keep * slots[0] + (1.0 - keep) * gradient * gradient
        delta = (slots[1] + eps).sqrt() / (square + eps).sqrt() * gradient
        return theta - float(group["lr"]) * delta, square, keep * slots[1] + (1.0 - keep) * delta * delta
