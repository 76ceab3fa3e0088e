"""A tape from ``torch.fx``: the model's forward run once on symbols, then once on the example for the shapes."""

from typing import Any

import torch
from torch import Tensor, fx, nn

from .calling import Call, constants_of, leaves_of, named_leaves, output_names
from .from_export import value_of, values_of
from .tape import Operation, Ref, Tape
from .vocabulary import is_in_place, plain_name

# Modules whose forward asks for sizes and flags that a symbol does not have, and what they are called.
WHOLE: dict[type[nn.Module], str] = {
    nn.LSTM: "lstm",
    nn.GRU: "gru",
    nn.RNN: "rnn",
    nn.MultiheadAttention: "multi_head_attention_forward",
    nn.modules.instancenorm._InstanceNorm: "instance_norm",
    nn.modules.batchnorm._BatchNorm: "batch_norm",
}


def capture_by_fx(model: nn.Module, call: Call, names_of: dict[int, tuple[str, ...]]) -> Tape:
    """Return the tape of a symbolically traced model.

    Args:
        model: A copy that may be changed.
        call: Its arguments.
        names_of: All names of each parameter and buffer, by its identity in ``model``.

    Raises:
        Exception: Whatever ``torch.fx`` raises where it cannot trace.
    """
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        raise TypeError("there is a scripted module in it, which it does not look into")
    tensors = [tensor for _, tensor in call.tensors()]
    tracer = _Tracer(call)
    graph = tracer.trace(model)
    runner = _Runner(fx.GraphModule(model, graph), call, names_of)
    runner.run(*tensors)
    names = output_names(tracer.paths)
    ends = [runner.tape.ref(node) if isinstance(node, fx.Node) else None for node in leaves_of(graph.output_node().args)]
    runner.tape.outputs = [(name, ref) for name, ref in zip(names, ends, strict=True) if ref is not None]
    return runner.tape


class _Tracer(fx.Tracer):
    """Goes into every module but a few, and gives the model its example with symbols in place of tensors."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.paths: list[str] = []
        self._call = call

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Return whether a module stays one operation."""
        del module_qualified_name
        return isinstance(m, tuple(WHOLE))

    def create_args_for_root(self, root_fn: Any, is_module: bool, concrete_args: Any = None) -> Any:
        """Return a forward whose only tensors are symbols."""
        del is_module, concrete_args
        symbols = {id(tensor): self.create_proxy("placeholder", f"x{place}", (), {}) for place, (_, tensor) in enumerate(self._call.tensors())}
        given = self._call.with_tensors(lambda tensor: symbols[id(tensor)])

        def forward(root: nn.Module) -> Any:
            made = list(named_leaves(root_fn(root, *given.arguments, **given.keywords), "", lambda one: isinstance(one, fx.Proxy)))
            self.paths = [path for path, _ in made]
            return tuple(value for _, value in made)

        return forward, [self.root]


class _Runner(fx.Interpreter):
    """Runs the graph on the example and writes down what gives tensors."""

    def __init__(self, module: fx.GraphModule, call: Call, names_of: dict[int, tuple[str, ...]]) -> None:
        super().__init__(module, garbage_collect_values=False)
        self.tape = Tape()
        self._inputs = iter(call.tensors())
        self._names_of = names_of
        self._sources: dict[int, int] = {}
        self._parts: dict[int, Ref] = {}  # by the identity of the tensor, which the interpreter keeps

    def run_node(self, n: fx.Node) -> Any:
        """Run a node and write it down."""
        made = super().run_node(n)
        if n.op == "placeholder":
            name, tensor = next(self._inputs)
            self.tape.put(Operation("input", values=[value_of(tensor)], names=(name,)), [n])
        elif n.op == "get_attr" and isinstance(made, Tensor):
            self.tape.bind(n, (self._source(made, str(n.target)), 0))
        elif n.op.startswith("call"):
            self._write(n, made)
        return made

    def _source(self, tensor: Tensor, target: str) -> int:
        place = self._sources.get(id(tensor))
        if place is None:
            kind = "parameter" if isinstance(tensor, nn.Parameter) else "buffer" if id(tensor) in self._names_of else "constant"
            place = self.tape.put(Operation(kind, values=[value_of(tensor)], names=self._names_of.get(id(tensor), (target,))))
            self._sources[id(tensor)] = place
        return place

    def _write(self, node: fx.Node, made: Any) -> None:
        values = values_of([one for one in leaves_of(made) if isinstance(one, Tensor)])
        if not values:
            return
        if plain_name(node.target) == "getitem" and self._bind_part(node, made):
            return
        leaves = leaves_of((node.args, node.kwargs))
        inputs = [ref for one in leaves if isinstance(one, fx.Node) and (ref := self.tape.ref(one)) is not None]
        name, called = plain_name(node.target), node.target
        if node.op == "call_module":
            module = self.module.get_submodule(str(node.target))
            name = next(word for kind, word in WHOLE.items() if isinstance(module, kind))
            running = [(path, one) for path, one in module.named_buffers() if one.dim()]
            inputs += [(self._source(one, path), 0) for path, one in [*module.named_parameters(), *running]]
        operation = Operation(name, inputs, values, _path(node), constants=constants_of(leaves))
        keys = [node] if isinstance(made, Tensor) else []
        position = self.tape.put_in_place(operation, keys) if is_in_place(called) and inputs else self.tape.put(operation, keys)
        if not keys:
            tensors = [one for one in leaves_of(made) if isinstance(one, Tensor)]
            self._parts |= {id(tensor): (position, slot) for slot, tensor in enumerate(tensors)}

    def _bind_part(self, node: fx.Node, made: Any) -> bool:
        """Bind an item of an operation's several outputs, however nested; return whether it is one."""
        whole = node.args[0]
        if not isinstance(whole, fx.Node) or not isinstance(self.env[whole], tuple | list):
            return False
        part = self._parts.get(id(made))
        if part is not None:
            self.tape.bind(node, part)
        return True


def _path(node: fx.Node) -> str:
    stack = list(node.meta.get("nn_module_stack", {}).values())
    return str(stack[-1][0]) if stack else ""
