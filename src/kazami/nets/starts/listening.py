"""Hooks that are gone afterwards, and buffers that are what they were."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


@contextmanager
def listening(modules: Iterable[nn.Module], hook: Callable[..., Any]) -> Iterator[None]:
    """Inside, ``hook(module, inputs, output)`` is called after each of the modules and may replace its output; scripted modules take no hooks."""
    handles = [module.register_forward_hook(hook) for module in modules if not isinstance(module, torch.jit.ScriptModule)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def kept_buffers(model: nn.Module) -> Iterator[None]:
    """Afterwards the model's buffers (running statistics) are what they were.

    >>> norm = nn.BatchNorm1d(2)
    >>> with kept_buffers(norm):
    ...     _ = norm(torch.randn(8, 2) + 5)
    >>> norm.running_mean
    tensor([0., 0.])
    """
    before = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, values in before:
                buffer.copy_(values)


def positional(example: Any) -> tuple[Any, ...]:
    """Return what ``forward`` gets by position: nothing for ``None``, a tuple as it is, anything else as the one argument."""
    if example is None:
        return ()
    return example if isinstance(example, tuple) else (example,)
