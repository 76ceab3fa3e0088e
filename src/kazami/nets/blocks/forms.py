"""One linear layer, written in columns and in rows: Y = W Xᵀ + bᵀ and Y′ = X W′ + b are each other's transpose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UsageError, closest
from ..inside.private_copy import private_copy, undisturbed
from ..starts.listening import listening, positional

_SHOWN = 64  # numbers of a matrix that people still read


@dataclass(frozen=True, slots=True)
class Form:
    """One way of writing the layer.

    Attributes:
        formula: In the letters of the mission: ``"Y = W Xᵀ + bᵀ"`` or ``"Y′ = X W′ + b"``.
        input: Xᵀ, shape (n_in, N), or X, shape (N, n_in).
        weight: W, shape (n_out, n_in), or W′ = Wᵀ, shape (n_in, n_out).
        bias: bᵀ, shape (n_out, 1), or b, shape (1, n_out).
        output: Y, shape (n_out, N), or Y′, shape (N, n_out).
    """

    formula: str
    input: Tensor
    weight: Tensor
    bias: Tensor
    output: Tensor

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each quantity."""
        return {name: tuple(getattr(self, name).shape) for name in ("input", "weight", "bias", "output")}

    def to_dict(self) -> dict[str, Any]:
        """Return formula, shapes, and the numbers of small quantities; ``None`` for large ones."""
        small = {name: getattr(self, name).tolist() if getattr(self, name).numel() <= _SHOWN else None for name in self.shapes}
        return {"formula": self.formula, "shapes": {name: list(shape) for name, shape in self.shapes.items()}, "values": small}


@dataclass(frozen=True, slots=True)
class BothForms:
    """A layer in both forms.

    Attributes:
        layer: Its name in the model.
        column: Y = W Xᵀ + bᵀ.
        row: Y′ = X W′ + b, which PyTorch computes; it stores W, the transpose of W′.
        difference: Largest absolute difference between Y′ and Yᵀ.
        difference_to_layer: Largest absolute difference between Y′ and what the layer itself answers.
    """

    layer: str
    column: Form
    row: Form
    difference: float
    difference_to_layer: float

    def to_dict(self) -> dict[str, Any]:
        """Return the forms as plain data, the form of ``--json``."""
        return {
            "layer": self.layer,
            "column": self.column.to_dict(),
            "row": self.row.to_dict(),
            "difference": self.difference,
            "difference_to_layer": self.difference_to_layer,
        }


def both_forms(model: nn.Module, layer_name: str | None = None, example: Any = None, *, keywords: Mapping[str, Any] | None = None) -> BothForms:
    r"""Return a linear layer in column form and in row form, with the input that it gets in the model.

    Args:
        model: An ``nn.Linear``, or a model that holds one.
        layer_name: The layer's name in ``model.named_modules()``; the first linear layer by default.
        example: Input of the *model*, tensor or tuple; for the layer alone, standard normal rows by default.
        keywords: Keyword arguments of the model.

    Raises:
        UsageError: There is no such layer, it is not called, or an example is needed.

    Limits:
        Inputs of more than two dimensions are read as rows: (batch, time, n_in) becomes (batch·time, n_in).

    Example:
        >>> forms = both_forms(nn.Linear(3, 4))
        >>> forms.column.shapes["weight"], forms.row.shapes["weight"], forms.difference < 1e-6
        ((4, 3), (3, 4), True)
    """
    name, layer = _layer(model, layer_name)
    if layer is model and example is None:
        generator = torch.Generator(layer.weight.device).manual_seed(0)
        example = torch.randn(2, layer.in_features, generator=generator, dtype=layer.weight.dtype, device=layer.weight.device)
    if example is None and not keywords:
        raise UsageError(f"To show what {name!r} computes in the model, give an example of the model's input.")
    x, answer = _seen(model, name, example, keywords or {})
    with torch.no_grad():
        weight = layer.weight.detach().clone()
        bias = weight.new_zeros(1, len(weight)) if layer.bias is None else layer.bias.detach().clone()[None]
        column = Form("Y = W Xᵀ + bᵀ", x.T, weight, bias.T, weight @ x.T + bias.T)
        row = Form("Y′ = X W′ + b", x, weight.T, bias, x @ weight.T + bias)
    return BothForms(name, column, row, _largest(row.output - column.output.T), _largest(row.output - answer))


def _layer(model: nn.Module, layer_name: str | None) -> tuple[str, nn.Linear]:
    linear = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    if not linear:
        raise UsageError(f"{type(model).__name__} should hold an nn.Linear to be written in both forms, and holds none.")
    name = next(iter(linear)) if layer_name is None else layer_name
    if name not in linear:
        match = closest(name, linear)
        raise UsageError(f"{name!r} is no nn.Linear of the model." + (f" Did you mean {match!r}?" if match else f" There are: {', '.join(list(linear)[:20])}."))
    return name, linear[name]


def _seen(model: nn.Module, name: str, example: Any, keywords: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Return what goes into the layer and what comes out, as rows, at its first call."""
    copied = private_copy(model, mode="as_is")
    layer = dict(copied.named_modules())[name]
    seen: list[tuple[Tensor, Tensor]] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        del module
        seen.append((inputs[0].detach().clone(), output.detach().clone()))

    with listening([layer], keep), undisturbed(copied), torch.no_grad():
        copied(*positional(example), **keywords)
    if not seen:
        raise UsageError(f"The layer {name!r} is not called as a module when the model runs on this example.")
    x, answer = seen[0]
    return x.reshape(-1, x.shape[-1]), answer.reshape(-1, answer.shape[-1])


def _largest(difference: Tensor) -> float:
    return float(difference.abs().max()) if difference.numel() else 0.0
