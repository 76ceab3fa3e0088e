r"""Many points of a plane in one pass, for models made of layers on feature vectors: features first, points stacked, the first layer only once.

The weights of a point are :math:`W(a,b) = W_0 + a W_1 + b W_2`. What meets the data first is therefore linear in the coordinates,
:math:`X W(a,b) = X W_0 + a\,X W_1 + b\,X W_2`, and these three products are made once for the whole plane. Behind the first non-linearity the
points differ; they are stacked, so that one batched product serves many. Activations lie as (point, feature, example): a softmax over few
classes then runs along memory, which alone is several times faster.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from .images import convolved_parts, flattened, image_layer, image_operation
from .layers import (
    ELEMENTWISE_FUNCTIONS,
    ELEMENTWISE_METHODS,
    ELEMENTWISE_MODULES,
    IN_PLACE,
    NORMALISATIONS,
    PASSING,
    PRODUCTS,
    SUMS,
    Affine,
    Stack,
    Unstackable,
    Weight,
    arithmetic,
    has_same_entries,
    in_place,
    is_shape,
    is_transpose,
    shape_of,
)
from .stacked_loss import stacked_loss
from .weights import Batch, called, sizes_of

CACHE_ENTRIES = 2**22  # numbers that one step touches, 16 MiB in float32: measured best between 2**15 and 2**24, where calls and memory cost alike
MOST_POINTS = 1024


def passes(module: nn.Module | None) -> bool:
    """Return whether a layer leaves vectors as they are."""
    return isinstance(module, PASSING) and not (isinstance(module, nn.Dropout | nn.Dropout2d) and module.training)


class StackedLosses:
    """The losses of many points at once.

    Args:
        twin: The working copy of the model, in the mode in which it is to be evaluated.
        loss: ``loss(output, target)``.
        batches: The batches.
        centre: Flat weights.
        first: First direction.
        second: Second direction.

    Raises:
        Unstackable: The model does something on which points cannot be stacked; the message says what.
    """

    def __init__(self, twin: nn.Module, loss: Any, batches: Sequence[Batch], centre: Tensor, first: Tensor, second: Tensor) -> None:
        if loss is None:
            raise Unstackable("the model returns its own loss")
        if any(module._forward_hooks or module._forward_pre_hooks for module in twin.modules()):
            raise Unstackable("the model has forward hooks")
        parameters = list(twin.parameters())
        self.dtype = parameters[0].dtype
        if any(parameter.dtype != self.dtype for parameter in parameters):
            raise Unstackable("its weights are of several precisions")
        lines = torch.stack([centre, first, second]).to(self.dtype)
        parts = lines.split([parameter.numel() for parameter in parameters], dim=1)
        self.parts = {id(parameter): part.view(3, *parameter.shape) for parameter, part in zip(parameters, parts, strict=True)}
        self.modules = dict(twin.named_modules(remove_duplicate=False))
        graph = fx.Tracer().trace(twin)
        sizes = sizes_of(batches)
        with torch.no_grad():
            self.programs = [_Program(self, graph, twin, loss, batch) for batch in batches]
            for program in self.programs:  # the first run finds what cannot be stacked, and how much memory a point needs
                program.run(lines.new_tensor([[1.0, 0.0, 0.0]]))
        self.weights = [size / sum(sizes) for size in sizes]

    @torch.no_grad()
    def losses(self, points: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Yield ``(start, losses)`` for runs of consecutive ``points``, shape ``(points, 2)``."""
        heaviest = max(program.entries_per_point for program in self.programs)
        run = max(1, min(MOST_POINTS, CACHE_ENTRIES // max(heaviest, 1)))
        for start in range(0, len(points), run):
            part = torch.as_tensor(points[start : start + run], dtype=self.dtype)
            coordinates = torch.cat([torch.ones(len(part), 1, dtype=self.dtype), part], 1).to(next(iter(self.parts.values())).device)
            total = torch.zeros(len(part), dtype=torch.float64)
            for program, weight in zip(self.programs, self.weights, strict=True):
                total.add_(program.run(coordinates).double().cpu(), alpha=weight)
            yield start, total.numpy()


class _Program:
    """One batch through the traced graph: what is the same for all points is done here, once; the rest in :meth:`run`."""

    def __init__(self, owner: StackedLosses, graph: fx.Graph, twin: nn.Module, loss: Any, batch: Batch) -> None:
        self.owner, self.twin = owner, twin
        self.loss_of = stacked_loss(loss, batch[1])
        self.static: dict[fx.Node, Any] = {}
        self.dynamic: list[fx.Node] = []
        self.buffers: dict[Any, Tensor] = {}
        self.entries_per_point = 1
        self._bind(graph, batch[0])
        for node in graph.nodes:
            if node.op == "output":
                self.result = node.args[0]
            elif node.op != "placeholder":
                self._place(node)
        if not isinstance(self.result, fx.Node):
            raise Unstackable("the model has several outputs")

    def _bind(self, graph: fx.Graph, inputs: Any) -> None:
        """Bind the batch to the arguments of ``forward`` as the call would."""
        caught: dict[str, Any] = {}

        class Catcher(nn.Module):
            forward = self.twin.forward

            def __call__(self, *positional: Any, **named: Any) -> None:
                caught.update(positional=positional, named=named)

        called(Catcher(), inputs)
        positional = list(caught["positional"])
        for node in graph.nodes:
            if node.op == "placeholder":
                if node.target in caught["named"]:
                    self.static[node] = caught["named"][node.target]
                elif positional:
                    self.static[node] = positional.pop(0)
                elif node.args:
                    self.static[node] = node.args[0]
                else:
                    raise Unstackable(f"forward's argument {node.target} is not in the batch")

    def _place(self, node: fx.Node) -> None:
        """Decide whether a node is the same at all points, linear in the coordinates, or to be computed for every point."""
        if node.op == "get_attr":
            value: Any = self.twin
            for name in str(node.target).split("."):
                value = getattr(value, name)
            parts = self.owner.parts.get(id(value))
            self.static[node] = value if parts is None else Weight(parts)
            return
        arguments = [self.static.get(other, other) for other in node.all_input_nodes]
        if any(isinstance(argument, fx.Node) for argument in arguments):
            self.dynamic.append(node)
            return
        if self._static_step(node, arguments):
            return
        self.dynamic.append(node)

    def _static_step(self, node: fx.Node, arguments: list[Any]) -> bool:
        """Compute a node all of whose inputs are static; ``False`` where points begin to differ."""
        module = self.owner.modules.get(str(node.target)) if node.op == "call_module" else None
        own = [id(parameter) in self.owner.parts for parameter in module.parameters()] if module is not None else []
        if not own and not any(isinstance(argument, Affine | Weight) for argument in arguments):
            self.static[node] = self._native(node)
            return True
        if type(module) is nn.Linear and isinstance(arguments[0], Tensor):
            self.static[node] = self._first_layer(arguments[0], *self._of(module))
            return True
        if type(module) is nn.Conv2d and isinstance(arguments[0], Tensor) and arguments[0].ndim == 4:
            self.static[node] = Affine(convolved_parts(module, arguments[0].to(self.owner.dtype), *self._of(module)))
            return True
        is_vector = isinstance(arguments[0], Affine) and arguments[0].parts.ndim == 3
        if is_vector and (passes(module) or has_same_entries(node)):
            self.static[node] = arguments[0]
            return True
        if isinstance(arguments[0], Affine) and is_shape(node):
            self.static[node] = shape_of(node, arguments[0].parts)
            return True
        if is_transpose(node) and isinstance(arguments[0], Weight):
            self.static[node] = arguments[0].transposed()
            return True
        found = self._first_product(node)
        if found is not None:
            self.static[node] = found
        return found is not None

    def _first_product(self, node: fx.Node) -> Affine | None:
        """Return ``F.linear(X, W, b)``, ``X @ W`` or ``X W + b`` where only weights know of the coordinates."""
        given = [self.static.get(argument, argument) if isinstance(argument, fx.Node) else argument for argument in node.args]
        if node.target is F.linear and isinstance(given[0], Tensor) and isinstance(given[1], Weight):
            named: Any = node.kwargs.get("bias")
            bias: Any = given[2] if len(given) > 2 else self.static.get(named, named)
            return self._first_layer(given[0], given[1], bias)
        if node.target in PRODUCTS and isinstance(given[0], Tensor) and isinstance(given[1], Weight):
            return self._first_layer(given[0], given[1].transposed(), None)
        if node.target in SUMS and len(given) == 2:
            affine, weight = (given[1], given[0]) if isinstance(given[0], Weight) else (given[0], given[1])
            if isinstance(affine, Affine) and affine.parts.ndim == 3 and isinstance(weight, Weight) and weight.parts.ndim == 2:
                return Affine(affine.parts + weight.parts.unsqueeze(2))
        return None

    def _first_layer(self, inputs: Tensor, weight: Weight, bias: Weight | None) -> Affine:
        if inputs.ndim != 2 or weight.parts.ndim != 3:
            raise Unstackable("its first layer does not act on a batch of vectors")
        parts = torch.matmul(weight.parts, inputs.t().to(weight.parts.dtype))
        return Affine(parts if bias is None else parts + bias.parts.unsqueeze(2))

    def _of(self, module: nn.Module) -> tuple[Weight, Weight | None]:
        bias: Any = module.bias
        return Weight(self.owner.parts[id(module.weight)]), None if bias is None else Weight(self.owner.parts[id(bias)])

    def _native(self, node: fx.Node) -> Any:
        arguments, named = fx.node.map_arg((node.args, node.kwargs), lambda other: self.static[other])
        if node.op == "call_module":
            return self.owner.modules[str(node.target)](*arguments, **named)
        if node.op == "call_method":
            return getattr(arguments[0], str(node.target))(*arguments[1:], **named)
        return node.target(*arguments, **named)  # type: ignore[operator]

    def run(self, coordinates: Tensor) -> Tensor:
        """Return the losses, shape ``(points,)``, at ``coordinates``, shape ``(points, 3)``: 1, a, b."""
        self.coordinates = coordinates
        self.now: dict[Any, Any] = {}
        for node in self.dynamic:
            self.now[node] = self._step(node)
        result = self._value(self.result)
        if not isinstance(result, Stack):
            raise Unstackable("its output does not depend on its weights")
        self.entries_per_point = sum(buffer[0].numel() for buffer in self.buffers.values())
        return self.loss_of(result.values, result.is_flat)

    def _value(self, argument: Any) -> Any:
        """Return what an argument of a node is now."""
        if isinstance(argument, tuple | list):
            return [self._value(entry) for entry in argument]
        if not isinstance(argument, fx.Node):
            return argument
        if argument not in self.now:
            static = self.static[argument]
            if isinstance(static, Affine):
                self.now[argument] = Stack(self._stacked(argument, static.parts), is_image=static.parts.ndim == 5, is_own=True)
            elif isinstance(static, Weight):
                self.now[argument] = Weight(self._stacked(argument, static.parts))
            else:
                self.now[argument] = static
        return self.now[argument]

    def _stacked(self, key: Any, parts: Tensor) -> Tensor:
        """Return ``parts[0] + a parts[1] + b parts[2]`` for all points."""
        shape = parts.shape[1:]
        memory = self._memory(key, (len(self.coordinates), shape.numel()))
        return torch.mm(self.coordinates, parts.reshape(3, -1), out=memory).view(-1, *shape)

    def _memory(self, key: Any, shape: tuple[int, ...]) -> Tensor:
        """Return memory that is kept from run to run: fresh memory costs more than the arithmetic on it."""
        found = self.buffers.get(key)
        if found is None or found.shape[1:] != shape[1:] or len(found) < shape[0]:
            found = self.buffers[key] = self.coordinates.new_empty(shape)
        return found[: shape[0]]

    def _step(self, node: fx.Node) -> Any:
        if node.op == "call_module":
            return self._layer(node, self.owner.modules[str(node.target)], self._value(node.args[0]))
        name, given = node.target, [self._value(argument) for argument in node.args]
        if name is F.linear:
            return self._linear(node, given[0], given[1], given[2] if len(given) > 2 else self._value(node.kwargs.get("bias")))
        if name in PRODUCTS and isinstance(given[1], Weight):
            return self._linear(node, given[0], given[1].transposed(), None)
        if is_transpose(node) and isinstance(given[0], Weight):
            return given[0].transposed()
        function = ELEMENTWISE_METHODS.get(str(name)) if node.op == "call_method" else name if name in ELEMENTWISE_FUNCTIONS else None
        if function is None:
            return self._on_images(node, given) or arithmetic(node, given)
        if not isinstance(given[0], Stack) or any(isinstance(other, Stack | Weight | Tensor) for other in given[1:]):
            raise Unstackable(f"{node.name} is no function of one activation")
        if given[0].is_own and len(node.all_input_nodes[0].users) == 1:
            function = IN_PLACE.get(function, function)
        return given[0].changed(function(given[0].values, *given[1:], **node.kwargs))

    def _on_images(self, node: fx.Node, given: list[Any]) -> Stack | None:
        """Return what a function gives that is special to images, ``None`` where it is none."""
        if not given or not isinstance(given[0], Stack) or not given[0].is_image:
            return None
        return flattened(given[0]) if has_same_entries(node) and node.target not in ("contiguous", "clone") else image_operation(node, given)

    def _linear(self, node: fx.Node, given: Any, weight: Any, bias: Any) -> Stack:
        if not isinstance(given, Stack) or given.is_flat or given.is_image or not isinstance(weight, Weight) or weight.parts.ndim != 3:
            raise Unstackable(f"{node.name} is no product of a batch of vectors with a matrix of weights")
        memory = self._memory(node, (len(given.values), weight.parts.shape[1], given.values.shape[2]))
        torch.bmm(weight.parts, given.values, out=memory)
        if bias is not None:
            memory.add_(bias.parts.unsqueeze(2))
        return Stack(memory, is_own=True)

    def _layer(self, node: fx.Node, module: nn.Module, given: Any) -> Stack:
        if not isinstance(given, Stack) or given.is_flat or len(node.args) != 1 or node.kwargs:
            raise Unstackable(f"{type(module).__name__} is given something else than one batch of vectors")
        if passes(module) and not (given.is_image and isinstance(module, nn.Flatten)):
            return given.changed(given.values, is_own=False)
        if type(module) in ELEMENTWISE_MODULES:
            alone = given.is_own and len(node.all_input_nodes[0].users) == 1
            return given.changed((in_place(module) if alone else module)(given.values))
        named = {name: self._own(module, name) for name in ("weight", "bias")}
        if given.is_image:
            return image_layer(module, given, named["weight"], named["bias"], lambda shape: self._memory(node, shape))
        if type(module) is nn.Linear:
            return self._linear(node, given, *named.values())
        if type(module) in NORMALISATIONS:
            scale, shift = (None if weight is None else weight.parts for weight in named.values())
            return Stack(NORMALISATIONS[type(module)](module, given.values, scale, shift), is_own=True)
        if isinstance(module, nn.Softmax | nn.LogSoftmax) and module.dim in (1, -1):
            return Stack((torch.softmax if isinstance(module, nn.Softmax) else torch.log_softmax)(given.values, 1), is_own=True)
        raise Unstackable(f"points cannot be stacked on a {type(module).__name__}")

    def _own(self, module: nn.Module, name: str) -> Weight | None:
        """Return a parameter of a module at all points."""
        parameter = module._parameters.get(name)
        return None if parameter is None else Weight(self._stacked(id(parameter), self.owner.parts[id(parameter)]))
