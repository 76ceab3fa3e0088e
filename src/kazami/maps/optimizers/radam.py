"""RAdam: Adam whose scaling waits until the variance of the second moment can be trusted."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, decayed, root


class RAdam(AbstractOptimizerRule):
    r"""RAdam, as torch writes it: with :math:`\rho_t = \rho_\infty - 2t\beta_2^t/(1-\beta_2^t)` and :math:`\rho_\infty = 2/(1-\beta_2) - 1`

    .. math:: \theta' = \theta - \frac{\eta\, m'}{1 - \beta_1^t}\, r_t \frac{\sqrt{1 - \beta_2^t}}{\sqrt{v'} + \epsilon} \ \text{if } \rho_t > 5,
              \quad \text{else } \theta' = \theta - \frac{\eta\, m'}{1 - \beta_1^t}

    References:
        Liu et al. 2020, algorithm 2.
    """

    optimizer: ClassVar = torch.optim.RAdam

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return both moments."""
        del group
        return ("exp_avg", "exp_avg_sq")

    def update(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], group: Group, time: int) -> tuple[Tensor, ...]:
        """Return the new parameters and the new moments."""
        theta, gradient = decayed(theta, gradient, group)
        step, (beta_1, beta_2) = time + 1, (float(beta) for beta in group["betas"])
        first = torch.lerp(slots[0], gradient, 1.0 - beta_1)
        second = beta_2 * slots[1] + (1.0 - beta_2) * gradient * gradient
        rate, correction = float(group["lr"]) / (1.0 - beta_1**step), 1.0 - beta_2**step
        longest = 2.0 / (1.0 - beta_2) - 1.0
        length = longest - 2.0 * step * beta_2**step / correction
        if length <= 5.0:
            return theta - rate * first, first, second
        rectified = math.sqrt((length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length))
        return theta - rate * rectified * math.sqrt(correction) * (first / (root(second) + float(group["eps"]))), first, second
