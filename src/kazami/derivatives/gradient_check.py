"""The gradient checker: backpropagation against numerical differentiation, for any model and any custom autograd function."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from ..errors import UsageError
from . import gradcheck_words as words
from .checking import Checking
from .complex_step import complex_step_check
from .copies import undisturbed
from .culprit import guilty_module
from .gradcheck_result import GradCheck, ParameterRow
from .loss_bench import BackpropFails, Loss, LossBench

Progress = Callable[[int, int], None]


def gradcheck(
    model: nn.Module,
    loss: Loss,
    batch: Sequence[Any],
    *,
    keywords: Mapping[str, Any] | None = None,
    inputs: bool = False,
    second: bool = False,
    n_directions: int = 2,
    n_coordinates: int = 2,
    tolerance: float = 1e-6,
    seed: int = 0,
    budget_s: float = 60.0,
    progress: Progress | None = None,
) -> GradCheck:
    r"""Check the gradients of a model against numerical differentiation, and say which parameter and which entry is wrong, if one is.

    For each parameter and a few random directions :math:`d` in it, backprop's slope :math:`\langle \nabla C, d \rangle` is held against the slope of the values
    :math:`C(\theta + t d)`, measured with several step sizes by central differences and their extrapolation. A mismatch counts only if it is beyond what
    truncation and the rounding seen in the values can explain, at any of the step sizes. Where one is found, bisection over blocks of entries finds the entry
    (:math:`O(\log n)` evaluations). A mismatch that is gone at randomly moved weights is a kink (ReLU at 0, ties), not an error.

    Args:
        model: Any module; it stays as it is, a float64 copy is used. Its training mode counts.
        loss: ``loss(output, target) -> 0-d tensor``.
        batch: ``(inputs, target)``; a tuple as inputs is spread over the arguments of ``forward`` where it takes that many.
        keywords: Keyword arguments of ``forward``.
        inputs: Check the gradients by the floating inputs too.
        second: Check second derivatives: the double backward of :math:`\langle \nabla C, v \rangle` with a random :math:`v`, against differences of gradients.
        n_directions: Random directions per parameter.
        n_coordinates: Entries probed alone per parameter (the largest gradient first, then random ones); more where a fault is found.
        tolerance: Relative differences below this are never called wrong, however sure.
        seed: Seeds directions and what the forward pass draws.
        budget_s: Seconds after which parameters are tested in groups, and few of the faulty ones looked into; s. It is no hard limit.
        progress: Called with (parameters done, parameters in all).

    Returns:
        A :class:`GradCheck`; ``ok`` is ``True`` where nothing was found to be wrong.

    Raises:
        UsageError: The forward pass fails on this batch, the loss is no 0-d tensor, or the model cannot be copied.

    Limits:
        Random dropout masks are frozen. A straight-through estimator differs from the numeric derivative on purpose and is told as different. So is a gradient
        cut on purpose (``detach`` of a target network): what counts is whether the loss moves. An entry whose derivative is below ``tolerance`` times what
        is typical of its parameter may be wrong unseen, unless backprop says exactly 0 there. Frozen, complex and integer tensors are not checked.

    References:
        Griewank and Walther 2008, "Evaluating Derivatives", chapter 3; Ridders 1982 for the extrapolation; Moré and Wild 2011 for rounding seen in values.

    Example:
        >>> class Doubled(torch.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         return x.clone()
        ...     @staticmethod
        ...     def backward(ctx, grad):
        ...         return 2 * grad  # wrong by a factor of 2
        >>> class Model(nn.Linear):
        ...     def forward(self, x):
        ...         return Doubled.apply(super().forward(x))
        >>> result = gradcheck(Model(3, 1), nn.functional.mse_loss, (torch.randn(4, 3), torch.randn(4, 1)))
        >>> result.ok, result.parameter, round(result.analytic / result.numeric, 6)
        (False, 'bias', 2.0)
    """
    _refuse_nonsense(n_directions, n_coordinates, tolerance)
    began = time.perf_counter()
    with undisturbed(torch.float64):
        bench = LossBench(model, loss, batch, keywords=keywords, seed=seed, with_inputs=inputs)
        checking = Checking(bench, seed=seed, n_directions=n_directions, n_coordinates=n_coordinates, tolerance=tolerance, budget_s=budget_s)
        try:
            found = _checked(checking, second=second, progress=progress)
        except BackpropFails as failure:
            found = GradCheck(ok=False, verdict=words.backward_fails(str(failure)), faults=("backward",))
    return _finished(found, bench, seconds=time.perf_counter() - began)


def _refuse_nonsense(n_directions: int, n_coordinates: int, tolerance: float) -> None:
    if n_directions < 1 or n_coordinates < 0:
        raise UsageError(f"n_directions should be 1 or more and n_coordinates 0 or more, and are {n_directions} and {n_coordinates}.")
    if not 0 < tolerance < 1:
        raise UsageError(f"tolerance should lie between 0 and 1, and is {tolerance}.")


def _checked(checking: Checking, *, second: bool, progress: Progress | None) -> GradCheck:
    bench = checking.bench
    if not math.isfinite(bench.start):
        return GradCheck(ok=False, verdict=words.loss_not_finite(bench.start), faults=("loss",))
    if not bench.tensors:
        return GradCheck(ok=True, verdict=words.nothing_to_check(), table=_skipped(bench))
    if second:
        checking.take_second()
    checking.begin()
    rows = checking.rows(progress)
    faults = checking.in_order_of_arrival([row for row in rows if row.is_fault])
    stale = [] if faults or second else checking.in_order_of_arrival(checking.stale_rows())
    if stale:
        by_name = {row.name: row for row in stale}
        rows, faults = [by_name.get(row.name, row) for row in rows], stale
    table = (*rows, *_skipped(bench))
    notes = words.notes(checking, rows)
    if not faults:
        said = None if second else complex_step_check(checking)
        verdict = words.all_agree(rows, second=second)
        return GradCheck(ok=True, verdict=verdict, table=table, error_growth=checking.joint_growth, complex_step=said, notes=notes)
    first = faults[0]
    hints = words.hints(checking, first) if not stale else (words.stale(),)
    module = None if second or stale else guilty_module(checking, faults)
    return GradCheck(
        ok=False,
        verdict=words.fault(first, faults, n_rows=len(rows), second=second),
        parameter=first.name,
        index=first.worst_index,
        analytic=first.analytic if first.worst_index is None else first.worst_analytic,
        numeric=first.numeric if first.worst_index is None else first.worst_numeric,
        table=table,
        error_growth=first.growth,
        hints=(*hints, *([words.guilty(module)] if module else [])),
        module=module,
        notes=notes,
        faults=tuple(row.name for row in faults),
    )


def _skipped(bench: LossBench) -> tuple[ParameterRow, ...]:
    return tuple(ParameterRow(name, bench.shapes.get(name, ()), "skipped", note=why) for name, why in bench.skipped.items())


def _finished(found: GradCheck, bench: LossBench, *, seconds: float) -> GradCheck:
    from dataclasses import replace

    return replace(found, loss=bench.loss, dtype=str(bench.dtype).removeprefix("torch."), n_evaluations=bench.n_evaluations, seconds=seconds)
