"""What stacked points can go through: values of three kinds, the layers and operations on them, and the error for everything else."""

import copy
import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn


class Unstackable(Exception):
    """Points cannot be stacked on this model; the message says at what."""


class Affine:
    """Activations linear in the coordinates: ``parts`` of shape ``(3, features, examples)``."""

    def __init__(self, parts: Tensor) -> None:
        """Keep the three parts."""
        self.parts = parts


class Weight:
    """A parameter: ``parts`` of shape ``(3, *shape)`` as a function of the coordinates, ``(points, *shape)`` at points."""

    def __init__(self, parts: Tensor) -> None:
        """Keep the parts."""
        self.parts = parts

    def transposed(self) -> "Weight":
        """Return the same with its two dimensions swapped.

        Raises:
            Unstackable: It is no matrix.
        """
        if self.parts.ndim != 3:
            raise Unstackable("a weight that is no matrix is transposed")
        return Weight(self.parts.transpose(1, 2))


class Stack:
    """Activations of many points.

    Attributes:
        values: Shape ``(points, features, examples)``.
        is_flat: The user's own tensor has the examples' dimension only.
        is_image: ``values`` are ``(points, examples, channels, height, width)`` instead.
        is_own: Nobody else holds this memory.
    """

    def __init__(self, values: Tensor, *, is_flat: bool = False, is_image: bool = False, is_own: bool = False) -> None:
        """Keep the values."""
        self.values, self.is_flat, self.is_image, self.is_own = values, is_flat, is_image, is_own

    def changed(self, values: Tensor, *, is_own: bool = True) -> "Stack":
        """Return other values of the same kind."""
        return Stack(values, is_flat=self.is_flat, is_image=self.is_image, is_own=is_own)


PRODUCTS = (operator.matmul, torch.matmul, torch.mm, "matmul", "mm")
SUMS = (operator.add, operator.iadd, torch.add, "add", "add_")
DIFFERENCES = (operator.sub, operator.isub, torch.sub, "sub", "sub_")
SCALINGS = (operator.mul, operator.imul, torch.mul, "mul", "mul_")
QUOTIENTS = (operator.truediv, torch.div, "div")
JOINTS = (torch.cat, torch.concat, torch.concatenate)
RESHAPES = (torch.flatten, torch.reshape, "flatten", "view", "reshape", "contiguous", "clone")
SQUEEZES = (torch.squeeze, "squeeze")
PASSING = (nn.Identity, nn.Dropout, nn.Dropout2d, nn.Flatten)
BINARY: tuple[tuple[tuple[Any, ...], Callable[..., Tensor]], ...] = ((SUMS, torch.add), (DIFFERENCES, torch.sub), (SCALINGS, torch.mul), (QUOTIENTS, torch.div))

ELEMENTWISE_MODULES = {
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Tanh, nn.Sigmoid, nn.Softplus, nn.Softsign),
    *(nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish, nn.LogSigmoid, nn.Tanhshrink, nn.Softshrink, nn.Hardshrink, nn.Threshold),
}
ELEMENTWISE_METHODS: dict[str, Callable[..., Tensor]] = {
    name: getattr(torch, name) for name in ("relu", "tanh", "sigmoid", "sin", "cos", "exp", "abs", "square", "sqrt", "pow", "neg", "clamp", "erf", "log1p")
}
ELEMENTWISE_FUNCTIONS = {
    *ELEMENTWISE_METHODS.values(),
    *(F.relu, F.relu6, F.leaky_relu, F.elu, F.selu, F.celu, F.gelu, F.silu, F.mish, F.tanh, F.sigmoid, F.softplus, F.softsign, F.hardtanh),
    *(F.hardsigmoid, F.hardswish, F.logsigmoid, F.tanhshrink, F.softshrink, F.hardshrink, operator.neg, operator.pow),
}
IN_PLACE: dict[Any, Callable[..., Tensor]] = {torch.relu: torch.relu_, torch.tanh: torch.tanh_, torch.sigmoid: torch.sigmoid_, torch.sin: torch.sin_}


