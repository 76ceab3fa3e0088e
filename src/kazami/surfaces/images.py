"""Stacked points on images: the first convolution is linear in the coordinates, pooling and normalisation serve all points at once."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from .layers import Stack, Unstackable, Weight

POOLS = (F.max_pool2d, F.avg_pool2d, F.adaptive_avg_pool2d)


def convolved_parts(module: nn.Conv2d, inputs: Tensor, weight: Weight, bias: Weight | None) -> Tensor:
    """Return the convolution of fixed images with the three parts of a weight, ``(3, examples, channels, height, width)``."""
    offsets = [None, None, None] if bias is None else list(bias.parts)
    return torch.stack([_convolution(module, inputs, part, offset) for part, offset in zip(weight.parts, offsets, strict=True)])


def image_layer(module: nn.Module, given: Stack, weight: Weight | None, bias: Weight | None, memory: Any) -> Stack:
    """Return what a layer on images gives at every point.

    Args:
        module: The layer.
        given: Images of many points, ``(points, examples, channels, height, width)``.
        weight: Its weight at all points.
        bias: Its bias at all points.
        memory: ``fn(shape)`` that gives memory kept from run to run.

    Raises:
        Unstackable: The layer is not known here.
    """
    values = given.values
    if type(module) is nn.Conv2d and weight is not None:
        offsets = [None] * len(values) if bias is None else list(bias.parts)
        found = [_convolution(module, one, own, offset) for one, own, offset in zip(values, weight.parts, offsets, strict=True)]
        return Stack(torch.stack(found, out=memory((len(found), *found[0].shape))), is_image=True, is_own=True)
    if type(module) is nn.BatchNorm2d:
        return Stack(_normalised(module, values, weight, bias), is_image=True, is_own=True)
    if type(module) is nn.Flatten and module.start_dim == 1 and module.end_dim == -1:
        return flattened(given)
    if type(module) is nn.MaxPool2d and not module.return_indices:
        return pooled(given, F.max_pool2d, (module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode))
    if type(module) is nn.AvgPool2d and module.divisor_override is None:
        return pooled(given, F.avg_pool2d, (module.kernel_size, module.stride, module.padding, module.ceil_mode, module.count_include_pad))
    if type(module) is nn.AdaptiveAvgPool2d:
        return pooled(given, F.adaptive_avg_pool2d, (module.output_size,))
    raise Unstackable(f"points cannot be stacked on a {type(module).__name__}")


def image_operation(node: fx.Node, given: list[Any]) -> Stack | None:
    """Return what a function or method on images gives; ``None`` where it is not known here."""
    first = given[0]
    if node.target in POOLS:
        return pooled(first, node.target, tuple(given[1:]), **node.kwargs)
    if node.target in (torch.mean, "mean"):
        dimensions = given[1] if len(given) > 1 else node.kwargs.get("dim")
        keeps = bool(given[2] if len(given) > 2 else node.kwargs.get("keepdim"))
        if isinstance(dimensions, tuple | list) and {d % 4 for d in dimensions} == {2, 3} and not keeps:
            return Stack(first.values.mean((3, 4)).transpose(1, 2), is_own=True)
    return None


def flattened(given: Stack) -> Stack:
    """Return images as vectors, features first."""
    return Stack(given.values.flatten(2).transpose(1, 2))


def pooled(given: Stack, function: Any, arguments: tuple[Any, ...], **named: Any) -> Stack:
    """Return pooled images; windows that touch and fill the image are compared slice by slice, which is several times faster than torch's own way."""
    values = given.values
    height, width = values.shape[-2:]
    sizes = [_pair(argument) if index < 4 and not isinstance(argument, bool) else argument for index, argument in enumerate(arguments)]
    plain = function is F.max_pool2d and not named and (len(sizes) < 2 or sizes[1] in (None, sizes[0])) and sizes[2:4] in ([], [(0, 0)], [(0, 0), (1, 1)])
    if plain and height % sizes[0][0] == 0 and width % sizes[0][1] == 0:
        rows, columns = sizes[0]
        slices = [values[..., row::rows, column::columns] for row in range(rows) for column in range(columns)]
        most = slices[0] if len(slices) == 1 else torch.maximum(slices[0], slices[1])
        for other in slices[2:]:
            most = torch.maximum(most, other)
        return Stack(most, is_image=True, is_own=len(slices) > 1)
    if function is F.adaptive_avg_pool2d and _pair(arguments[0]) == (1, 1):
        return Stack(values.mean((3, 4), keepdim=True), is_image=True, is_own=True)
    found = function(values.flatten(0, 1), *arguments, **named)
    return Stack(found.view(*values.shape[:2], *found.shape[1:]), is_image=True, is_own=True)


def _convolution(module: nn.Conv2d, images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if module.padding_mode != "zeros":
        raise Unstackable(f"padding {module.padding_mode}")
    return F.conv2d(images, weight, bias, module.stride, module.padding, module.dilation, module.groups)


def _normalised(module: nn.BatchNorm2d, values: Tensor, weight: Weight | None, bias: Weight | None) -> Tensor:
    if module.training or module.running_mean is None or module.running_var is None:
        variance, mean = torch.var_mean(values, dim=(1, 3, 4), correction=0, keepdim=True)
    else:
        mean, variance = module.running_mean[:, None, None], module.running_var[:, None, None]
    scale = torch.rsqrt(variance + module.eps)
    if weight is not None:
        scale = scale * weight.parts[:, None, :, None, None]
    shift = -mean * scale
    if bias is not None:
        shift = shift + bias.parts[:, None, :, None, None]
    return torch.addcmul(shift, values, scale)


def _pair(size: Any) -> Any:
    return (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, list) else size
