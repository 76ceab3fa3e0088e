"""Adamax: Adam with the largest past gradient in place of the root mean square."""

from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, decayed


class Adamax(AbstractOptimizerRule):
    r"""Adamax, as torch writes it.

    .. math:: u' = \max(\beta_2 u,\ |g| + \epsilon), \qquad \theta' = \theta - \frac{\eta}{1 - \beta_1^t}\, \frac{m'}{u'}

    Limits:
        The maximum has a kink; the tangent is the one of the side the step is on.

    References:
        Kingma and Ba 2015, algorithm 2.
    """

    optimizer: ClassVar = torch.optim.Adamax

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return the first moment and the infinity norm."""
        del group
        return ("exp_avg", "exp_inf")

    def update(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], group: Group, time: int) -> tuple[Tensor, ...]:
        """Return the new parameters and the new state."""
        theta, gradient = decayed(theta, gradient, group)
        beta_1, beta_2 = (float(beta) for beta in group["betas"])
        first = torch.lerp(slots[0], gradient, 1.0 - beta_1)
        largest = torch.maximum(beta_2 * slots[1], gradient.abs() + float(group["eps"]))
        return theta - float(group["lr"]) / (1.0 - beta_1 ** (time + 1)) * (first / largest), first, largest
