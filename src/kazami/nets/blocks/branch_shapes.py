"""Which shape a module gives to its output, found without running it on numbers: on the meta device, with a copy that has no memory of its own."""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ..inside.nested_tensors import tensors_in
from ..inside.private_copy import private_copy, undisturbed

Shapes = tuple[tuple[int, ...], tuple[int, ...]]
# Sizes that a convolution may be asked with: even after many halvings every stride can be told from every other.
_PLACES = (64, 256)


def shapes_at_the_ends(module: nn.Module, example: Any = None) -> Shapes | None:
    """Return the shapes of ``module``'s input and output, ``None`` where they cannot be known before it is called.

    Args:
        module: Any module; it is left as it is.
        example: Its input, a tensor or a tuple of positional arguments; without one, inputs that its first layer would take are tried.

    Raises:
        UsageError: The module cannot be copied, and an example is given.
    """
    if example is not None:
        inputs = example if isinstance(example, tuple) else (example,)
        return _on_meta(module, inputs) or _on_numbers(module, inputs)
    return next((found for inputs in _plausible_inputs(module) if (found := _on_meta(module, inputs)) is not None), None)


def _plausible_inputs(module: nn.Module) -> Iterator[tuple[Tensor, ...]]:
    dtype = next((parameter.dtype for parameter in module.parameters() if parameter.is_floating_point()), torch.get_default_dtype())
    for part in module.modules():
        if isinstance(part, nn.modules.conv._ConvNd):
            yield from (torch.empty(2, part.in_channels, *(size,) * len(part.kernel_size), device="meta", dtype=dtype) for size in _PLACES)  # type: ignore[misc]
            return
        width = part.in_features if isinstance(part, nn.Linear) else part.input_size if isinstance(part, nn.RNNBase) else 0
        if width:
            yield (torch.empty(2, width, device="meta", dtype=dtype),)
            yield (torch.empty(2, 3, width, device="meta", dtype=dtype),)
            return


def _on_meta(module: nn.Module, inputs: Any) -> Shapes | None:
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    try:
        copied = _without_memory(module)
        with torch.no_grad(), undisturbed(module):
            output = copied(*(value.to("meta") if isinstance(value, Tensor) else value for value in inputs))
    except Exception:  # any forward may refuse shapes without numbers: then the first call decides
        return None
    return _shapes(inputs, output)


def _on_numbers(module: nn.Module, inputs: tuple[Any, ...]) -> Shapes | None:
    copied = private_copy(module, mode="as_is")
    try:
        with torch.no_grad(), undisturbed(module):
            output = copied(*inputs)
    except RuntimeError:  # the user's own error; the first call shows it with its traceback
        return None
    return _shapes(inputs, output)


def _without_memory(module: nn.Module) -> nn.Module:
    """Return a deep copy whose parameters and buffers are on the meta device; nothing is doubled in memory on the way."""
    memo: dict[int, Any] = {id(parameter): nn.Parameter(parameter.detach().to("meta"), requires_grad=False) for parameter in module.parameters()}
    memo |= {id(buffer): buffer.detach().to("meta") for buffer in module.buffers()}
    return copy.deepcopy(module, memo)


def _shapes(inputs: Any, output: Any) -> Shapes | None:
    before, after = tensors_in(inputs), tensors_in(output)
    return (tuple(before[0][1].shape), tuple(after[0][1].shape)) if before and after else None
