"""What an optimizer's rule declares: its state, where the state begins, and the update of one parameter group as a pure function."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

Group = Mapping[str, Any]
Number = float | Tensor
Numbers = Mapping[str, Number]


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
    def numbers(self, group: Group, time: int) -> dict[str, Number]:
        """Return the coefficients of the update by name, from the settings alone.

        A setting may be one number, or a column of them, shape ``(members, 1)`` in float64, where members of an ensemble have one each; what follows from
        it is then a column, too.

        Args:
            group: The settings, as in ``optimizer.param_groups``.
            time: Number of steps already taken; 0 in the first step.
        """

    @abstractmethod
    def moved(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], numbers: Numbers, group: Group) -> tuple[Tensor, ...]:
        """Return the new parameters and, after them, the new slots.

        Args:
            theta: Entries of the parameters, any shape; ``(members, n)`` where ``numbers`` has columns.
            gradient: Of the same shape.
            slots: The state, in the order of :meth:`slots`.
            numbers: From :meth:`numbers`, in the precision of ``theta``.
            group: Read for what is either so or not (``nesterov``, ``amsgrad``, ``centered``), and for nothing else.
        """

    def update(self, theta: Tensor, gradient: Tensor, slots: tuple[Tensor, ...], group: Group, time: int) -> tuple[Tensor, ...]:
        """Return the new parameters and, after them, the new slots, in step number ``time`` with the settings in ``group``."""
        return self.moved(theta, gradient, slots, in_precision(self.numbers(group, time), theta.dtype), group)

    def start(self, slot: str, group: Group) -> float:
        """Return the value that every entry of ``slot`` has before the first step."""
        if slot == "sum":  # Adagrad's accumulator is the one state in torch that need not begin at zero
            return float(group["initial_accumulator_value"])
        return 0.0

    def counters(self, group: Group, time: int) -> dict[str, float]:
        """Return torch's scalar state after ``time`` steps, by name."""
        counted = {"step": float(time)}
        if "momentum_decay" in group:  # NAdam
            counted["mu_product"] = float(momentum_product(group, time))
        return counted


def in_precision(numbers: Numbers, dtype: torch.dtype) -> dict[str, Number]:
    """Return ``numbers`` with their columns in ``dtype``; they were computed in float64, as torch computes with Python's numbers."""
    return {name: value.to(dtype) if isinstance(value, Tensor) else value for name, value in numbers.items()}


def number(value: Any) -> Number:
    """Return a setting as a Python number, or as the column that it is."""
    return value if isinstance(value, Tensor) else float(value)


def square_root(value: Number) -> Number:
    """Return the square root of a number or of a column."""
    return value.sqrt() if isinstance(value, Tensor) else math.sqrt(value)


def is_nothing(value: Number) -> bool:
    """Return whether a coefficient is 0 for all, so that its term can be left out."""
    return not isinstance(value, Tensor) and value == 0.0


def decay(group: Group) -> dict[str, Number]:
    """Return the coefficients of weight decay: ``pulled`` times the parameters is added to the gradient (coupled), or ``lost`` of them first (decoupled)."""
    strength = number(group["weight_decay"])
    if group.get("decoupled_weight_decay", False):
        return {"pulled": 0.0, "lost": number(group["lr"]) * strength}
    return {"pulled": strength, "lost": 0.0}


def decayed(theta: Tensor, gradient: Tensor, numbers: Numbers) -> tuple[Tensor, Tensor]:
    """Return parameters and gradient after weight decay."""
    if not is_nothing(numbers["lost"]):
        theta = theta * (1.0 - numbers["lost"])
    if not is_nothing(numbers["pulled"]):
        gradient = gradient + numbers["pulled"] * theta
    return theta, gradient


def moments(group: Group, time: int) -> dict[str, Number]:
    """Return the coefficients of Adam and its kin in step number ``time``."""
    beta_1, beta_2 = (number(beta) for beta in group["betas"])
    return {
        "rate": number(group["lr"]) / (1.0 - beta_1 ** (time + 1)),
        "fresh_1": 1.0 - beta_1,
        "keep_2": beta_2,
        "fresh_2": 1.0 - beta_2,
        "correction_2": square_root(1.0 - beta_2 ** (time + 1)),
        "eps": number(group["eps"]),
    }


def root(square: Tensor) -> Tensor:
    """Return the square root, with the derivative 0 instead of infinity where ``square`` is 0: what never had a gradient does not move."""
    is_positive = square > 0
    return torch.where(is_positive, torch.where(is_positive, square, 1.0).sqrt(), 0.0)


def scheduled_momentum(group: Group, step: int) -> Number:
    """Return NAdam's momentum in step number ``step``, counted from 1."""
    decayed_by: Number = 0.96 ** (step * number(group["momentum_decay"]))
    return number(group["betas"][0]) * (1.0 - 0.5 * decayed_by)


def momentum_product(group: Group, step: int) -> Number:
    """Return the product of NAdam's momenta up to step number ``step``, in the precision in which torch keeps it (that of its default dtype)."""
    kind = np.float64 if torch.get_default_dtype() == torch.float64 else np.float32
    product: Any = kind(1.0)
    for past in range(1, step + 1):
        momentum = scheduled_momentum(group, past)
        product = product * (momentum.to(torch.get_default_dtype()) if isinstance(momentum, Tensor) else kind(momentum))
        if bool((product < 1e-20).all() if isinstance(product, Tensor) else product < 1e-20):  # from here on it is 0 beside 1
            return product.double() * 0.0 if isinstance(product, Tensor) else 0.0
    return product.double() if isinstance(product, Tensor) else float(product)
