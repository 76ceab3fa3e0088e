"""Adam, with coupled or decoupled weight decay, with or without AMSGrad."""

from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, Number, Numbers, decay, decayed, moments, root


class Adam(AbstractOptimizerRule):
    r"""Adam, as torch writes it: :math:`m' = \beta_1 m + (1-\beta_1) g`, :math:`v' = \beta_2 v + (1-\beta_2) g^2`, and with :math:`t` counted from 1

    .. math:: \theta' = \theta - \frac{\eta}{1 - \beta_1^t}\, \frac{m'}{\sqrt{v' / (1 - \beta_2^t)} + \epsilon}

    Limits:
        AMSGrad's maximum has a kink; the tangent is the one of the side the step is on.

    References:
        Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019 (``decoupled_weight_decay``).
    """

    optimizer: ClassVar = torch.optim.Adam

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return both moments, and the running maximum of the second with AMSGrad."""
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")

    def numbers(self, group: Group, time: int) -> dict[str, Number]:
        """Return the coefficients."""
        return {**decay(group), **moments(group, time)}

    def moved(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], numbers: Numbers, group: Group) -> tuple[Tensor, ...]:
        """Return the new parameters and the new state."""
        theta, gradient = decayed(theta, gradient, numbers)
        first = torch.lerp(slots[0], gradient, numbers["fresh_1"])
        second = numbers["keep_2"] * slots[1] + numbers["fresh_2"] * gradient * gradient
        kept: tuple[Tensor, ...] = (first, second)
        if group["amsgrad"]:
            kept = (*kept, torch.maximum(slots[2], second))
        scale = root(kept[-1]) / numbers["correction_2"] + numbers["eps"]
        return theta - numbers["rate"] * (first / scale), *kept
