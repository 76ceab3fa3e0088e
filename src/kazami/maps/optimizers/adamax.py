"""Adamax: Adam with the largest past gradient in place of the root mean square."""

from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, Number, Numbers, decay, decayed, moments


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

    def numbers(self, group: Group, time: int) -> dict[str, Number]:
        """Return the coefficients."""
        return {**decay(group), **moments(group, time)}

    def moved(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], numbers: Numbers, group: Group) -> tuple[Tensor, ...]:
        """Return the new parameters and the new state."""
        del group
        theta, gradient = decayed(theta, gradient, numbers)
        first = torch.lerp(slots[0], gradient, numbers["fresh_1"])
        largest = torch.maximum(numbers["keep_2"] * slots[1], gradient.abs() + numbers["eps"])
        return theta - numbers["rate"] * (first / largest), first, largest
