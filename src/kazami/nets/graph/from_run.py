"""A tape from running the model on its example: every call of a torch function is written down, whatever Python did in between."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from .calling import Call, constants_of, is_tensor, leaves_of, named_leaves, output_names
from .from_export import value_of, values_of
from .tape import Operation, Ref, Tape
from .vocabulary import is_in_place, plain_name

_LIBRARY = torch.__path__[0]


def capture_by_run(model: nn.Module, call: Call, names_of: dict[int, tuple[str, ...]]) -> tuple[Tape, Any]:
    """Return the tape of one run, and what the model gave.

    Args:
        model: A copy that may be changed.
        call: Its arguments.
        names_of: All names of each parameter and buffer, by its identity in ``model``.

    Raises:
        Exception: Whatever the model raises.
    """
    writer = _Writer(model, names_of)
    for name, tensor in call.tensors():
        writer.source("input", tensor, (name,))
    model = _sealed(model, writer)
    with _paths_of(model, writer), _Unseen(writer), _Functions(writer):
        result = call.on(model)
    leaves = list(named_leaves(result, "", is_tensor))
    names = output_names([path for path, _ in leaves])
    writer.tape.outputs = [(name, writer.ref(tensor)) for name, (_, tensor) in zip(names, leaves, strict=True)]
    return writer.tape, result


class _Writer:
    """Writes calls onto a tape; a tensor is known by its identity, and is kept so that its identity stays its own."""

    def __init__(self, model: nn.Module, names_of: dict[int, tuple[str, ...]]) -> None:
        self.tape = Tape()
        self._trained = {name for name, _ in model.named_parameters(remove_duplicate=False)}
        named = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
        self._same_storage = {_storage_of(one): one for _, one in reversed(named)}
        self._names_by_storage = {_storage_of(one): (name,) for name, one in reversed(named)}
        self.paths = [""]
        self.is_inside = False
        self._names_of = names_of
        self._kept: list[Any] = []

    def source(self, kind: str, tensor: Tensor, names: tuple[str, ...]) -> Ref:
        """Write down a quantity."""
        self._kept.append(tensor)
        return self.tape.put(Operation(kind, values=[value_of(tensor)], names=names), [id(tensor)]), 0

    def ref(self, tensor: Tensor) -> Ref:
        """Return where a tensor comes from; one that no operation made is a parameter, a buffer or a constant."""
        found = self.tape.ref(id(tensor))
        if found is not None:
            return found
        is_named = id(tensor) in self._names_of
        known = tensor if is_named else self._same_storage.get(_storage_of(tensor), tensor)  # a scripted module hands out its parameters as new objects
        if known is not tensor and self.tape.ref(id(known)) is not None:
            return self.ref(known)
        names: tuple[str, ...] = self._names_of.get(id(tensor), ()) or self._names_by_storage.get(_storage_of(known), ())
        kind = "parameter" if isinstance(known, nn.Parameter) or (names and names[0] in self._trained) else "buffer" if names else "constant"
        tensor = known
        return self.source(kind, tensor, names)

    def call(self, called: Any, arguments: Any, made: Any) -> None:
        """Write down a call that gave tensors, or that read a value into Python."""
        leaves = leaves_of(arguments)
        tensors = [one for one in leaves if isinstance(one, Tensor)]
        name = plain_name(called)
        if name == "decision" and tensors:
            self.tape.put(Operation("decision", [self.ref(tensors[0])], [], self.paths[-1], constants=_asked(called, made), where=_line()))
            return
        if name == "setitem":
            made = tensors[0]
        outputs = [one for one in leaves_of(made) if isinstance(one, Tensor)]
        if not outputs or name in ("setattr", "is_grad_enabled"):
            return
        inputs = [self.ref(one) for one in tensors]
        self._kept += outputs
        operation = Operation(name, inputs, values_of(outputs), self.paths[-1], constants=constants_of(leaves))
        keys = [id(one) for one in outputs]
        if (is_in_place(called) or outputs[0] is (tensors[0] if tensors else None)) and inputs:
            if name not in ("contiguous", "cast", "detach") or is_in_place(called):
                self.tape.put_in_place(operation, keys)
        else:
            self.tape.put(operation, keys)


class _Functions(TorchFunctionMode):
    """Sees every torch function that Python calls."""

    def __init__(self, writer: _Writer) -> None:
        super().__init__()
        self._writer = writer

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the function and write it down; what it calls itself is not looked at."""
        del types
        outer, self._writer.is_inside = self._writer.is_inside, True
        try:
            made = func(*args, **(kwargs or {}))
        finally:
            self._writer.is_inside = outer
        if not outer:
            self._writer.call(func, (args, kwargs or {}), made)
        return made


