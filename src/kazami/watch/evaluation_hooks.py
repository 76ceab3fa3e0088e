"""Losses that a script computes without gradients, as validation passes do: told to whoever listens, changed for nobody.

The C functions behind ``torch.nn.functional``'s losses are wrapped, not those functions themselves, so that a loss that was bound before kazami came is told
like any other. Where the result has a gradient, or inside compilers and transforms, a wrapper does nothing but pass on.
"""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Sink = Callable[[str, Callable[..., Tensor], tuple[Any, ...], Tensor], None]

LOSSES: tuple[tuple[Any, str, str], ...] = (
    (torch._C._nn, "cross_entropy_loss", "cross_entropy"),
    (torch._C._nn, "nll_loss_nd", "nll"),
    (torch._C._nn, "mse_loss", "mse"),
    (torch._C._nn, "l1_loss", "l1"),
    (torch._C._nn, "smooth_l1_loss", "smooth_l1"),
    (torch._C._nn, "huber_loss", "huber"),
    (torch._C._nn, "binary_cross_entropy", "bce"),
    (torch, "binary_cross_entropy_with_logits", "bce_with_logits"),
)
# Where the reduction stands among the arguments with which ``torch.nn.functional`` calls these: 0 none, 1 mean, 2 sum.
REDUCTION_AT = {"cross_entropy": 3, "nll": 3, "mse": 2, "l1": 2, "smooth_l1": 2, "huber": 2, "bce": 3, "bce_with_logits": 4}

_sinks: list[Sink] = []
_undo: list[Callable[[], None]] = []


def listen(sink: Sink) -> None:
    """Tell ``sink`` of each loss without gradients: its kind, the function, its arguments and its result."""
    if not _sinks:
        for owner, name, kind in LOSSES:
            _replace(owner, name, kind)
    _sinks.append(sink)


def stop_listening(sink: Sink) -> None:
    """Tell ``sink`` no more; the last one takes the wrappers away."""
    if sink in _sinks:
        _sinks.remove(sink)
    if not _sinks:
        while _undo:
            _undo.pop()()


def _replace(owner: Any, name: str, kind: str) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(*arguments: Any, **keywords: Any) -> Any:
        result = original(*arguments, **keywords)
        if torch.compiler.is_compiling() or result.requires_grad:
            return result
        if not keywords and _is_plain(arguments, result):
            for sink in tuple(_sinks):
                sink(kind, original, arguments, result)
        return result

    # torch.jit.script finds the operation behind a function by the function's identity.
    table: Any = torch.jit._builtins._get_builtin_table()
    if id(original) in table:
        table[id(wrapper)] = table[id(original)]
        _undo.append(functools.partial(table.pop, id(wrapper), None))
    setattr(owner, name, wrapper)
    _undo.append(functools.partial(setattr, owner, name, original))


def _is_plain(arguments: tuple[Any, ...], result: Any) -> bool:
    """Return whether these are numbers, not the stand-ins of a compiler or of ``torch.func``."""
    tensors = (*arguments[:2], result)
    return all(type(tensor) in (Tensor, nn.Parameter) for tensor in tensors) and torch._C._functorch.peek_interpreter_stack() is None
