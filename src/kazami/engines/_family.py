"""Whether a module is of the family that kernels train: affine maps and activations one after another, however its forward is written."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from ..kernels import Layer


class NotOfTheFamily(Exception):
    """A module is none that kernels train; the message says why."""


@dataclass(frozen=True, slots=True)
class Weight:
    """A parameter, times a number, perhaps transposed."""

    name: str
    factor: float = 1.0
    is_transposed: bool = False


@dataclass(frozen=True, slots=True)
class FoundLayer:
    """A layer and the names of its parameters.

    Attributes:
        layer: As kernels know it, groups not yet looked up.
        weight: Of W.
        bias: Of b, or ``None``.
    """

    layer: Layer
    weight: Weight
    bias: str | None


@dataclass(frozen=True, slots=True)
class _Stage:
    """What is known of a value on its way through the network: whole layers, then ``gain * (scale * W h + b)``, or ``factor * h`` without a matrix."""

    layers: tuple[FoundLayer, ...] = ()
    weight: Weight | None = None
    bias: str | None = None
    scale: float = 1.0
    gain: float = 1.0


NAMES: dict[Any, str] = {
    torch.tanh: "tanh", F.tanh: "tanh", nn.Tanh: "tanh",
    torch.sigmoid: "sigmoid", F.sigmoid: "sigmoid", nn.Sigmoid: "sigmoid",
    torch.relu: "relu", F.relu: "relu", nn.ReLU: "relu",
    F.leaky_relu: "leaky_relu", nn.LeakyReLU: "leaky_relu",
    F.gelu: "gelu", nn.GELU: "gelu",
    F.silu: "silu", nn.SiLU: "silu",
    F.softplus: "softplus", nn.Softplus: "softplus",
}  # fmt: skip
METHODS = {"tanh": "tanh", "sigmoid": "sigmoid", "relu": "relu"}
PRODUCTS = (torch.matmul, operator.matmul, torch.mm)
SHAPES = {"flatten", "view", "reshape", "squeeze", "unsqueeze", "contiguous", "float", "double"}  # whether nothing else happens is found by running it
SHAPE_FUNCTIONS = (torch.flatten, torch.squeeze, torch.unsqueeze, torch.reshape)


def layers_of(model: nn.Module, width: int) -> tuple[FoundLayer, ...]:
    """Return the layers of ``model``, which takes ``width`` numbers a sample.

    Raises:
        NotOfTheFamily: It has something else in it.
    """
    try:
        graph = fx.symbolic_trace(model)
    except Exception as reason:  # a forward may do anything
        said = (str(reason).strip().splitlines() or [type(reason).__name__])[0]
        raise NotOfTheFamily(f"its forward cannot be traced ({said[:120].rstrip('.')})") from None
    reading = _Reading(graph, dict(model.named_parameters(remove_duplicate=False)), width)
    last = reading.closed(reading.run(), "identity", 0.01)
    names = [name for found in last.layers for name in (found.weight.name, found.bias) if name is not None]
    if last.gain != 1.0 or not last.layers:
        raise NotOfTheFamily("its output is not a layer's")
    identities = [id(reading.parameters[name]) for name in names]
    if len(set(identities)) < len(identities):
        raise NotOfTheFamily("a parameter is used in more than one place")
    return last.layers


class _Reading:
    """Walks through a traced module."""

    def __init__(self, traced: fx.GraphModule, parameters: dict[str, Tensor], width: int) -> None:
        self._traced, self.parameters, self._width = traced, parameters, width
        self._values: dict[fx.Node, Any] = {}

    def run(self) -> _Stage:
        """Return what the output is."""
        inputs = [node for node in self._traced.graph.nodes if node.op == "placeholder" and node.users]
        if len(inputs) != 1:
            raise NotOfTheFamily(f"it has {len(inputs)} inputs, not one")
        for node in self._traced.graph.nodes:
            if node.op == "output":
                found = self._known(node.args[0])
                return found if isinstance(found, _Stage) else _refused("its output", found)
            self._values[node] = self._value(node)
        raise NotOfTheFamily("it has no output")

    def _known(self, argument: Any) -> Any:
        return self._values[argument] if isinstance(argument, fx.Node) else argument

    def _value(self, node: fx.Node) -> Any:
        if node.op == "placeholder":
            return _Stage()
        arguments = [self._known(argument) for argument in node.args]
        keywords = {name: self._known(argument) for name, argument in node.kwargs.items()}
        if node.op == "get_attr":
            if str(node.target) not in self.parameters:
                raise NotOfTheFamily(f"{node.target} is a tensor but no parameter")
            return Weight(str(node.target))
        if node.op == "call_module":
            return self._module(str(node.target), self._traced.get_submodule(str(node.target)), arguments)
        if node.op == "call_method":
            return self._method(str(node.target), arguments, keywords)
        return self._function(node.target, arguments, keywords)

    def _module(self, name: str, module: nn.Module, arguments: list[Any]) -> Any:
        stage = _stage(arguments[0], name)
        kind = type(module)
        if isinstance(module, nn.Linear) and kind is nn.Linear:
            return self._product(stage, Weight(f"{name}.weight"), f"{name}.bias" if module.bias is not None else None)
        if kind in (nn.Identity, nn.Flatten) or (isinstance(module, nn.Dropout) and (module.p == 0.0 or not module.training)):
            return stage
        if kind in NAMES:
            return self._activation(NAMES[kind], stage, vars(module))
        raise NotOfTheFamily(f"{name} is a {kind.__name__}")

    def _method(self, name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        if name in METHODS:
            return self._activation(METHODS[name], _stage(arguments[0], name), {})
        if name in ("t", "transpose", "mT") and isinstance(arguments[0], Weight):
            return replace(arguments[0], is_transposed=not arguments[0].is_transposed)
        if name in SHAPES and isinstance(arguments[0], _Stage):
            return arguments[0]
        if name == "size" and isinstance(arguments[0], (_Stage, Weight)):
            return self._shape(arguments[0])[arguments[1]] if len(arguments) > 1 else self._shape(arguments[0])
        aliases: dict[str, Callable[..., Any]] = {"matmul": torch.matmul, "mm": torch.matmul, "mul": operator.mul, "div": operator.truediv, "add": operator.add}
        if name in aliases:
            return self._function(aliases[name], arguments, keywords)
        raise NotOfTheFamily(f"it calls .{name}()")

    def _function(self, function: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        first = arguments[0] if arguments else None
        if function is getattr and arguments[1] == "shape" and isinstance(first, (_Stage, Weight)):
            return self._shape(first)
        if all(not isinstance(part, (_Stage, Weight)) for part in (*arguments, *keywords.values())):
            return _computed(function, arguments, keywords)
        if function in NAMES:
            return self._activation(NAMES[function], _stage(first, _called(function)), _options(function, arguments, keywords))
        if function is F.linear:
            given = [*arguments, *keywords.values()]
            bias = given[2] if len(given) > 2 else None
            if not isinstance(given[1], Weight) or not (bias is None or isinstance(bias, Weight)):
                raise NotOfTheFamily("a linear map is not made of parameters")
            return (
                self._added(self._product(_stage(first, "linear"), given[1], None), bias)
                if bias is not None
                else self._product(_stage(first, "linear"), given[1], None)
            )
        if function in PRODUCTS and isinstance(arguments[1], Weight):
            return self._product(_stage(first, "matmul"), replace(arguments[1], is_transposed=not arguments[1].is_transposed), None)
        if function is getattr and isinstance(first, Weight) and arguments[1] in ("T", "mT"):
            return replace(first, is_transposed=not first.is_transposed)
        if function in SHAPE_FUNCTIONS or (function is F.dropout and not keywords.get("training", True)):
            return _stage(first, _called(function))
        return self._arithmetic(function, arguments)

    def _shape(self, value: "_Stage | Weight") -> tuple[int | None, ...]:
        """Return the shape of a parameter, or of a value; the number of samples is ``None``, with which nothing can be computed."""
        if isinstance(value, Weight):
            shape = tuple(self.parameters[value.name].shape)
            return shape[::-1] if value.is_transposed else shape
        last = self.closed(value, "identity", 0.01).layers
        return (None, last[-1].layer.n_outputs if last else self._width)

    def _arithmetic(self, function: Any, arguments: list[Any]) -> Any:
        if function in (operator.mul, torch.mul, operator.truediv, torch.div, torch.true_divide, operator.neg, torch.neg):
            return _multiplied(function, arguments)
        if function in (operator.add, torch.add, operator.iadd) and len(arguments) == 2:
            value, bias = arguments if isinstance(arguments[0], _Stage) else reversed(arguments)
            if isinstance(value, _Stage) and isinstance(bias, Weight):
                return self._added(value, bias)
        raise NotOfTheFamily(f"it calls {_called(function)}")

    def _added(self, stage: _Stage, bias: Weight) -> _Stage:
        """Return ``stage + bias``: what was a gain becomes part of the scale."""
        if stage.weight is None or stage.bias is not None or bias.factor != 1.0 or bias.is_transposed or self.parameters[bias.name].dim() != 1:
            raise NotOfTheFamily(f"{bias.name} is added where no bias of a layer is")
        return replace(stage, bias=bias.name, scale=stage.scale * stage.gain, gain=1.0)

    def _product(self, stage: _Stage, weight: Weight, bias: str | None) -> _Stage:
        stage = stage if stage.weight is None else self.closed(stage, "identity", 0.01)
        if self.parameters[weight.name].dim() != 2:
            raise NotOfTheFamily(f"{weight.name} is no matrix")
        return replace(stage, weight=replace(weight, factor=1.0), bias=bias, scale=stage.gain * weight.factor, gain=1.0)

    def _activation(self, name: str, stage: _Stage, options: dict[str, Any]) -> _Stage:
        if stage.weight is None:
            raise NotOfTheFamily(f"{name} follows on no layer")
        if name == "gelu" and options.get("approximate", "none") == "tanh":
            name = "gelu_tanh"
        if name == "softplus" and (options.get("beta", 1.0), options.get("threshold", 20.0)) != (1.0, 20.0):
            raise NotOfTheFamily("softplus has another beta or threshold than torch's default")
        return self.closed(stage, name, float(options.get("negative_slope", 0.01)))

    def closed(self, stage: _Stage, activation: str, slope: float) -> _Stage:
        """Return ``stage`` after an activation: one layer more."""
        if stage.weight is None:
            return stage
        matrix = self.parameters[stage.weight.name]
        outputs, inputs = reversed(matrix.shape) if stage.weight.is_transposed else matrix.shape
        layer = Layer(int(inputs), int(outputs), stage.bias is not None, activation, stage.scale, stage.gain, slope)
        return _Stage((*stage.layers, FoundLayer(layer, stage.weight, stage.bias)))


def _computed(function: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Return what a forward computes from numbers alone."""
    try:
        return function(*arguments, **keywords)
    except TypeError:
        raise NotOfTheFamily(f"it computes {_called(function)} with the number of samples") from None


