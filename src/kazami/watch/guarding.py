"""The guard around everything that the hooks tell an observer."""

import functools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from .observer import Observer


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
                torch._C._set_grad_enabled(False)  # what torch.no_grad does, without its object: this runs four times a step
                self.depth += 1
                try:
                    method(self, *arguments)
                finally:
                    self.depth -= 1
                    torch._C._set_grad_enabled(had_gradients)
        except Exception as error:
            self.give_up(error)
        finally:
            self.sampling.spend(time.perf_counter() - began)

    return safe
