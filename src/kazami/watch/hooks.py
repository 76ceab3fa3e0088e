"""Process-wide attachment points: optimizer steps, backward, gradient clipping and scaling.

Installed once for all observers and taken away with the last of them. No wrapper changes a value; each passes arguments, results and exceptions through untouched, and a
mistake of ours inside an observer is reported once and ends the watching, never the training.
"""

import functools
from collections.abc import Callable
from typing import Any, Protocol

import torch
import torch.utils.checkpoint
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook


class Listener(Protocol):
    """What an observer is told."""

    def backward_begins(self, tensors: tuple[Tensor, ...]) -> None: ...
    def backward_ended(self) -> None: ...
    def step_begins(self, optimizer: torch.optim.Optimizer) -> None: ...
    def step_ended(self, optimizer: torch.optim.Optimizer) -> None: ...
    def clipped(self, total_norm: float, limit: float) -> None: ...
    def scaled(self, scaled: Any, original: Any) -> None: ...
    def noticed(self, what: str) -> None: ...


_listeners: list[Listener] = []
_undo: list[Callable[[], None]] = []
_depth = 0


def add_listener(listener: Listener) -> None:
    """Attach ``listener``; the first one installs the hooks."""
    if not _listeners:
        _install()
    _listeners.append(listener)


def remove_listener(listener: Listener) -> None:
    """Detach ``listener``; the last one takes the hooks away."""
    if listener in _listeners:
        _listeners.remove(listener)
    if not _listeners:
        while _undo:
            _undo.pop()()


def _tell(method: str, *arguments: Any) -> None:
    for listener in tuple(_listeners):
        getattr(listener, method)(*arguments)


def _watching() -> bool:
    """Return whether calls are to be observed now: not while a compiler traces, not inside ``torch.func`` transforms."""
    return bool(_listeners) and not torch.compiler.is_compiling() and torch._C._functorch.peek_interpreter_stack() is None


def _replace(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    original = getattr(owner, name)
    wrapper = functools.wraps(original)(wrap(original))
    # torch.jit.script compiles the original behind a wrapper that carries these two marks.
    wrapper.__script_if_tracing_wrapper = True
    wrapper.__original_fn = original
    setattr(owner, name, wrapper)
    _undo.append(lambda: setattr(owner, name, original))


def _install() -> None:
    _undo.append(register_optimizer_step_pre_hook(_before_step).remove)
    _undo.append(register_optimizer_step_post_hook(_after_step).remove)
    _replace(torch.autograd, "backward", _wrap_backward)
    for name in ("clip_grad_norm_", "clip_grad_norm"):
        if hasattr(torch.nn.utils, name):
            _replace(torch.nn.utils, name, _wrap_clip)
    _replace(torch.amp.GradScaler, "scale", _wrap_scale)
    for owner, name, what in ((torch.utils.checkpoint, "checkpoint", "checkpoint"), (torch.autograd.graph.saved_tensors_hooks, "__enter__", "saved_tensor_hooks"),
                              (Tensor, "register_hook", "tensor_hooks"), (torch, "compile", "compile")):  # fmt: skip
        _replace(owner, name, functools.partial(_wrap_notice, what))


def _before_step(optimizer: torch.optim.Optimizer, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Tell the listeners of a step; with a closure the gradients exist only after its first evaluation, so the closure is wrapped."""
    closure = arguments[1] if len(arguments) > 1 else keywords.get("closure")
    if closure is None or not callable(closure):
        _tell("step_begins", optimizer)
        return None
    first = True

    @functools.wraps(closure)
    def watched() -> Any:
        nonlocal first
        result = closure()
        if first:
            first = False
            _tell("step_begins", optimizer)
        return result

    if len(arguments) > 1:
        return (arguments[0], watched, *arguments[2:]), keywords
    return arguments, {**keywords, "closure": watched}


def _after_step(optimizer: torch.optim.Optimizer, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    del arguments, keywords
    _tell("step_ended", optimizer)


def _wrap_backward(original: Any) -> Any:
    def backward(tensors: Any, *arguments: Any, **keywords: Any) -> Any:
        global _depth
        if not _watching() or _depth:
            return original(tensors, *arguments, **keywords)
        roots = (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)
        _tell("backward_begins", roots)
        _depth += 1
        try:
            return original(tensors, *arguments, **keywords)
        finally:
            _depth -= 1
            _tell("backward_ended")

    return backward


def _wrap_clip(original: Any) -> Any:
    def clip(parameters: Any, max_norm: Any, *arguments: Any, **keywords: Any) -> Any:
        total = original(parameters, max_norm, *arguments, **keywords)
        if _watching():
            _tell("clipped", total, max_norm)
        return total

    return clip


def _wrap_scale(original: Any) -> Any:
    def scale(self: Any, outputs: Any) -> Any:
        result = original(self, outputs)
        if _watching():
            _tell("scaled", result, outputs)
        return result

    return scale


def _wrap_notice(what: str, original: Any) -> Any:
    def noticing(*arguments: Any, **keywords: Any) -> Any:
        if not torch.compiler.is_compiling():
            _tell("noticed", what)
        return original(*arguments, **keywords)

    return noticing
