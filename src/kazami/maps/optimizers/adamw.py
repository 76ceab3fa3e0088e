"""AdamW: Adam with decoupled weight decay."""

from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, Number, Numbers, decayed, moments, number, root


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

    def numbers(self, group: Group, time: int) -> dict[str, Number]:
        """Return the coefficients."""
        lost = number(group["lr"]) * number(group["weight_decay"])
        return {"pulled": 0.0, "lost": lost, **moments(group, time)}

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
