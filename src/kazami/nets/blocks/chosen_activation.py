"""From what a user calls an activation (a name, a function, a module or its class) to a module."""

import copy
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UsageError

Given = str | Callable[..., Any] | nn.Module


class Elementwise(nn.Module):
    """A function as a module.

    Args:
        function: Any function of a tensor.
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Return the function's value."""
        return self.function(x)

    def extra_repr(self) -> str:
        """Return the function's name."""
        return str(getattr(self.function, "__name__", self.function))


def activation_module(given: Given) -> nn.Module:
    """Return a new module for an activation.

    Args:
        given: A name of the catalogue; a module, which is copied; a class of modules or a function without arguments, which is called; or a function of
            a tensor.

    Raises:
        UsageError: It is nothing of these, or the catalogue does not have the name.

    Example:
        >>> activation_module(nn.Tanh), activation_module(torch.sin)
        (Tanh(), Elementwise(sin))
    """
    if isinstance(given, str):
        from ..catalogue.entries import activation

        named: nn.Module = activation(given).module()
        return named
    if isinstance(given, nn.Module):
        return copy.deepcopy(given)
    if not callable(given):
        raise UsageError(f"An activation should be a name of `kazami nets activations`, a module or a function, and is {given!r}.")
    if not _makes_modules(given):
        return Elementwise(given)
    made = given()
    if not isinstance(made, nn.Module):
        raise UsageError(f"An activation without arguments should return an nn.Module, and {given!r} returned {type(made).__name__}.")
    return made


def name_of_activation(given: Given) -> str:
    """Return a name to show: the catalogue's, or the function's or module's own."""
    if isinstance(given, str):
        return given
    name = getattr(given, "__name__", None) or type(given).__name__
    return "φ" if name == "<lambda>" else str(name)


def inputs_per_output(module: nn.Module) -> int:
    """Return how many numbers the activation takes for each it gives: 1 for elementwise ones, 2 for the gated linear units.

    >>> inputs_per_output(nn.ReLU()), inputs_per_output(nn.GLU())
    (1, 2)
    """
    n_probed = 12
    with torch.no_grad():
        n_given = copy.deepcopy(module).eval()(torch.linspace(-1, 1, n_probed)[None]).shape[-1]
    if n_given < 1 or n_probed % n_given:
        raise UsageError(f"The activation {module} should give one number for each one, two, … that it takes, and gives {n_given} for {n_probed}.")
    return int(n_probed // n_given)


def _makes_modules(given: Callable[..., Any]) -> bool:
    if isinstance(given, type):
        return True
    try:
        parameters = inspect.signature(given).parameters.values()
    except (TypeError, ValueError):  # functions written in C have no signature: they take a tensor
        return False
    return all(one.default is not one.empty or one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters)
