"""RMSprop, plain, centred, with or without momentum."""

from typing import ClassVar

import torch
from torch import Tensor

from ._base import AbstractOptimizerRule, Group, Number, Numbers, decay, decayed, number, root


class RMSprop(AbstractOptimizerRule):
    r"""RMSprop, as torch writes it: :math:`v' = \alpha v + (1-\alpha) g^2`, centred by :math:`\bar g' = \alpha \bar g + (1-\alpha) g`, and

    .. math:: m' = \beta m + \frac{g}{\sqrt{v' - \bar g'^2} + \epsilon}, \qquad \theta' = \theta - \eta m'

    References:
        Tieleman and Hinton 2012; Graves 2013 (centred).
    """

    optimizer: ClassVar = torch.optim.RMSprop

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return the mean square, the momentum buffer where there is momentum, and the mean gradient where it is centred."""
        return ("square_avg", *(("momentum_buffer",) if float(group["momentum"]) > 0.0 else ()), *(("grad_avg",) if group["centered"] else ()))

    def numbers(self, group: Group, time: int) -> dict[str, Number]:
        """Return the coefficients."""
        del time
        keep = number(group["alpha"])
        return {
            **decay(group),
            "rate": number(group["lr"]),
            "keep": keep,
            "fresh": 1.0 - keep,
            "momentum": number(group["momentum"]),
            "eps": number(group["eps"]),
        }

    def moved(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], numbers: Numbers, group: Group) -> tuple[Tensor, ...]:
        """Return the new parameters and the new state."""
        theta, gradient = decayed(theta, gradient, numbers)
        square = numbers["keep"] * slots[0] + numbers["fresh"] * gradient * gradient
        mean = torch.lerp(slots[-1], gradient, numbers["fresh"]) if group["centered"] else None
        variance = square if mean is None else square - mean * mean
        scaled = gradient / (root(variance) + numbers["eps"])
        means = () if mean is None else (mean,)
        if len(slots) > 1 + len(means):
            buffer = numbers["momentum"] * slots[1] + scaled
            return theta - numbers["rate"] * buffer, square, buffer, *means
        return theta - numbers["rate"] * scaled, square, *means
