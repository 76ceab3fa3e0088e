"""Gradients taken on the live graph beside the user's own backward: seldom, within a budget, and never where it could be noticed."""

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from .graph import LiveGraph, Node

if TYPE_CHECKING:
    from .observer import Observer

GROWTH = 1.4  # from one measurement to the next: some twenty in a thousand steps, most of them early, where a cause is wanted
SECONDS = 0.5
SHARE = 0.001
FAILURES = 3
COMPILED_BACKWARD = "compiled_backward"


def runs_once(observer: "Observer") -> bool:
    """Return whether backward must not be run a second time: hooks of the script would fire again, or a compiler would compile it anew."""
    return not observer.noticed_things.isdisjoint(("tensor_hooks", COMPILED_BACKWARD))


def is_backward_compiled() -> bool:
    """Return whether compiled autograd is on, which traces every backward with all hooks in its graph (without importing it)."""
    compiler = sys.modules.get("torch._dynamo.compiled_autograd")
    return bool(getattr(compiler, "compiled_autograd_enabled", False))


class ExtraBackward:
    """Takes gradients at steps that lie ever further apart, within 0.1 % of the run's time or half a second in all, whichever is larger.

    The graph, the weights, their ``.grad`` and the random streams stay as they are: gradients are taken to named weights and given back, not accumulated.

    Limits:
        The same as for curvature: hooks on tensors, functions of the user's own and compiled parts would run once more, so there it stays away; and with
        several ranks, whose steps must stay alike.
    """

    def __init__(self) -> None:
        self._next, self._spent, self._failures = 1, 0.0, 0

    def is_due(self, step: int) -> bool:
        """Return whether ``step`` is one of those at which a measurement is wanted: 1, 2, 3, 5, 8, 12 …"""
        if step < self._next:
            return False
        self._next = max(int(step * GROWTH) + 1, step + 1)
        return True

    def is_allowed(self, graph: LiveGraph, observer: "Observer") -> bool:
        """Return whether the graph of this step may be walked once more."""
        elapsed = time.perf_counter() - observer.began
        if self._failures >= FAILURES or self._spent > max(SECONDS, SHARE * elapsed) or observer.sampling.is_shared:
            return False
        return not runs_once(observer) and not graph.has_custom_functions() and not graph.is_compiled()

    def gradients(self, node: Node, weights: Sequence[Tensor], factor: float, observer: "Observer") -> list[Tensor | None] | None:
        """Return the gradients of ``factor`` times the scalar that ``node`` puts out, ``None`` where they cannot be taken.

        Args:
            node: A node of the live graph whose (first) output is one number.
            weights: Where to; a weight that ``node`` does not depend on has none.
            factor: What backward starts from.
            observer: The time is taken off its account: this keeps to a budget of its own.
        """
        began = time.perf_counter()
        try:
            meta = node._input_metadata[0]
            start = torch.full(tuple(int(n) for n in meta.shape), factor, dtype=meta.dtype, device=meta.device)
            return list(torch.autograd.grad([GradientEdge(node, 0)], list(weights), [start], retain_graph=True, allow_unused=True))
        except (RuntimeError, AttributeError, IndexError):  # a tensor changed in place, memory, an operation without a derivative: backward itself will say so
            self._failures += 1
            return None
        finally:
            seconds = time.perf_counter() - began
            self._spent += seconds
            observer.sampling.spend(-seconds)
