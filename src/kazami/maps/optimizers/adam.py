"""Adam, with coupled or decoupled weight decay, with or without AMSGrad."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, decayed, root


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

    def update(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], group: Group, time: int) -> tuple[Tensor, ...]:
        """Return the new parameters and the new moments."""
        theta, gradient = decayed(theta, gradient, group)
        beta_1, beta_2 = (float(beta) for beta in group["betas"])
        first = torch.lerp(slots[0], gradient, 1.0 - beta_1)
        second = beta_2 * slots[1] + (1.0 - beta_2) * gradient * gradient
        moments: tuple[Tensor, ...] = (first, second)
        if group["amsgrad"]:
            moments = (*moments, torch.maximum(slots[2], second))
        scale = root(moments[-1]) / math.sqrt(1.0 - beta_2 ** (time + 1)) + float(group["eps"])
        return theta - float(group["lr"]) / (1.0 - beta_1 ** (time + 1)) * (first / scale), *moments
