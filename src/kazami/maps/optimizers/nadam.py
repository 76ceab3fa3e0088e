"""NAdam: Adam with Nesterov's look ahead and a scheduled momentum."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, decayed, momentum_product, root, scheduled_momentum


class NAdam(AbstractOptimizerRule):
    r"""NAdam, as torch writes it: Adam's moments, :math:`\mu_t = \beta_1 (1 - \tfrac12 0.96^{t\psi})`, :math:`\Pi_t = \prod_{i \le t} \mu_i`, and

    .. math:: \theta' = \theta - \eta\, \frac{\frac{1-\mu_t}{1-\Pi_t}\, g + \frac{\mu_{t+1}}{1-\Pi_{t+1}}\, m'}{\sqrt{v' / (1 - \beta_2^t)} + \epsilon}

    References:
        Dozat 2016.
    """

    optimizer: ClassVar = torch.optim.NAdam

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
        now, following, product = scheduled_momentum(group, step), scheduled_momentum(group, step + 1), momentum_product(group, step)
        mixed = (1.0 - now) / (1.0 - product) * gradient + following / (1.0 - product * following) * first
        scale = root(second) / math.sqrt(1.0 - beta_2**step) + float(group["eps"])
        return theta - float(group["lr"]) * (mixed / scale), first, second
