"""The networks and optimizers that kernels exist for, as plain data."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ..errors import UsageError, unknown_name
from ._activations import FORMS

Loss = Literal["cross_entropy", "mse"]
LOSSES = ("cross_entropy", "mse")
RULES = ("sgd", "adam")


@dataclass(frozen=True, slots=True)
class Layer:
    r"""One layer: :math:`h' = f\bigl(g\,(c\,W h + b)\bigr)`.

    Args:
        n_inputs: Width before it.
        n_outputs: Width after it.
        bias: Whether there is a :math:`b`.
        activation: Name of :math:`f`: ``identity``, ``tanh``, ``sigmoid``, ``relu``, ``leaky_relu``, ``gelu``, ``gelu_tanh``, ``silu``, ``softplus``.
        scale: :math:`c`, for instance :math:`1/\sqrt{n}` in a mean-field network.
        gain: :math:`g`.
        slope: Of leaky ReLU below 0.
        group: Which group of settings its parameters follow: weights and bias.

    Raises:
        UnknownName: There is no such activation.
        UsageError: A width is not positive, or a scale, gain or slope is not finite.
    """

    n_inputs: int
    n_outputs: int
    bias: bool = True
    activation: str = "identity"
    scale: float = 1.0
    gain: float = 1.0
    slope: float = 0.01
    group: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        """Look whether it can be."""
        if self.activation not in FORMS:
            raise unknown_name("activation of a kernel", self.activation, FORMS)
        if self.n_inputs < 1 or self.n_outputs < 1:
            raise UsageError(f"A layer should have positive widths, but it has {self.n_inputs} and {self.n_outputs}.")
        if not all(math.isfinite(number) for number in (self.scale, self.gain, self.slope)) or self.slope < 0.0:
            raise UsageError("Scale, gain and slope of a layer should be finite numbers, the slope not negative.")

    @property
    def n_weights(self) -> int:
        """Number of entries of W."""
        return self.n_inputs * self.n_outputs

    @property
    def n_parameters(self) -> int:
        """Number of entries of W and b."""
        return self.n_weights + self.n_outputs * self.bias


@dataclass(frozen=True)
class Network:
    """Layers one after another, and the loss behind them.

    Its parameters lie layer after layer, W row by row (outputs × inputs), then b.

    Args:
        layers: From the input to the output.
        loss: ``"cross_entropy"`` between softmax and target probabilities, or ``"mse"``; both are means.

    Raises:
        UsageError: There is no layer, or widths do not fit.
        UnknownName: There is no such loss.

    Example:
        >>> Network((Layer(4, 10, activation="sigmoid"), Layer(10, 3)), loss="cross_entropy").n_parameters
        83
    """

    layers: tuple[Layer, ...]
    loss: Loss = "mse"

    def __post_init__(self) -> None:
        """Look whether the layers fit."""
        if self.loss not in LOSSES:
            raise unknown_name("loss of a kernel", self.loss, LOSSES)
        if not self.layers:
            raise UsageError("A network should have at least one layer, but it has none.")
        for index, (before, after) in enumerate(zip(self.layers, self.layers[1:], strict=False), 1):
            if before.n_outputs != after.n_inputs:
                raise UsageError(f"Layer {index} should take {before.n_outputs} inputs, what the layer before gives, but it takes {after.n_inputs}.")

    @cached_property
    def n_parameters(self) -> int:
        """Number of entries of all weights and biases."""
        return sum(layer.n_parameters for layer in self.layers)

    @cached_property
    def n_groups(self) -> int:
        """Number of groups of settings."""
        return 1 + max(max(layer.group) for layer in self.layers)

    @property
    def n_inputs(self) -> int:
        """Width of the input."""
        return self.layers[0].n_inputs

    @property
    def n_outputs(self) -> int:
        """Width of the output."""
        return self.layers[-1].n_outputs

    @cached_property
    def first_rows(self) -> tuple[tuple[int, int], ...]:
        """For each layer where its W and its b begin among the parameters."""
        found, begin = [], 0
        for layer in self.layers:
            found.append((begin, begin + layer.n_weights))
            begin += layer.n_parameters
        return tuple(found)

    @property
    def products_per_sample(self) -> int:
        """Multiply–adds of one sample, forward and backward."""
        total = sum(layer.n_weights for layer in self.layers)
        return 3 * total - self.layers[0].n_weights


@dataclass(frozen=True, slots=True)
class Descent:
    """The optimizer's rule; its numbers are given at run time, for each member and group.

    Args:
        rule: ``"sgd"`` (settings ``learning_rate``, ``momentum``, ``dampening``, ``weight_decay``) or ``"adam"`` (``learning_rate``, ``beta_1``, ``beta_2``,
            ``eps``, ``weight_decay``), as torch writes them.
        momentum: Whether SGD keeps a momentum buffer.
        nesterov: Whether the momentum is Nesterov's.
        weight_decay: ``"none"``, ``"coupled"`` (added to the gradient) or ``"decoupled"`` (the parameters shrink).

    Raises:
        UnknownName: There is no such rule.
        UsageError: Nesterov's form is asked for without momentum.
    """

    rule: Literal["sgd", "adam"] = "sgd"
    momentum: bool = False
    nesterov: bool = False
    weight_decay: Literal["none", "coupled", "decoupled"] = "none"

    def __post_init__(self) -> None:
        """Look whether it can be."""
        if self.rule not in RULES:
            raise unknown_name("rule of a kernel", self.rule, RULES)
        if self.weight_decay not in ("none", "coupled", "decoupled"):
            raise unknown_name("form of weight decay", self.weight_decay, ("none", "coupled", "decoupled"))
        if self.nesterov and not (self.rule == "sgd" and self.momentum):
            raise UsageError("Nesterov's form should belong to SGD with momentum.")

    @property
    def n_slots(self) -> int:
        """Numbers of memory for each parameter."""
        return 2 if self.rule == "adam" else int(self.momentum)

    @property
    def settings(self) -> tuple[str, ...]:
        """Names of the settings, in the order of their rows."""
        return (
            ("learning_rate", "beta_1", "beta_2", "eps", "weight_decay") if self.rule == "adam" else ("learning_rate", "momentum", "dampening", "weight_decay")
        )

    @property
    def n_rows(self) -> int:
        """Rows of settings of one group: for Adam also 1 - beta_1 and 1 - beta_2, which would lose digits if they were computed in float32."""
        return len(self.settings) + 2 * (self.rule == "adam")
