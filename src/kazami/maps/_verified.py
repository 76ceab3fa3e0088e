"""Nothing is believed untested: tangents against a finite difference, stacked members against single ones."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import UsageError
from ._field import LossField, Method, hand_written_backwards
from ._layout import Layout

AGREEMENT = 1e-4  # a wrong formula is wrong by its own size; a central difference in float64 is right to about 1e-9, at a near kink less
STEPS = (1e-4, 1e-5, 1e-6, 1e-7)


def chosen_method(field: LossField, layout: Layout, state: Tensor, time: int, *, is_forced: bool) -> tuple[Method, str]:
    """Return how the derivative of the gradient field is to be found, and why not exactly, if so.

    With ``is_forced`` a derivative that is not exact is an error instead. The field is looked at beside ``state``, where no entry sits exactly on a kink.
    """
    if state.dtype != torch.float64:
        return "hessian", ""
    generator = torch.Generator(device="cpu").manual_seed(0)
    noise = torch.randn(layout.n_parameters, generator=generator, dtype=state.dtype).to(state.device)
    direction = torch.randn(layout.n_parameters, generator=generator, dtype=state.dtype).to(state.device)
    beside = state.clone()
    beside[: layout.n_parameters] = state[: layout.n_parameters] * (1.0 + 1e-3 * noise) + 1e-4 * noise
    if not bool(torch.isfinite(beside).all()):
        return "hessian", ""
    layout.load_parameters(beside)
    found = field.gradient(layout, time, keep_graph=True)
    turned = field.products(layout, found, direction[:, None])[:, 0]

    def gradient_at(distance: float) -> Tensor:
        moved = beside.clone()
        moved[: layout.n_parameters] += distance * direction
        layout.load_parameters(moved)
        return field.gradient(layout, time).flat

    for step in STEPS:
        slope = (gradient_at(step) - gradient_at(-step)) / (2.0 * step)
        if _agree(turned, slope, found.flat, step):
            return "hessian", ""
    reason = _reason(field, layout, state, time)
    if is_forced:
        raise UsageError(f'Exact tangents need a loss that is twice differentiable, but {reason}. Ask for TrainingMap(training, tangents="finite_difference").')
    return "finite_difference", reason


def _reason(field: LossField, layout: Layout, state: Tensor, time: int) -> str:
    layout.load_parameters(state)
    named = hand_written_backwards(field.loss_at(time))
    if named:
        return f"the hand-written backward of {', '.join(named)} has no derivative that automatic differentiation sees"
    return "the gradient changes with the parameters in a way that automatic differentiation does not see (is a value detached?)"


def _agree(exact: Tensor, measured: Tensor, gradient: Tensor, step: float) -> bool:
    rounding = 1e-13 * float(torch.linalg.vector_norm(gradient)) / step
    size = max(float(torch.linalg.vector_norm(exact)), float(torch.linalg.vector_norm(measured)))
    return not float(torch.linalg.vector_norm(exact - measured)) > AGREEMENT * size + rounding


def differences(advance: Callable[[Tensor, int], Tensor], state: Tensor, vectors: Tensor, time: int) -> Tensor:
    """Return central differences of a step along ``vectors``, shape ``(dimension, k)``; the error is of the order of the step squared."""
    scale = torch.finfo(state.dtype).eps ** (1.0 / 3.0) * (1.0 + float(torch.linalg.vector_norm(state)) / max(state.numel(), 1) ** 0.5)
    columns = []
    for vector in vectors.T:
        length = float(vector.abs().max())
        if not length > 0.0:
            columns.append(torch.zeros_like(vector))
            continue
        step = scale / length
        columns.append((advance(state + step * vector, time) - advance(state - step * vector, time)) / (2.0 * step))
    return torch.stack(columns, dim=1)


def members_agree(stacked: Callable[[Tensor, int], Tensor], single: Callable[[Tensor, int], Tensor], states: Tensor, time: int) -> bool:
    """Return whether the stacked step works, and gives what single steps give for the first and the last member (up to the order of sums)."""
    try:
        together = stacked(states, time)
    except (RuntimeError, TypeError, ValueError, KeyError):
        return False
    tolerance = 1e-9 if states.dtype == torch.float64 else 1e-4
    for index in {0, len(states) - 1}:
        alone = single(states[index], time)
        if not torch.allclose(together[index], alone, rtol=tolerance, atol=tolerance, equal_nan=True):
            return False
    return True
