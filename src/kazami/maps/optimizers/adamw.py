"""AdamW: Adam with decoupled weight decay."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, root


class AdamW(AbstractOptimizerRule):
    r"""Adam's step after the shrinkage :math:`\theta \leftarrow (1 - \eta w)\,\theta`, as torch writes it.

    .. math:: \theta' = (1 - \eta w)\,\theta - \frac{\eta}{1 - \beta_1^t}\, \frac{m'}{\sqrt{v' / (1 - \beta_2^t)} + \epsilon}

    Limits:
        AMSGrad's maximum has a kink; the tangent is the one of the side the step is on.

    References:
        Loshchilov and Hutter 2019, algorithm 2.
    """

    optimizer: ClassVar = torch.optim.AdamW

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return both moments, and the running maximum of the second with AMSGrad."""
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")

    def update(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], group: Group, time: int) -> tuple[Tensor, ...]:
        """Return the new parameters and the new moments."""
        rate, (beta_1, beta_2) = float(group["lr"]), (float(beta) for beta in group["betas"])
        first = torch.lerp(slots[0], gradient, 1.0 - beta_1)
        second = beta_2 * slots[1] + (1.0 - beta_2) * gradient * gradient
        moments: tuple[Tensor, ...] = (first, second)
        if group["amsgrad"]:
            moments = (*moments, torch.maximum(slots[2], second))
        scale = root(moments[-1]) / math.sqrt(1.0 - beta_2 ** (time + 1)) + float(group["eps"])
        kept = 1.0 - rate * float(group["weight_decay"])
        return theta * kept - rate / (1.0 - beta_1 ** (time + 1)) * (first / scale), *moments
