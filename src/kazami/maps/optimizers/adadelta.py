"""Adadelta: the step in units of past steps."""

from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, Number, Numbers, decay, decayed, number


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

    def numbers(self, group: Group, time: int) -> dict[str, Number]:
        """Return the coefficients."""
        del time
        keep = number(group["rho"])
        return {**decay(group), "rate": number(group["lr"]), "keep": keep, "fresh": 1.0 - keep, "eps": number(group["eps"])}

    def moved(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], numbers: Numbers, group: Group) -> tuple[Tensor, ...]:
        """Return the new parameters and the new state."""
        del group
        theta, gradient = decayed(theta, gradient, numbers)
        keep, fresh, eps = numbers["keep"], numbers["fresh"], numbers["eps"]
        square = keep * slots[0] + fresh * gradient * gradient
        delta = (slots[1] + eps).sqrt() / (square + eps).sqrt() * gradient
        return theta - numbers["rate"] * delta, square, keep * slots[1] + fresh * delta * delta
