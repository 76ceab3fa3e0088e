"""Adagrad: every entry divided by the root of the sum of its squared gradients."""

from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, Number, Numbers, decay, decayed, number, root


class Adagrad(AbstractOptimizerRule):
    r"""Adagrad, as torch writes it, with :math:`t` counted from 1.

    .. math:: s' = s + g^2, \qquad \theta' = \theta - \frac{\eta}{1 + (t-1)\gamma}\, \frac{g}{\sqrt{s'} + \epsilon}

    References:
        Duchi, Hazan and Singer 2011.
    """

    optimizer: ClassVar = torch.optim.Adagrad

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return the sum of squares."""
        del group
        return ("sum",)

    def numbers(self, group: Group, time: int) -> dict[str, Number]:
        """Return the coefficients."""
        rate = number(group["lr"]) / (1.0 + time * number(group["lr_decay"]))
        return {**decay(group), "rate": rate, "eps": number(group["eps"])}

    def moved(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], numbers: Numbers, group: Group) -> tuple[Tensor, ...]:
        """Return the new parameters and the new state."""
        del group
        theta, gradient = decayed(theta, gradient, numbers)
        total = slots[0] + gradient * gradient
        return theta - numbers["rate"] * (gradient / (root(total) + numbers["eps"])), total
