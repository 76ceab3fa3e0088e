"""What an optimizer's rule declares: its state, where the state begins, and the update of one parameter group as a pure function."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

Group = Mapping[str, Any]


class AbstractOptimizerRule(ABC):
    r"""The update of one torch optimizer, entry by entry: :math:`(\theta, g, s) \mapsto (\theta', s')`.

    No entry may look at another: that is what makes the derivative of the rule a handful of diagonals, found exactly by one backward pass each.
    The sign of ``maximize`` and gradient clipping are applied before the rule sees the gradient.

    Class attributes:
        optimizer: The torch class it is the rule of (not of its subclasses).
        is_linear: Whether the update is linear in :math:`(\theta, g, s)`: its diagonals are then numbers that depend on the settings alone.
    """

    optimizer: ClassVar[type[Optimizer]]
    is_linear: ClassVar[bool] = False

    @abstractmethod
    def slots(self, group: Group) -> tuple[str, ...]:
        """Return torch's names of the state tensors that the settings in ``group`` need, one number per parameter entry each."""

    @abstractmethod
    def update(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], group: Group, time: int) -> tuple[Tensor, ...]:
        """Return the new parameters and, after them, the new slots.

        Args:
            theta: Entries of the parameters, any shape.
            gradient: Of the same shape.
            slots: The state, in the order of :meth:`slots`.
            group: The settings, as in ``optimizer.param_groups``.
            time: Number of steps already taken; 0 in the first step.
        """

    def start(self, slot: str, group: Group) -> float:
        """Return the value that every entry of ``slot`` has before the first step."""
        if slot == "sum":  # Adagrad's accumulator is the one state in torch that need not begin at zero
            return float(group["initial_accumulator_value"])
        return 0.0

    def counters(self, group: Group, time: int) -> dict[str, float]:
        """Return torch's scalar state after ``time`` steps, by name."""
        counted = {"step": float(time)}
        if "momentum_decay" in group:  # NAdam
            counted["mu_product"] = momentum_product(group, time)
        return counted


def decayed(theta: Tensor, gradient: Tensor, group: Group) -> tuple[Tensor, Tensor]:
    """Return parameters and gradient after weight decay: into the gradient (coupled), or as a shrinkage of the parameters (decoupled)."""
    decay = float(group["weight_decay"])
    if not decay:
        return theta, gradient
    if group.get("decoupled_weight_decay", False):
        return theta * (1.0 - float(group["lr"]) * decay), gradient
    return theta, gradient + decay * theta


def root(square: Tensor) -> Tensor:
    """Return the square root, with the derivative 0 instead of infinity where ``square`` is 0: what never had a gradient does not move."""
    is_positive = square > 0
    return torch.where(is_positive, torch.where(is_positive, square, 1.0).sqrt(), 0.0)


def scheduled_momentum(group: Group, step: int) -> float:
    """Return NAdam's momentum in step number ``step``, counted from 1."""
    decay: float = 0.96 ** (step * float(group["momentum_decay"]))
    return float(group["betas"][0]) * (1.0 - 0.5 * decay)


def momentum_product(group: Group, step: int) -> float:
    """Return the product of NAdam's momenta up to step number ``step``, in the precision in which torch keeps it (that of its default dtype)."""
    kind = np.float64 if torch.get_default_dtype() == torch.float64 else np.float32
    product = kind(1.0)
    for past in range(1, step + 1):
        product = product * kind(scheduled_momentum(group, past))
        if product < 1e-20:  # from here on it is 0 beside 1
            return 0.0
    return float(product)