def _stage(value: Any, what: str) -> _Stage:
    return value if isinstance(value, _Stage) else _refused(what, value)


def _refused(what: str, found: Any) -> _Stage:
    del found
    raise NotOfTheFamily(f"{what} does not take the layer before it")


def _multiplied(function: Any, arguments: list[Any]) -> Any:
    """Return a stage or a weight times a number."""
    if function in (operator.neg, torch.neg):
        arguments, function = [arguments[0], -1.0], operator.mul
    value, number = arguments
    if isinstance(number, (_Stage, Weight)) and function in (operator.mul, torch.mul):
        value, number = number, value
    if isinstance(number, Tensor) and number.numel() == 1:
        number = float(number)
    if not isinstance(number, (int, float)) or not math.isfinite(number):
        raise NotOfTheFamily("values are multiplied by something else than a number")
    factor = number if function in (operator.mul, torch.mul) else 1.0 / number
    return replace(value, factor=value.factor * factor) if isinstance(value, Weight) else replace(_stage(value, "a product"), gain=value.gain * factor)


def _options(function: Any, arguments: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
    ordered = {F.leaky_relu: ("negative_slope",), F.softplus: ("beta", "threshold"), F.gelu: ("approximate",)}.get(function, ())
    return {**dict(zip(ordered, arguments[1:], strict=False)), **keywords}


def _called(function: Any) -> str:
    return str(getattr(function, "__name__", function))
