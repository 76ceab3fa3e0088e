"""The guard around everything that the hooks tell an observer."""

import functools
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import torch

if TYPE_CHECKING:
    from .observer import Observer

_holders: WeakSet[Any] = WeakSet()  # of locks that are their attribute ``lock``


def guarded(method: Callable[..., None]) -> Callable[..., None]:
    """Keep a mistake of ours away from the training: it is noted once, and the watching ends."""

    @functools.wraps(method)
    def safe(self: "Observer", *arguments: Any) -> None:
        if self.is_off:
            return
        began = time.perf_counter()
        had_gradients = torch.is_grad_enabled()
        try:
            with self.lock:
                self.depth += 1
                try:  # from here on: Ctrl-C may come after any call, and must not leave the gradients switched off
                    torch._C._set_grad_enabled(False)  # what torch.no_grad does, without its object: this runs four times a step
                    method(self, *arguments)
                finally:
                    self.depth -= 1
                    torch._C._set_grad_enabled(had_gradients)
        except Exception as error:
            self.give_up(error)
        finally:
            self.sampling.spend(time.perf_counter() - began)

    return safe


def overheard(method: Callable[..., None]) -> Callable[..., None]:
    """Guard what any thread may tell: it is left out where something is being told already.

    A thread that evaluates need not wait for what another one records; and one of autograd must not, whose backward the other one waits for.
    """
    safe = guarded(method)

    @functools.wraps(method)
    def unless_busy(self: "Observer", *arguments: Any) -> None:
        if not self.depth:
            safe(self, *arguments)

    return unless_busy


def own_lock(holder: Any) -> threading.RLock:
    """Return a lock to be the attribute ``lock`` of ``holder``, which gets a new one in a forked process: a thread that is not there may hold the first."""
    _holders.add(holder)
    return threading.RLock()


def _renew_locks() -> None:
    for holder in tuple(_holders):
        holder.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