def in_place(module: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return an activation that writes over its input, where torch has one."""
    if isinstance(module, nn.Tanh):
        return torch.tanh_
    if isinstance(module, nn.Sigmoid):
        return torch.sigmoid_
    if hasattr(module, "inplace"):
        module = copy.copy(module)
        setattr(module, "inplace", True)  # noqa: B010  # which modules have one is not in their types
    return module


def batch_normalised(module: nn.BatchNorm1d, values: Tensor, scale: Tensor | None, shift: Tensor | None) -> Tensor:
    """Return what ``BatchNorm1d`` gives, with the weights of each point."""
    if module.training or module.running_mean is None or module.running_var is None:
        variance, mean = torch.var_mean(values, dim=2, correction=0, keepdim=True)
    else:
        mean, variance = module.running_mean[:, None], module.running_var[:, None]
    return _scaled((values - mean) * torch.rsqrt(variance + module.eps), scale, shift)


def layer_normalised(module: nn.LayerNorm, values: Tensor, scale: Tensor | None, shift: Tensor | None) -> Tensor:
    """Return what ``LayerNorm`` over the features gives, with the weights of each point.

    Raises:
        Unstackable: It normalises over more than the features.
    """
    if tuple(module.normalized_shape) != (values.shape[1],):
        raise Unstackable("a LayerNorm over several dimensions")
    variance, mean = torch.var_mean(values, dim=1, correction=0, keepdim=True)
    return _scaled((values - mean) * torch.rsqrt(variance + module.eps), scale, shift)


NORMALISATIONS: dict[type, Callable[..., Tensor]] = {nn.BatchNorm1d: batch_normalised, nn.LayerNorm: layer_normalised}


def _scaled(values: Tensor, scale: Tensor | None, shift: Tensor | None) -> Tensor:
    if scale is not None:
        values = values.mul_(scale.unsqueeze(2))
    return values if shift is None else values.add_(shift.unsqueeze(2))


def is_transpose(node: fx.Node) -> bool:
    """Return whether a node is ``W.t()``, ``W.T`` or ``W.transpose(0, 1)``."""
    if node.target in ("t", torch.t) or (node.target is getattr and node.args[1] in ("T", "mT")):
        return True
    return node.target in ("transpose", torch.transpose) and set(node.args[1:]) in ({0, 1}, {-1, -2})


def is_shape(node: fx.Node) -> bool:
    """Return whether a node asks for a shape."""
    return node.target == "size" or (node.target is getattr and node.args[1] == "shape")


def shape_of(node: fx.Node, values: Tensor) -> Any:
    """Return the shape that the user's own tensor has, or one entry of it; ``values`` are stacked vectors or images."""
    shape = torch.Size(values.shape[1:]) if values.ndim == 5 else torch.Size((values.shape[2], values.shape[1]))
    return shape[node.args[1]] if node.target == "size" and len(node.args) > 1 else shape  # type: ignore[index]


def has_same_entries(node: fx.Node) -> bool:
    """Return whether a node leaves a batch of vectors as it is: ``flatten(1)``, ``view(n, -1)`` and the like."""
    if node.target not in RESHAPES:
        return False
    asked: Any = node.args[1] if len(node.args) == 2 and isinstance(node.args[1], tuple | list) else node.args[1:]
    if node.target in ("contiguous", "clone"):
        return True
    if node.target in ("flatten", torch.flatten):
        return bool(asked == (1,) or node.kwargs.get("start_dim") == 1)
    return bool(len(asked) == 2 and asked[1] == -1)


def arithmetic(node: fx.Node, given: list[Any]) -> Any:
    """Return what a sum, a product, a concatenation or a change of shape gives on stacked points.

    Raises:
        Unstackable: It is none of these.
    """
    if is_shape(node) and isinstance(given[0], Stack):
        return shape_of(node, given[0].values)
    if node.target is operator.getitem and isinstance(given[0], torch.Size):
        return given[0][given[1]]
    if has_same_entries(node) and isinstance(given[0], Stack) and not given[0].is_image:
        return given[0].changed(given[0].values, is_own=False)
    if node.target in SQUEEZES and isinstance(given[0], Stack) and given[0].values.shape[1] == 1 and _dimension(node) in (1, -1):
        return Stack(given[0].values, is_flat=True)
    if node.target in JOINTS and all(isinstance(part, Stack) and not part.is_flat for part in given[0]) and _dimension(node) in (1, -1):
        if len({part.is_image for part in given[0]}) > 1 or (given[0][0].is_image and _dimension(node) != 1):
            raise Unstackable(f"{node.name} joins along another dimension than the features")
        return given[0][0].changed(torch.cat([part.values for part in given[0]], dim=2 if given[0][0].is_image else 1))
    for names, function in BINARY:
        if node.target in names and len(given) == 2 and not node.kwargs and any(isinstance(part, Stack) for part in given):
            like = next(part for part in given if isinstance(part, Stack))
            values = function(*(_beside(part, like) for part in given))
            if values.shape != like.values.shape:
                raise Unstackable(f"{node.name} changes the shape")
            return like.changed(values)
    raise Unstackable(f"{node.name} is not among the operations on which points are stacked")


def _dimension(node: fx.Node) -> Any:
    return node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")


def _beside(part: Any, like: Stack) -> Any:
    """Return an operand in the layout (point, feature, example)."""
    if isinstance(part, Stack) and (part.is_flat, part.is_image) == (like.is_flat, like.is_image):
        return part.values
    if isinstance(part, bool | int | float):
        return part
    if like.is_image:
        if isinstance(part, Weight) and part.parts[0].numel() == 1:
            return part.parts.reshape(-1, 1, 1, 1, 1)
        raise Unstackable("an operand that is no image")
    if like.is_flat:
        raise Unstackable("an operation behind a squeeze")
    if isinstance(part, Weight) and part.parts.ndim <= 2:
        return part.parts.reshape(len(part.parts), -1, 1)
    if isinstance(part, Tensor) and part.ndim <= 2:
        return part.t() if part.ndim == 2 else part.reshape(-1, 1)
    raise Unstackable("an operand that is no batch of vectors")
