"""RAdam: Adam whose scaling waits until the variance of the second moment can be trusted."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, Number, Numbers, decay, decayed, is_nothing, moments, number, root, square_root


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

    def numbers(self, group: Group, time: int) -> dict[str, Number]:
        """Return the coefficients."""
        step, beta_2 = time + 1, number(group["betas"][1])
        found = moments(group, time)
        correction, longest = 1.0 - beta_2**step, 2.0 / (1.0 - beta_2) - 1.0
        length = longest - 2.0 * step * beta_2**step / correction
        is_trusted: Any = length > 5.0
        n, m = _where(is_trusted, length), _where(is_trusted, longest)
        rectified = square_root((n - 4.0) * (n - 2.0) * m / ((m - 4.0) * (m - 2.0) * n))
        adapted = found["rate"] * rectified * square_root(correction)
        return {**decay(group), **found, "plain": found["rate"] * (1.0 - 1.0 * is_trusted), "adapted": adapted * (1.0 * is_trusted)}

    def moved(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], numbers: Numbers, group: Group) -> tuple[Tensor, ...]:
        """Return the new parameters and the new state."""
        del group
        theta, gradient = decayed(theta, gradient, numbers)
        first = torch.lerp(slots[0], gradient, numbers["fresh_1"])
        second = numbers["keep_2"] * slots[1] + numbers["fresh_2"] * gradient * gradient
        if not is_nothing(numbers["plain"]):
            theta = theta - numbers["plain"] * first
        if not is_nothing(numbers["adapted"]):
            theta = theta - numbers["adapted"] * (first / (root(second) + numbers["eps"]))
        return theta, first, second


def _where(is_trusted: Any, length: Any) -> Number:
    """Return the length where it is long enough, and any that is where it is not: that one is multiplied by 0."""
    if isinstance(is_trusted, Tensor):
        return torch.where(is_trusted, length, 6.0)
    return length if is_trusted else 6.0
