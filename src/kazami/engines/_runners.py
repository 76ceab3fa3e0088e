"""How a pure function of tensors is run many times: as a traced list of operations, or compiled."""

import logging
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.passes.dialect.common.cse_pass import CSEPass

from ..maps._frozen import generator_states

Function = Callable[..., list[Tensor]]
Context = Callable[[], AbstractContextManager[Any]]


class AbstractRunner(ABC):
    """Runs one function, given anew with each call; calls with the same ``key`` differ in the values of their tensors only."""

    @abstractmethod
    def __call__(self, function: Function, tensors: Sequence[Tensor], key: Hashable, context: Context) -> list[Tensor]:
        """Return ``function(*tensors)``, computed within ``context()``, which sets the random numbers."""

    @property
    @abstractmethod
    def remark(self) -> str:
        """What is worth knowing about how it runs."""


class Traced(AbstractRunner):
    """Writes down the operations at the first call with a key, and from then on carries out the list: the cost of vmap and autograd is paid once.

    The list is believed only after its result was that of the function itself. Where there can be none (decisions on computed values, Python's own random
    numbers) the function is called every time.

    Args:
        after: How many calls with the same key are made before it is worth the trouble.
    """

    def __init__(self, after: int = 0) -> None:
        """Nothing is traced yet."""
        self._after = after
        self._calls: dict[Hashable, int] = {}
        self._made: dict[Hashable, Function | None] = {}
        self._why = ""

    def __call__(self, function: Function, tensors: Sequence[Tensor], key: Hashable, context: Context) -> list[Tensor]:
        """Return what the function returns."""
        if key not in self._made:
            with context(), torch.no_grad():
                before = generator_states()
                expected = called(function, tensors)
                is_torchs = same_outside_torch(before, generator_states())
            self._calls[key] = self._calls.get(key, 0) + 1
            if self._calls[key] > self._after:
                self._made[key] = self._verified(function, tensors, expected, context) if is_torchs else None
                self._why = self._why if is_torchs else "random numbers are drawn outside PyTorch"
            return expected
        made = self._made[key]
        with context(), torch.no_grad():
            return called(function, tensors) if made is None else made(*tensors)

    @property
    def remark(self) -> str:
        """Why the function is called itself, if it is."""
        return f"Not traced: {self._why}." if self._why else ""

    def _verified(self, function: Function, tensors: Sequence[Tensor], expected: list[Tensor], context: Context) -> Function | None:
        try:
            with context():
                made = self._make(traced(function, tensors), tensors)
            with context(), torch.no_grad():
                found = made(*tensors)
        except Exception as reason:  # tracing and compiling can fail in any way, and the function itself works
            self._why = _short(reason)
            return None
        if not all(_agree(a, b) for a, b in zip(found, expected, strict=True)):
            self._why = "the traced step gave another result"
            return None
        return made

    def _make(self, graph: GraphModule, tensors: Sequence[Tensor]) -> Function:
        del tensors
        return graph.forward


class Compiled(AbstractRunner):
    """Traces, and compiles the list of operations into machine code.

    What is compiled is kept on disk by PyTorch and found again by later processes.
    """

    def __init__(self) -> None:
        """Nothing is compiled yet."""
        self._made: dict[Hashable, Function] = {}
        self._plain = Traced()
        self.seconds = 0.0
        self.why_not = ""

    def __call__(self, function: Function, tensors: Sequence[Tensor], key: Hashable, context: Context) -> list[Tensor]:
        """Return what the function returns."""
        made = self._made.get(key)
        if made is not None:
            with context(), torch.no_grad():
                return made(*tensors)
        expected = self._plain(function, tensors, key, context)
        if not self.why_not:
            begin = time.perf_counter()
            self._made.update(self._verified(function, tensors, key, expected, context))
            self.seconds += time.perf_counter() - begin
        return expected

    @property
    def remark(self) -> str:
        """How long compiling took, or why it was left."""
        if self.why_not:
            return f"Not compiled: {self.why_not}. {self._plain.remark}".strip()
        return f"Compiled in {self.seconds:.1f} s." if self._made else ""

    def _verified(self, function: Function, tensors: Sequence[Tensor], key: Hashable, expected: list[Tensor], context: Context) -> dict[Hashable, Function]:
        try:
            with context():
                graph = traced(function, tensors)
            if draws(graph):
                self.why_not = "compiled random numbers would be others than PyTorch's"
                return {}
            with quiet():
                made: Function = torch.compile(graph, fullgraph=True, dynamic=False)
                with context(), torch.no_grad():
                    found = made(*tensors)
        except Exception as reason:
            self.why_not = _short(reason)
            return {}
        if not all(_agree(a, b) for a, b in zip(found, expected, strict=True)):
            self.why_not = "the compiled step gave another result"
            return {}
        return {key: made}


def traced(function: Function, tensors: Sequence[Tensor]) -> GraphModule:
    """Return the operations of ``function`` as a graph: without those whose result nobody uses, and with equal ones done once."""
    with torch.no_grad(), ungrudging():
        graph = make_fx(torch.func.functionalize(function, remove="mutations"))(*[tensor.detach() for tensor in tensors])
    graph.graph.eliminate_dead_code()
    if not draws(graph):  # equal draws are not equal numbers
        made = CSEPass()(graph)
        graph = graph if made is None else made.graph_module
        graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph


def draws(graph: GraphModule) -> bool:
    """Return whether a graph draws random numbers."""
    tag = torch.Tag.nondeterministic_seeded
    return any(tag in node.target.tags for node in graph.graph.nodes if isinstance(node.target, torch._ops.OpOverload))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what the compiler has to say to itself: its warnings are for its makers."""
    loggers = [logging.getLogger(name) for name in ("torch._dynamo", "torch._inductor", "torch._functorch")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _agree(found: Tensor, expected: Tensor) -> bool:
    if not expected.is_floating_point():
        return bool(torch.equal(found, expected))
    tolerance = torch.finfo(expected.dtype).eps ** 0.6  # one step, sums in another order
    rows = torch.isfinite(expected)
    size = float(expected[rows].abs().max()) if bool(rows.any()) else 0.0
    return found.dtype == expected.dtype and bool(torch.allclose(found[rows], expected[rows], rtol=tolerance, atol=tolerance * min(size, 1.0)))


def same_outside_torch(first: Any, second: Any) -> bool:
    """Return whether nothing was drawn from Python's and numpy's generators between two calls of ``generator_states``."""
    return bool(first[0] == second[0] and all(np.array_equal(a, b) for a, b in zip(first[1], second[1], strict=True)))


def called(function: Function, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return ``function(*tensors)``."""
    with ungrudging():
        return function(*tensors)


@contextmanager
def ungrudging() -> Iterator[None]:
    """Do not complain about operations for which vmap loops."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="There is a performance drop")
        yield


def _short(reason: BaseException) -> str:
    lines = [line.strip() for line in str(reason).splitlines() if line.strip()]
    return f"{type(reason).__name__}: {lines[0][:160] if lines else 'it said nothing'}".rstrip(".")
