"""Numerical differentiation against backpropagation on the user's model: passes counted, seconds measured, and extrapolated where all would take too long."""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..errors import UsageError, unknown_name
from .complex_step import ComplexStep, NoComplexStep
from .copies import undisturbed
from .loss_bench import BackpropFails, Loss, LossBench
from .numeric_result import MethodCost, NumericComparison

__all__ = ["METHODS", "MethodCost", "NumericComparison", "compare_with_numeric", "million_weights"]

METHODS = ("forward", "central", "complex")
EPSILON = 2.0**-52
# Steps relative to the size of a weight that balance truncation and rounding (Press et al., Numerical Recipes, section 5.7).
FORWARD_STEP, CENTRAL_STEP = math.sqrt(EPSILON), float(EPSILON ** (1 / 3))
CHUNK = 16  # derivatives between two looks at the clock

Progress = Callable[[int, int], None]


def compare_with_numeric(
    model: nn.Module,
    loss: Loss,
    batch: Sequence[Any],
    *,
    methods: Sequence[str] = METHODS,
    keywords: Mapping[str, Any] | None = None,
    budget_s: float = 10.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> NumericComparison:
    r"""Take the gradient of a model's loss numerically and by backprop, and count what each takes.

    With :math:`n` weights, forward differences :math:`(C(w + h e_i) - C(w)) / h` take :math:`n + 1` passes through the network, central differences
    :math:`2n`, the complex step :math:`\operatorname{Im} C(w + \mathrm{i} h e_i) / h`
    takes :math:`n`, and backprop 2: one forward, one backward. Passes are counted as they
    happen. All methods work in float64 on a copy, in turns, so that a busy machine slows all of them alike.

    Args:
        model: Stays as it is.
        loss: ``loss(output, target) -> 0-d tensor``.
        batch: ``(inputs, target)``; cut to its first training example where the model takes that.
        methods: Any of ``"forward"``, ``"central"``, ``"complex"``.
        keywords: Keyword arguments of ``forward``.
        budget_s: Seconds for all methods together. What is not done by then is extrapolated from the passes that were run, and marked.
        seed: Chooses which weights are done first.
        progress: Called with (derivatives done, derivatives in all).

    Raises:
        UsageError: The forward pass fails, there is nothing to differentiate by, or a method is unknown.

    Limits:
        Seconds are of this machine, this number of threads and float64. Frozen weights are not counted.

    Example:
        >>> net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        >>> found = compare_with_numeric(net, nn.functional.mse_loss, (torch.randn(5, 3), torch.randn(5, 2)))
        >>> found.n_weights, found.backprop.passes, [cost.passes for cost in found.methods]
        (26, 2, [27, 52, 26])
    """
    for method in methods:
        if method not in METHODS:
            raise unknown_name("method of numerical differentiation", method, METHODS)
    with undisturbed(torch.float64):
        bench, is_one = _bench(model, loss, batch, keywords, seed)
        if not bench.tensors:
            raise UsageError("The model has no trainable real parameter: there is nothing to differentiate by.")
        try:
            return _Race(bench, methods, budget_s=budget_s, seed=seed, progress=progress).run(one_example=is_one)
        except BackpropFails as failure:
            raise UsageError(f"The backward pass fails on this model: {failure}") from None


def million_weights(*, budget_s: float = 3.0, seed: int = 0) -> NumericComparison:
    """Measure a network of exactly a million weights: a million and one passes numerically, two by backprop.

    Args:
        budget_s: Seconds; most of the million passes are extrapolated, and marked so.
        seed: Seeds weights and data.
    """
    with undisturbed():
        torch.manual_seed(seed)
        # 802·1230 + 1230 + 1230·10 + 10 = 1 000 000
        model = nn.Sequential(nn.Linear(802, 1230), nn.Tanh(), nn.Linear(1230, 10))
        batch = (torch.randn(1, 802), torch.randint(10, (1,)))
    return compare_with_numeric(model, nn.functional.cross_entropy, batch, methods=("forward",), budget_s=budget_s, seed=seed)


def _bench(model: nn.Module, loss: Loss, batch: Sequence[Any], keywords: Mapping[str, Any] | None, seed: int) -> tuple[LossBench, bool]:
    """Return the bench for the first example of the batch, else for the batch; and whether it is one example."""
    if isinstance(batch, Sequence) and len(batch) == 2:
        n = _length(batch[0])
        if n is not None and n > 1:
            one = tuple(_first_of(part, n) for part in batch)
            try:
                bench = LossBench(model, loss, one, keywords={name: _first_of(part, n) for name, part in (keywords or {}).items()}, seed=seed)
            except (UsageError, RuntimeError):  # batch statistics, contrastive losses …
                return LossBench(model, loss, batch, keywords=keywords, seed=seed), False
            if math.isfinite(bench.start):
                return bench, True
        return LossBench(model, loss, batch, keywords=keywords, seed=seed), n == 1
    return LossBench(model, loss, batch, keywords=keywords, seed=seed), False


def _length(inputs: Any) -> int | None:
    if isinstance(inputs, Tensor):
        return len(inputs) if inputs.dim() > 0 else None
    parts = inputs.values() if isinstance(inputs, Mapping) else inputs if isinstance(inputs, (tuple, list)) else ()
    return next((length for length in map(_length, parts) if length is not None), None)


def _first_of(value: Any, n: int) -> Any:
    if isinstance(value, Tensor):
        return value[:1] if value.dim() > 0 and len(value) == n else value
    if type(value) is dict:
        return {key: _first_of(item, n) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_first_of(item, n) for item in value)
    return value


class _Method(Protocol):
    """One numeric method: how many passes in all, the passes run so far, and the derivative by one weight."""

    @property
    def passes_run(self) -> int: ...

    def passes(self, n: int) -> int: ...

    def derivative(self, index: int, position: int) -> float: ...


class _Differences:
    """Forward or central differences."""

    def __init__(self, bench: LossBench, method: str) -> None:
        self._bench, self._is_central = bench, method == "central"
        self.passes_run = 0
        self._flat = [tensor.detach().view(-1) if tensor.is_contiguous() else None for tensor in bench.tensors]
        self._values = [base.reshape(-1) for base in bench.base]
        self._scales = [max(float(base.pow(2).mean().sqrt()), 1e-2) for base in bench.base]
        self._start = math.nan if self._is_central else self._value()

    def passes(self, n: int) -> int:
        return 2 * n if self._is_central else n + 1

    def _value(self) -> float:
        self.passes_run += 1
        return self._bench.value()

    def derivative(self, index: int, position: int) -> float:
        value = float(self._values[index][position])
        step = (CENTRAL_STEP if self._is_central else FORWARD_STEP) * max(abs(value), self._scales[index])
        try:
            above = self._at(index, position, value + step)
            below = self._at(index, position, value - step) if self._is_central else self._start
        finally:
            self._set(index, position, value)
        return (above - below) / ((value + step) - (value - step if self._is_central else value))

    def _at(self, index: int, position: int, value: float) -> float:
        self._set(index, position, value)
        return self._value()

    def _set(self, index: int, position: int, value: float) -> None:
        flat = self._flat[index]
        if flat is not None:
            flat[position] = value
        else:
            place = torch.unravel_index(torch.tensor(position), self._bench.tensors[index].shape)
            self._bench.tensors[index].detach()[place] = value


class _Complex:
    """The complex step."""

    def __init__(self, bench: LossBench) -> None:
        self._stepper = ComplexStep(bench)
        self._first = self._stepper.n_evaluations
        self._shapes = list(bench.base)

    @property
    def passes_run(self) -> int:
        return self._stepper.n_evaluations - self._first

    def passes(self, n: int) -> int:
        return n

    def derivative(self, index: int, position: int) -> float:
        part = torch.zeros_like(self._shapes[index])
        part.view(-1)[position] = 1.0
        return self._stepper.slope({index: part})


class _Race:
    """Backprop and the numeric methods, in turns."""

    def __init__(self, bench: LossBench, methods: Sequence[str], *, budget_s: float, seed: int, progress: Progress | None) -> None:
        self._bench, self._budget_s, self._progress = bench, budget_s, progress
        self._sizes = [tensor.numel() for tensor in bench.tensors]
        self.n = sum(self._sizes)
        self._ends = torch.tensor(self._sizes).cumsum(0)
        self._order = torch.randperm(self.n, generator=torch.Generator().manual_seed(seed))
        self._why_not: dict[str, str] = {}
        self._methods: dict[str, _Method] = {}
        self._asked = tuple(dict.fromkeys(methods))
        for method in self._asked:
            try:
                self._methods[method] = _Complex(bench) if method == "complex" else _Differences(bench, method)
            except NoComplexStep as reason:
                self._why_not[method] = str(reason)
        self._found: dict[str, list[float]] = {method: [] for method in self._methods}
        self._chunks: dict[str, list[tuple[float, int]]] = {method: [] for method in self._methods}
        self._backprop_seconds: list[float] = []

    def run(self, *, one_example: bool) -> NumericComparison:
        before = self._bench.n_evaluations, self._bench.n_backward
        gradient = self._timed_gradient()
        counted = self._bench.n_evaluations - before[0] + self._bench.n_backward - before[1]
        began = time.perf_counter()
        while time.perf_counter() - began < self._budget_s and any(len(found) < self.n for found in self._found.values()):
            for method in self._methods:
                self._chunk(method)
            self._timed_gradient()
            if self._progress is not None:
                self._progress(sum(map(len, self._found.values())), self.n * len(self._found))
        exact = torch.cat([torch.zeros(size) if part is None else part.reshape(-1).cpu() for part, size in zip(gradient, self._sizes, strict=True)])
        seconds = statistics.median(self._backprop_seconds)
        backprop = MethodCost(
            method="backprop", passes=counted, passes_run=counted, seconds=seconds, seconds_per_pass=seconds / counted, n_derivatives=self.n, error=0.0
        )
        costs = tuple(self._cost(method, exact) for method in self._asked)
        return NumericComparison(
            n_weights=self.n, backprop=backprop, methods=costs, one_example=one_example, dtype=str(self._bench.dtype).removeprefix("torch.")
        )

    def _timed_gradient(self) -> list[Tensor | None]:
        began = time.perf_counter()
        gradient = self._bench.gradient()
        self._backprop_seconds.append(time.perf_counter() - began)
        return gradient

    def _chunk(self, method: str) -> None:
        found, run = self._found[method], self._methods[method]
        positions = self._order[len(found) : len(found) + CHUNK]
        if not len(positions):
            return
        owners = torch.searchsorted(self._ends, positions, right=True).tolist()
        passes, began = run.passes_run, time.perf_counter()
        for position, owner in zip(positions.tolist(), owners, strict=True):
            found.append(run.derivative(owner, position - int(self._ends[owner]) + self._sizes[owner]))
        self._chunks[method].append((time.perf_counter() - began, run.passes_run - passes))

    def _cost(self, method: str, exact: Tensor) -> MethodCost:
        if method in self._why_not:
            return MethodCost(method=method, why_not=self._why_not[method])
        found, chunks, run = self._found[method], self._chunks[method], self._methods[method]
        chosen = exact[self._order[: len(found)]].double()
        off = torch.tensor(found, dtype=torch.float64) - chosen
        error = float(off.norm() / chosen.norm()) if found and float(chosen.norm()) > 0 else float(off.norm())
        each = statistics.median(seconds / passes for seconds, passes in chunks) if chunks else math.nan
        is_all = len(found) == self.n
        if method == "complex" and found and error > 1e-6:  # exact where it holds at all
            return MethodCost(method=method, why_not=f"an operation drops or conjugates the imaginary part (off by {error:.1g})")
        passes = run.passes_run if is_all else run.passes(self.n)
        seconds = sum(seconds for seconds, _ in chunks) if is_all else each * passes
        return MethodCost(
            method=method, passes=passes, passes_run=run.passes_run, seconds=seconds, seconds_per_pass=each, n_derivatives=len(found), error=error,
            is_extrapolated=not is_all,
        )  # fmt: skip
