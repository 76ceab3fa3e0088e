"""NAdam: Adam with Nesterov's look ahead and a scheduled momentum."""

from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, Number, Numbers, decay, decayed, moments, momentum_product, number, root, scheduled_momentum


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

    def numbers(self, group: Group, time: int) -> dict[str, Number]:
        """Return the coefficients."""
        step = time + 1
        now, following, product = scheduled_momentum(group, step), scheduled_momentum(group, step + 1), momentum_product(group, step)
        looked = {"mixed_gradient": (1.0 - now) / (1.0 - product), "mixed_first": following / (1.0 - product * following)}
        return {**decay(group), **moments(group, time), **looked, "rate": number(group["lr"])}

    def moved(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], numbers: Numbers, group: Group) -> tuple[Tensor, ...]:
        """Return the new parameters and the new state."""
        del group
        theta, gradient = decayed(theta, gradient, numbers)
        first = torch.lerp(slots[0], gradient, numbers["fresh_1"])
        second = numbers["keep_2"] * slots[1] + numbers["fresh_2"] * gradient * gradient
        mixed = numbers["mixed_gradient"] * gradient + numbers["mixed_first"] * first
        scale = root(second) / numbers["correction_2"] + numbers["eps"]
        return theta - numbers["rate"] * (mixed / scale), first, second
