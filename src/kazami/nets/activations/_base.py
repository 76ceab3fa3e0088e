"""What an activation declares: only what cannot be computed. Everything else about it is computed by the catalogue."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

from torch import Tensor, nn

from ...errors import unknown_name
from ...records import Sentence

Kind = Literal["scalar", "gate", "vector"]
Family = Literal["threshold", "linear", "squashing", "rectifier", "smooth rectifier", "shrinkage", "gate", "vector"]

NO_PARAMETERS: Mapping[str, float] = MappingProxyType({})


class AbstractActivation(ABC):
    """One activation function.

    Class attributes:
        name: Name in the catalogue, the file's name.
        title: Name as the literature writes it.
        aliases: Other names it is known by.
        family: What it is like; the catalogue is ordered by it.
        kind: ``"scalar"`` acts on each number alone, ``"gate"`` on pairs (the halves of the last axis), ``"vector"`` on the last axis as a whole.
        formula: LaTeX, in the subset that matplotlib's mathtext understands.
        parameters: Names and defaults of its parameters, those of the torch module.
        is_learned: Whether its parameter is trained.
        trait: What it does, one sentence.
        advantage: What it is good for.
        disadvantage: What goes wrong with it.
        suits: Where people use it.
        gain_note: Why PyTorch's gain differs from the computed one, where it does.
        references: Where it comes from.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    family: ClassVar[Family]
    kind: ClassVar[Kind] = "scalar"
    formula: ClassVar[str]
    parameters: ClassVar[Mapping[str, float]] = NO_PARAMETERS
    is_learned: ClassVar[bool] = False
    trait: ClassVar[Sentence]
    advantage: ClassVar[Sentence]
    disadvantage: ClassVar[Sentence]
    suits: ClassVar[Sentence]
    gain_note: ClassVar[Sentence | None] = None
    references: ClassVar[tuple[str, ...]]

    @abstractmethod
    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""

    @abstractmethod
    def module(self, **parameters: float) -> nn.Module:
        """Return the activation as a module, torch's own where torch has it."""

    def given(self, parameters: Mapping[str, float]) -> dict[str, float]:
        """Return the parameters, with defaults for those that are not given.

        Raises:
            UnknownName: The activation has no parameter of this name.
        """
        for name in parameters:
            if name not in self.parameters:
                raise unknown_name(f"parameter of {self.name}", name, self.parameters)
        return {**self.parameters, **parameters}


class Applied(nn.Module):
    """An activation that torch has no module for, as a module.

    Args:
        activation: Which.
        parameters: Its parameters.
    """

    def __init__(self, activation: AbstractActivation, **parameters: float) -> None:
        """Keep the activation; there is nothing to train."""
        super().__init__()
        self.activation = activation
        self.parameters_given = activation.given(parameters)

    def forward(self, x: Tensor) -> Tensor:
        """Return φ(x)."""
        return self.activation.function(x, **self.parameters_given)

    def extra_repr(self) -> str:
        """Return the name and the parameters, as ``print(model)`` shows them."""
        return ", ".join([self.activation.name, *(f"{name}={value:g}" for name, value in self.parameters_given.items())])


class AbstractGate(AbstractActivation):
    r"""A gated linear unit: the last axis holds the values :math:`a` and, after them, as many gates :math:`b`; the output is :math:`a\,g(b)`."""

    kind: ClassVar[Kind] = "gate"
    family: ClassVar[Family] = "gate"

    @abstractmethod
    def gate(self, b: Tensor) -> Tensor:
        """Return g(b)."""

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return a·g(b) for the two halves of the last axis, which must have an even size."""
        self.given(parameters)
        value, gate = x.chunk(2, dim=-1)
        return value * self.gate(gate)

    def module(self, **parameters: float) -> nn.Module:
        """Return the gated unit as a module; it halves the last axis."""
        return Applied(self, **parameters)
