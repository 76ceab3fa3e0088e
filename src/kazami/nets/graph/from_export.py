"""A tape from ``torch.export``: the graph as PyTorch itself exports it, with the path of the module each operation ran in."""

from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor, fx, nn

from .calling import Call, constants_of, is_tensor, leaves_of, named_leaves, output_names
from .tape import Operation, Tape, Value
from .vocabulary import SIZELESS, is_in_place, plain_name

PREFIX = "model"


class _Flat(nn.Module):
    """The model as a function from a row of tensors to a row of tensors."""

    def __init__(self, model: nn.Module, call: Call, note: Callable[[list[str]], None]) -> None:
        super().__init__()
        self.model = model
        self._call = call
        self._places = {id(tensor): place for place, (_, tensor) in enumerate(call.tensors())}
        self._note = note

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Call the model with its tensors replaced."""
        given = self._call.with_tensors(lambda tensor: tensors[self._places[id(tensor)]])
        leaves = list(named_leaves(given.on(self.model), "", is_tensor))
        self._note([name for name, _ in leaves])
        return tuple(tensor for _, tensor in leaves)


def capture_by_export(model: nn.Module, call: Call, names_of: dict[int, tuple[str, ...]]) -> Tape:
    """Return the tape of an exported model.

    Args:
        model: A copy that may be changed.
        call: Its arguments.
        names_of: All names of each parameter and buffer, by its identity in ``model``.

    Raises:
        Exception: Whatever ``torch.export`` raises where it cannot export.
    """
    paths: list[list[str]] = []
    tensors = tuple(tensor for _, tensor in call.tensors())
    flat = _Flat(model, call, paths.append)
    with torch.compiler.set_stance("default"):  # control flow operators are captured by the compiler's front end
        exported = torch.export.export(flat, tensors, strict=False)
    names = output_names(paths[-1])
    tape = _written(_Writer(Tape(), exported, flat, _symbolic), call, names_of, names)
    if all(operation.op in SIZELESS for operation in tape.operations):  # a kernel that is given a wrong size may write where it must not
        tape.again = lambda larger: _written(_Writer(Tape(), exported, flat, _real(exported, larger)), larger, names_of, names)
    return tape


def _written(writer: "_Writer", call: Call, names_of: dict[int, tuple[str, ...]], names: list[str]) -> Tape:
    for node, (name, _) in zip(writer.read_sources(names_of), call.tensors(), strict=True):
        writer.source("input", node, (name,))
    writer.write(writer.exported.graph_module.graph, writer.exported.graph_module)
    ends = [writer.tape.ref(node) if isinstance(node, fx.Node) else None for node in writer.returned]
    writer.tape.outputs = [(name, ref) for name, ref in zip(names, ends, strict=False) if ref is not None]
    return writer.tape


def _symbolic(node: fx.Node) -> Any:
    return node.meta.get("val")


def _real(exported: Any, call: Call) -> Callable[[fx.Node], Any]:
    """Run an exported graph on another call, and return what each of its nodes gave.

    Raises:
        Exception: A size of the first call is written into the graph.
    """
    given: list[Any] = []
    inputs = iter(tensor for _, tensor in call.tensors())
    for spec in exported.graph_signature.input_specs:
        own = exported.state_dict.get(spec.target, exported.constants.get(spec.target)) if spec.target else None
        if isinstance(own, Tensor) and spec.kind.name != "PARAMETER":
            own = own.clone()  # a kernel may write into it: running statistics
        given.append(next(inputs) if spec.kind.name == "USER_INPUT" else own)
    runner = fx.Interpreter(exported.graph_module, garbage_collect_values=False)
    with torch.no_grad():
        runner.run(*given)
    return lambda node: runner.env[node]


class _Writer:
    """Writes the nodes of an exported graph, and of the graphs inside it, onto a tape."""

    def __init__(self, tape: Tape, exported: Any, flat: nn.Module, look: Callable[[fx.Node], Any]) -> None:
        self.tape = tape
        self.returned: list[Any] = []
        self.exported = exported
        self._flat = flat
        self._look = look  # what a node gave

    def source(self, kind: str, node: fx.Node, names: tuple[str, ...]) -> None:
        """Write down a quantity."""
        self.tape.put(Operation(kind, values=[value_of(self._look(node))], names=names), [node])

    def read_sources(self, names_of: dict[int, tuple[str, ...]]) -> list[fx.Node]:
        """Write down parameters, buffers and constants, and return the placeholders of the inputs."""
        nodes = {node.name: node for node in self.exported.graph.nodes if node.op == "placeholder"}
        inputs: list[fx.Node] = []
        parameters = {**dict(self._flat.named_parameters(remove_duplicate=False)), **dict(self._flat.named_buffers(remove_duplicate=False))}
        for spec in self.exported.graph_signature.input_specs:
            node = nodes[spec.arg.name]
            if spec.kind.name == "USER_INPUT":
                inputs.append(node)
            elif isinstance(self._look(node), Tensor):
                own = parameters.get(spec.target)
                names = names_of.get(id(own), (spec.target.removeprefix(PREFIX + "."),))
                kind = {"PARAMETER": "parameter", "BUFFER": "buffer"}.get(spec.kind.name, "constant")
                self.source(kind, node, names)
        return inputs

    def write(self, graph: fx.Graph, owner: nn.Module) -> None:
        """Write down all calls of a graph; graphs wrapped in a context (``no_grad``, autocast) are written in place."""
        for node in graph.nodes:
            if node.op == "call_function":
                self._write_call(node, owner)
            elif node.op == "output":
                self.returned = list(node.args[0]) if isinstance(node.args[0], tuple | list) else [node.args[0]]

    def _write_call(self, node: fx.Node, owner: nn.Module) -> None:
        name = getattr(node.target, "__name__", str(node.target))
        if name == "getitem" and self._bind_part(node):
            return
        if name.startswith("wrap_with"):
            self._write_inside(node, owner)
            return
        made = self._look(node)
        values = values_of(made)
        leaves = leaves_of((node.args, node.kwargs))
        inputs = [ref for one in leaves if isinstance(one, fx.Node) and (ref := self.tape.ref(one)) is not None]
        if plain_name(node.target) == "decision" and inputs:
            self.tape.put(Operation("decision", inputs, [], _path(node), constants=("value read",)))
        if not values:
            return
        operation = Operation(plain_name(node.target), inputs, values, _path(node), constants=constants_of(leaves))
        keys: list[Hashable] = [node] if isinstance(made, Tensor) else [(node, slot) for slot in range(len(values))]
        if is_in_place(node.target) and inputs:
            self.tape.put_in_place(operation, keys)
        else:
            self.tape.put(operation, keys)

    def _bind_part(self, node: fx.Node) -> bool:
        part = self.tape.ref((node.args[0], node.args[1]))
        if part is not None:
            self.tape.bind(node, part)
        return part is not None

    def _write_inside(self, node: fx.Node, owner: nn.Module) -> None:
        graphs = [one for one in node.all_input_nodes if one.op == "get_attr" and isinstance(getattr(owner, str(one.target), None), fx.GraphModule)]
        inner = getattr(owner, str(graphs[0].target))
        operands = list(node.args[list(node.args).index(graphs[0]) + 1 :])
        places = [one for one in inner.graph.nodes if one.op == "placeholder"]
        for place, operand in zip(places, operands, strict=False):
            ref = self.tape.ref(operand) if isinstance(operand, fx.Node) else None
            if ref is not None:
                self.tape.bind(place, ref)
        kept, self.returned = self.returned, []
        self.write(inner.graph, inner)
        for slot, one in enumerate(self.returned):
            ref = self.tape.ref(one) if isinstance(one, fx.Node) else None
            if ref is not None:
                self.tape.bind((node, slot), ref)
        self.returned = kept


def _path(node: fx.Node) -> str:
    stack = list(node.meta.get("nn_module_stack", {}).values())
    path = str(stack[-1][0]) if stack else ""
    return path.removeprefix(PREFIX).removeprefix(".")


def values_of(made: Any) -> list[Value]:
    """Return the looks of what an operation gave, one for each of its outputs; nothing where none is a tensor."""
    parts = made if isinstance(made, tuple | list) else [made]
    return [value_of(part) for part in parts] if any(isinstance(part, Tensor) for part in parts) else []


def value_of(tensor: Any) -> Value:
    """Return the looks of a tensor."""
    if not isinstance(tensor, Tensor):
        return Value((), "")
    return Value(tuple(_size(size) for size in tensor.shape), str(tensor.dtype).removeprefix("torch."))


def _size(size: Any) -> int:
    """Return a size; one that depends on the data is unknown, and written as -1."""
    return size if type(size) is int else -1
