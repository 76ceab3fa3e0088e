"""How the size of signals and of gradients changes from layer to layer."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import UsageError
from ..blocks.residual import Residual
from ..inside.nested_tensors import tensors_in
from ..inside.private_copy import private_copy, undisturbed
from .listening import listening, positional


@dataclass(frozen=True, slots=True)
class LayerVariance:
    """One call of one layer.

    Attributes:
        name: The layer's name, with ``@2``, ``@3`` … for further calls of the same layer.
        kind: Its class.
        mean: Mean of its output (the pre-activation), over examples and units.
        variance: Variance of its output.
        gradient_mean: Mean of the gradient that arrives at its output.
        gradient_variance: Variance of that gradient about 0: its mean square; NaN where none arrives.
    """

    name: str
    kind: str
    mean: float
    variance: float
    gradient_mean: float
    gradient_variance: float


@dataclass(frozen=True, slots=True)
class DepthVariance:
    """All layers with weights, in the order of their calls.

    Attributes:
        layers: One entry per call.
    """

    layers: tuple[LayerVariance, ...]

    @property
    def signal_slope(self) -> float:
        """By how much the natural logarithm of the variance changes per layer on the way forward (least squares); 0: signals keep their size."""
        return _slope([layer.variance for layer in self.layers])

    @property
    def gradient_slope(self) -> float:
        """By how much the natural logarithm of the mean squared gradient changes per layer on the way back; ln χ of mean-field theory."""
        return -_slope([layer.gradient_variance for layer in self.layers])

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain data, the form of ``--json``."""
        return {"signal_slope": self.signal_slope, "gradient_slope": self.gradient_slope, "layers": [asdict(layer) for layer in self.layers]}


def variance_through_depth(model: nn.Module, example: Any, *, keywords: Mapping[str, Any] | None = None, seed: int = 0) -> DepthVariance:
    r"""Return mean and variance of each layer's output, and of the gradient that arrives there, for one batch.

    The gradient is that of :math:`\sum_i v_i y_i` over all outputs *y*, with fixed :math:`v_i \sim N(0, 1)`: what depth does to a gradient of unit variance,
    whatever the loss. A copy of the model is asked, in the mode that the model is in; the model itself is not touched.

    Args:
        model: Any module.
        example: Positional arguments of its ``forward``, a tensor or a tuple; ``None`` with ``keywords`` alone.
        keywords: Keyword arguments.
        seed: For v and for dropout.

    Raises:
        UsageError: No layer with weights is called.

    Limits:
        Layers are modules with a weight matrix or kernel of their own that are called as modules; embeddings are left out, and what a module does with
        functions (attention's projections) is seen at the next layer only. One draw of *v*: at width *n* and batch *B* the mean squared gradient has a relative
        error of about :math:`\sqrt{2/n}` to :math:`\sqrt{2/(nB)}`.

    References:
        Glorot and Bengio 2010, figures 6 and 7.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> layers = [nn.Linear(200, 200, bias=False) for _ in range(5)]
        >>> for layer in layers:
        ...     _ = nn.init.orthogonal_(layer.weight)
        >>> measured = variance_through_depth(nn.Sequential(*layers), torch.randn(64, 200))
        >>> len(measured.layers), abs(measured.signal_slope) < 1e-3, abs(measured.gradient_slope) < 1e-3
        (5, True, True)
    """
    copied = private_copy(model, mode="as_is")
    names = {id(module): name for name, module in copied.named_modules()}
    kept: list[tuple[str, str, float, float, Tensor]] = []
    calls: dict[int, int] = {}

    def keep(module: nn.Module, inputs: Any, output: Any) -> Any:
        del inputs
        found = tensors_in(output)
        if not found or not found[0][1].is_floating_point():
            return None
        first = found[0][1]
        first = first if first.requires_grad else first.detach().requires_grad_()
        calls[id(module)] = calls.get(id(module), 0) + 1
        name = names[id(module)] + ("" if calls[id(module)] == 1 else f"@{calls[id(module)]}")
        values = first.detach().double()
        kept.append((name, type(module).__name__, float(values.mean()), float(values.var(correction=0)), first))
        return _replaced(output, first.clone())  # what comes after may change it in place

    with listening(filter(_has_weights, copied.modules()), keep), undisturbed(copied), torch.enable_grad():
        torch.manual_seed(seed)
        outputs = [value for _, value in tensors_in(copied(*positional(example), **(keywords or {}))) if value.requires_grad and value.is_floating_point()]
        if not kept:
            raise UsageError(f"{type(model).__name__} calls no layer with weights, so there is no depth to measure.")
        gradients = _pulled_back(outputs, [first for *_, first in kept])
    layers = []
    for (name, kind, mean, variance, _), gradient in zip(kept, gradients, strict=True):
        values = None if gradient is None else gradient.double()
        of_gradient = (math.nan, math.nan) if values is None else (float(values.mean()), float(values.square().mean()))
        layers.append(LayerVariance(name, kind, mean, variance, *of_gradient))
    return DepthVariance(tuple(layers))


def _has_weights(module: nn.Module) -> bool:
    """Tell whether a module has a matrix or kernel of its own; a `Residual` only shows that of the layer it wraps."""
    if isinstance(module, nn.Embedding | nn.EmbeddingBag | Residual):
        return False
    parametrized = isinstance(module, nn.Linear | nn.modules.conv._ConvNd)
    return parametrized or any(parameter.ndim >= 2 for parameter in module.parameters(recurse=False))


def _replaced(output: Any, first: Tensor) -> Any:
    if isinstance(output, Tensor):
        return first
    return type(output)((first, *output[1:])) if type(output) in (tuple, list) and isinstance(output[0], Tensor) else output


def _pulled_back(outputs: list[Tensor], places: list[Tensor]) -> tuple[Tensor | None, ...]:
    if not outputs:
        return (None,) * len(places)
    drawn = [torch.randn(output.shape, dtype=torch.float64).to(output) for output in outputs]
    return torch.autograd.grad(outputs, places, drawn, allow_unused=True)


def _slope(values: list[float]) -> float:
    numbers = np.array(values)
    usable = np.isfinite(numbers) & (numbers > 0)
    if usable.sum() < 2:
        return math.nan
    return float(np.polyfit(np.flatnonzero(usable), np.log(numbers[usable]), deg=1)[0])