class _Unseen(TorchDispatchMode):
    """Sees what reaches the kernels by another way than a function called from Python: gradients taken inside a model, extensions."""

    def __init__(self, writer: _Writer) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._writer = writer

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the kernel, and write it down unless the function around it is written down."""
        del types
        made = func(*args, **(kwargs or {}))
        if not self._writer.is_inside:
            self._writer.call(func, (args, kwargs or {}), made)
        return made


class _Sealed(nn.Module):
    """A scripted module as one operation: its interpreter runs and reruns its kernels in an order of its own."""

    def __init__(self, scripted: nn.Module, writer: _Writer) -> None:
        super().__init__()
        self.scripted = scripted
        self._writer = writer

    def forward(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the module and write down the call, its parameters among the inputs."""
        outer, self._writer.is_inside = self._writer.is_inside, True
        try:
            made = self.scripted(*arguments, **keywords)
        finally:
            self._writer.is_inside = outer
        self._writer.call("scripted", (arguments, keywords, list(self.scripted.parameters())), made)
        return made


def _sealed(model: nn.Module, writer: _Writer) -> nn.Module:
    if isinstance(model, torch.jit.ScriptModule):
        return _Sealed(model, writer)
    for path, module in list(model.named_modules()):
        parent_path, _, name = path.rpartition(".")
        if isinstance(module, torch.jit.ScriptModule) and not isinstance(model.get_submodule(parent_path), torch.jit.ScriptModule):
            model.get_submodule(parent_path)._modules[name] = _Sealed(module, writer)
    return model


@contextmanager
def _paths_of(model: nn.Module, writer: _Writer) -> Iterator[None]:
    """Keep track of the module that is running."""

    def enter(path: str) -> Any:
        return lambda module, arguments: writer.paths.append(path)

    def leave(module: nn.Module, arguments: Any, output: Any) -> None:
        del module, arguments, output
        writer.paths.pop()

    handles: list[Any] = []
    for path, module in model.named_modules():
        if path and not isinstance(module, torch.jit.ScriptModule):  # a scripted module takes no hooks
            handles.append(module.register_forward_pre_hook(enter(path)))
            handles.append(module.register_forward_hook(leave, always_call=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _storage_of(tensor: Tensor) -> tuple[Any, ...]:
    try:
        return tensor.data_ptr(), tuple(tensor.shape), tensor.stride()
    except RuntimeError:  # sparse and the like
        return (id(tensor),)


def _asked(called: Any, answer: Any) -> tuple[str, ...]:
    """Return what Python asked for, and the answer where it is yes or no."""
    return ("if", str(answer)) if isinstance(answer, bool) and getattr(called, "__name__", "") in ("__bool__", "is_nonzero") else ("value read",)


def _line() -> str:
    """Return where in the user's code we are: the nearest caller outside torch and kazami."""
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_LIBRARY) and not frame.f_globals.get("__name__", "").startswith("kazami."):
            return f"{code.co_qualname if hasattr(code, 'co_qualname') else code.co_name}, line {frame.f_lineno}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""
