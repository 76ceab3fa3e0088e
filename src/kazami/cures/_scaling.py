"""Gradients multiplied on their way back, while every value stays as it is: a loss scale for half precision, weights for the terms of a loss."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..maps import Training
from ..maps.training import needs_closure, untouched_randomness
from ._fresh import fresh, goes, if_it_goes
from ._guards import parameters_of, total_norm, with_guard
from ._modes import StepInMode
from ._surgery import with_model

SCALES = tuple(2.0**k for k in range(16, 0, -3))
ROOM = 8.0  # between the scale that is taken and the largest that overflows nowhere at the first step


class Scaled(torch.autograd.Function):
    """The same value, whose gradient is multiplied."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, factor: float) -> Tensor:
        """Return the value."""
        ctx.factor = factor
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, None]:
        """Multiply the gradient."""
        return gradients[0] * ctx.factor, None


def scaled(value: Tensor, factor: float) -> Tensor:
    """Return ``value`` with its gradient multiplied by ``factor``."""
    result: Tensor = Scaled.apply(value, factor)  # type: ignore[no-untyped-call]
    return result


class BackwardFromLarger(TorchFunctionMode):
    """Begins every backward with a gradient of ``scale`` instead of 1."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self._scale = scale

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Make the call; a backward starts from a scaled loss."""
        del types
        if function is Tensor.backward and arguments and arguments[0].numel() == 1:
            arguments = (scaled(arguments[0], self._scale), *arguments[1:])
        return function(*arguments, **(keywords or {}))


@dataclass(frozen=True, slots=True)
class Unscales:
    """Divides the gradients by the scale before a step, and leaves out a step whose gradients are not finite."""

    scale: float

    def __call__(self, optimizer: torch.optim.Optimizer) -> None:
        """Divide, or leave out."""
        is_finite = math.isfinite(total_norm(optimizer))
        for parameter in parameters_of(optimizer):
            if parameter.grad is not None:
                parameter.grad = parameter.grad / self.scale if is_finite else None


def with_loss_scale(training: Training) -> Training | None:
    """Return the training whose gradients are computed from a larger start and divided again before the step.

    ``None`` where the optimizer takes a closure, where gradients are clipped by the loop, or where the first step's gradients are not finite at any scale.
    The scale is the largest at which they are, with room for an eightfold growth.
    """
    if training.clip_grad_norm is not None or not training.zero_grad or needs_closure(fresh(training).optimizer):
        return None
    largest = next((scale for scale in SCALES if _is_finite(_scaled_training(training, scale))), None)
    if largest is None:
        return None
    scale = max(largest / ROOM, 2.0)
    return with_guard(_scaled_training(training, scale), lambda: Unscales(scale))


def _scaled_training(training: Training, scale: float) -> Training:
    if training.train_step is not None:
        return training.replaced(train_step=StepInMode(training.train_step, lambda: BackwardFromLarger(scale)))
    loss = training.loss
    return training.replaced(loss=lambda output, target: scaled(loss(output, target), scale))


def _is_finite(training: Training) -> bool:
    """Return whether the gradients of the first step are finite."""
    norms: list[float] = []
    try:
        with untouched_randomness():
            watched = with_guard(training, lambda: lambda optimizer: norms.append(total_norm(optimizer)))
            if watched is not None:
                watched.replaced(evaluate=None).run(steps=1)
    except Exception:  # whatever a stranger's step does
        return False
    return bool(norms) and math.isfinite(norms[0])


@dataclass(slots=True)
class Autocast:
    """Two hooks in one: a model's forward runs in autocast, while its weights are stored in float32."""

    format: torch.dtype

    def attach(self, model: nn.Module) -> None:
        """Hang the hooks on a model."""
        model.register_forward_pre_hook(self.begin)
        model.register_forward_hook(self.finish, always_call=True)

    def begin(self, model: nn.Module, arguments: Any) -> None:
        """Begin."""
        del arguments
        context = torch.autocast(next(model.parameters()).device.type, dtype=self.format)
        _open_contexts.append(context)
        context.__enter__()

    def finish(self, model: nn.Module, arguments: Any, output: Any) -> None:
        """Stop."""
        del model, arguments, output
        _open_contexts.pop().__exit__(None, None, None)


