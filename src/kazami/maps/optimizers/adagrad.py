"""Adagrad: every entry divided by the root of the sum of its squared gradients."""

from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, decayed, root


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

    def update(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], group: Group, time: int) -> tuple[Tensor, ...]:
        """Return the new parameters and the new sum."""
        theta, gradient = decayed(theta, gradient, group)
        total = slots[0] + gradient * gradient
        rate = float(group["lr"]) / (1.0 + time * float(group["lr_decay"]))
        return theta - rate * (gradient / (root(total) + float(group["eps"]))), total
