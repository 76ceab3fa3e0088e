"""What goes into and comes out of every layer in one forward pass."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .flat_network import InputOutputMap
from .nested_tensors import tensors_in, with_tensors
from .private_copy import hookable

NO_LAYER = ("parametrizations", "parametrizations.")


@dataclass(slots=True)
class LayerCall:
    """The first call of one module in a forward pass.

    Attributes:
        name: The module's name in the model.
        module: The module, of the private copy.
        arguments: Positional arguments and keywords, detached.
        output: What it returned, detached.
        is_leaf: Whether no other module was called inside it.
        n_calls: How often it was called in this pass (recurrent or tied use).
        parent: Name of the module that called it; empty for the model itself.
    """

    name: str
    module: nn.Module
    arguments: tuple[tuple[Any, ...], dict[str, Any]]
    output: Any = None
    is_leaf: bool = True
    n_calls: int = 1
    parent: str = ""

    @property
    def kind(self) -> str:
        """The module's class, without the prefix that ``torch``'s parametrizations give it."""
        return type(self.module).__name__.removeprefix("Parametrized")

    @property
    def has_weights(self) -> bool:
        """Whether it owns a matrix or more itself, parametrized ones included."""
        own = [p for name, p in self.module.named_parameters() if "." not in name or name.startswith(NO_LAYER) or self.is_leaf]
        return any(p.dim() >= 2 for p in own)


def layer_calls(function: InputOutputMap) -> list[LayerCall]:
    """Return the first call of every module in a forward pass on the example, in the order in which they begin, the model itself left out.

    Args:
        function: The network; its private copy is used, and its hooks are taken off again.
    """
    calls: dict[int, LayerCall] = {}
    stack: list[LayerCall | None] = []
    names = {id(module): name for name, module in function.model.named_modules() if name}

    def enter(module: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        known = calls.get(id(module))
        above = stack[-1] if stack else None
        if known is not None:
            known.n_calls += 1
            stack.append(None)
            return
        if above is not None:
            above.is_leaf = False
        call = LayerCall(names[id(module)], module, _detached((args, kwargs)), parent="" if above is None else above.name)
        calls[id(module)] = call
        stack.append(call)

    def leave(module: nn.Module, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        del module, args, kwargs
        call = stack.pop()
        if call is not None:
            call.output = _detached(output)

    handles = []
    for module in hookable(function.model).values():
        if id(module) in names and not any(part.startswith("parametrizations") for part in names[id(module)].split(".")):
            handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))
            handles.append(module.register_forward_hook(leave, with_kwargs=True))
    try:
        with torch.no_grad():
            function.run([t for _, t in tensors_in(function.arguments) if t.is_floating_point()])
    finally:
        for handle in handles:
            handle.remove()
    return list(calls.values())


def first_tensor(value: Any) -> Tensor | None:
    """Return the first tensor in an output, ``None`` if it holds none."""
    found = tensors_in(value)
    return found[0][1] if found else None


def _detached(value: Any) -> Any:
    """Return copies: a layer that works in place would change what went into it."""
    return with_tensors(value, iter([tensor.detach().clone() for _, tensor in tensors_in(value)]))