_open_contexts: list[Any] = []
HALVES = (torch.float16, torch.bfloat16)


def with_full_weights(training: Training) -> Training | None:
    """Return the training whose weights are stored in float32 and whose forward runs in autocast of the old format; ``None`` where none is stored so."""
    formats = {p.dtype for p in fresh(training).model.parameters()} & set(HALVES)
    if len(formats) != 1:
        return None
    cast = Autocast(formats.pop())

    def change(model: nn.Module) -> None:
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.dtype in HALVES:
                tensor.data = tensor.data.float()
        cast.attach(model)

    return if_it_goes(with_model(training, change))


class TermWeights(TorchFunctionMode):
    """Multiplies the gradient of each term of a loss, and remembers which terms every number is the sum of.

    A term is a single number made of tensors that are none; what is made of such numbers alone carries their terms on, in the order in which they stand.

    Args:
        factors: By the number of the term, counted in the order in which they are computed.
    """

    def __init__(self, factors: Mapping[int, float]) -> None:
        super().__init__()
        self._factors, self._n = dict(factors), 0
        self._terms: dict[int, tuple[int, ...]] = {}
        self._alive: list[Tensor] = []
        self.summed: tuple[int, ...] = ()

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Make the call, and follow the terms."""
        del types
        if function is Tensor.backward and arguments:
            self.summed = self._terms.get(id(arguments[0]), ())
        result = function(*arguments, **(keywords or {}))
        if not isinstance(result, Tensor) or not result.requires_grad or result.is_leaf:
            return result
        known = [self._terms[id(one)] for one in _tensors(arguments) if id(one) in self._terms]
        if known:
            return self._note(result, tuple(number for terms in known for number in terms))
        if result.numel() != 1 or getattr(function, "__name__", "") in ("__get__", "detach"):
            return result
        number, self._n = self._n, self._n + 1
        return self._note(scaled(result, self._factors[number]) if number in self._factors else result, (number,))

    def _note(self, result: Tensor, terms: tuple[int, ...]) -> Tensor:
        self._terms[id(result)] = terms
        self._alive.append(result)  # an identity stays unique while what bears it lives
        return result


def _tensors(arguments: Sequence[Any]) -> list[Tensor]:
    found: list[Tensor] = []
    for one in arguments:
        found += [one] if isinstance(one, Tensor) else _tensors(one) if isinstance(one, list | tuple) else []
    return found


def with_term_weights(training: Training, factors: Mapping[int, float]) -> Training | None:
    """Return the training whose loss's terms weigh more or less; ``None`` where they are not found.

    Args:
        factors: By the place of the term in the sum, counted from 1.
    """
    order = _terms_of(training)
    if not factors or len(order) < 2 or max(factors) > len(order) or len(set(order)) < len(order):
        return None
    by_number = {order[place - 1]: factor for place, factor in factors.items()}

    def make() -> TermWeights:
        return TermWeights(by_number)

    if training.train_step is not None:
        return training.replaced(train_step=StepInMode(training.train_step, make))
    loss = training.loss

    def weighted(output: Any, target: Any) -> Tensor:
        with make():
            return loss(output, target)

    return training.replaced(loss=weighted)


def _terms_of(training: Training) -> tuple[int, ...]:
    """Return the terms of the first loss in the order of the sum, by the order in which they are computed."""
    seen: list[TermWeights] = []

    def make() -> TermWeights:
        seen.append(TermWeights({}))
        return seen[-1]

    if training.train_step is not None:
        return seen[-1].summed if goes(training.replaced(train_step=StepInMode(training.train_step, make))) and seen else ()
    loss, found = training.loss, []

    def watched(output: Any, target: Any) -> Tensor:
        with make() as mode:
            value = loss(output, target)
            found.append(mode._terms.get(id(value), ()))
        return value

    return found[-1] if goes(training.replaced(loss=watched)) and found else ()
