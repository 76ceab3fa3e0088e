"""From gradient to next state: accumulation, clipping and the optimizer's rule, each with its exact derivative."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ._layout import Block, Layout
from .optimizers._base import AbstractOptimizerRule, Group, Number, Numbers, in_precision

Diagonals = list[list[Any]]  # [output][input]: a number, or one per entry and a last dimension of one


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """What the optimizer does to one block in one step.

    Attributes:
        group: The settings, read for what is either so or not.
        numbers: The rule's coefficients; columns where members have their own.
    """

    group: Group
    numbers: Numbers


class Update:
    r"""The part of the step after the backward pass: :math:`(x, g) \mapsto x'`. Leading dimensions of everything are members.

    Args:
        layout: Of the phase space.
        rule: The optimizer's.
        clip: Largest total gradient norm, or ``None``.
        is_pure: Whether derivatives are found by function transforms, which work inside of others but cost more.
    """

    def __init__(self, layout: Layout, rule: AbstractOptimizerRule, clip: float | None, *, is_pure: bool = False) -> None:
        """Nothing is computed yet."""
        self.layout, self.rule, self.clip, self.is_pure = layout, rule, clip, is_pure
        self._cached: dict[tuple[Any, ...], Diagonals] = {}

    def moves(self, groups: Sequence[Group], time: int) -> list[Move]:
        """Return what the optimizer does to each block in step number ``time`` with the settings of its ``groups``."""
        return [Move(groups[block.group], self.rule.numbers(groups[block.group], time)) for block in self.layout.blocks]

    def arrive(self, gradient: Tensor, state: Tensor) -> Tensor:
        """Return the gradient that the optimizer sees: with what was accumulated, and clipped."""
        if self.layout.gradient is not None:
            gradient = gradient + state[..., self.layout.gradient]
        if self.clip is None:
            return gradient
        norm = self._norm(gradient)
        return gradient * torch.clamp(self.clip / (norm + 1e-6), max=1.0)  # torch's own 1e-6

    def arrive_tangents(self, gradient: Tensor, turned: Tensor, state: Tensor, vectors: Tensor) -> Tensor:
        """Return the derivative of :meth:`arrive` for the gradient's tangents ``turned`` and the state's ``vectors``; their last dimension counts them."""
        if self.layout.gradient is not None:
            gradient, turned = gradient + state[..., self.layout.gradient], turned + vectors[..., self.layout.gradient, :]
        if self.clip is None:
            return turned
        norm = torch.linalg.vector_norm(gradient, dim=-1)[..., None, None]
        scale = self.clip / (norm + 1e-6)
        along = (gradient[..., None] * turned).sum(dim=-2, keepdim=True)
        clipped = scale * turned - gradient[..., None] * (scale / (norm + 1e-6)) * along / norm
        return torch.where(norm > self.clip - 1e-6, clipped, turned)

    def next_state(self, state: Tensor, gradient: Tensor, moves: Sequence[Move]) -> Tensor:
        """Return the state after the optimizer's step with ``gradient`` (as it arrives); buffers are left as they are."""
        pieces: dict[int, Tensor] = {}
        for block, move in zip(self.layout.blocks, moves, strict=True):
            places = (block.theta, *block.memory)
            values = [state[..., place] for place in places]
            numbers = in_precision(move.numbers, state.dtype)
            moved = self.rule.moved(values[0], _signed(gradient[..., block.theta], move.group), tuple(values[1:]), numbers, move.group)
            pieces.update({place.start: value for place, value in zip(places, moved, strict=True)})
        if self.layout.gradient is not None:
            pieces[self.layout.gradient.start] = gradient
        return _joined(pieces, state, dim=-1)

    def next_tangents(self, state: Tensor, gradient: Tensor, vectors: Tensor, turned: Tensor, moves: Sequence[Move]) -> Tensor:
        """Return the tangents of :meth:`next_state`; ``turned`` is the tangent of the gradient as it arrives, shape ``(..., n_parameters, k)``."""
        pieces: dict[int, Tensor] = {}
        for block, move in zip(self.layout.blocks, moves, strict=True):
            places = (block.theta, *block.memory)
            arriving = _signed(turned[..., block.theta, :], move.group)
            entering = [vectors[..., block.theta, :], arriving, *(vectors[..., place, :] for place in block.memory)]
            for place, row in zip(places, self._diagonals(block, state, gradient, move), strict=True):
                pieces[place.start] = _combined(row, entering)
        if self.layout.gradient is not None:
            pieces[self.layout.gradient.start] = turned
        return _joined(pieces, vectors, dim=-2)

    def _diagonals(self, block: Block, state: Tensor, gradient: Tensor, move: Move) -> Diagonals:
        """Return how each output of the rule changes with each of its inputs (parameters, gradient, slots), entry by entry."""
        numbers = in_precision(move.numbers, state.dtype)
        if not self.rule.is_linear:
            inputs = [state[..., block.theta], _signed(gradient[..., block.theta], move.group), *(state[..., place] for place in block.memory)]
            return [[0.0 if part is None else part[..., None] for part in row] for row in self._differentiated(inputs, move.group, numbers)]
        if any(isinstance(value, Tensor) for value in numbers.values()):
            zeros = state[..., :1] * 0.0 + 0.0
            inputs = [zeros.nan_to_num(0.0, 0.0, 0.0) for _ in range(2 + len(block.slots))]
            return [[0.0 if part is None else part[..., None] for part in row] for row in self._differentiated(inputs, move.group, numbers)]
        key = (block.group, *numbers.values())
        if key not in self._cached:
            inputs = [state.new_zeros(1) for _ in range(2 + len(block.slots))]
            self._cached[key] = [[0.0 if part is None else float(part) for part in row] for row in self._differentiated(inputs, move.group, numbers)]
        return self._cached[key]

    def _differentiated(self, inputs: list[Tensor], group: Group, numbers: dict[str, Number]) -> list[tuple[Tensor | None, ...]]:
        if self.is_pure:
            return self._transformed(inputs, group, numbers)
        with torch.enable_grad():
            leaves = [value.detach().clone().requires_grad_() for value in inputs]
            outputs = self.rule.moved(leaves[0], leaves[1], tuple(leaves[2:]), numbers, group)
            ones = torch.ones_like(leaves[0])
            return [torch.autograd.grad(output, leaves, ones, retain_graph=True, allow_unused=True) for output in outputs]

    def _transformed(self, inputs: list[Tensor], group: Group, numbers: dict[str, Number]) -> list[tuple[Tensor | None, ...]]:
        def moved(theta: Tensor, gradient: Tensor, *slots: Tensor) -> tuple[Tensor, ...]:
            return self.rule.moved(theta, gradient, slots, numbers, group)

        found: Any = torch.func.vjp(moved, *inputs)
        outputs, pull = found[0], found[1]
        ones, zeros = torch.ones_like(outputs[0]), torch.zeros_like(outputs[0])
        return [pull(tuple(ones if place == number else zeros for place in range(len(outputs)))) for number in range(len(outputs))]

    def _norm(self, gradient: Tensor) -> Tensor:
        norms = [torch.linalg.vector_norm(part, dim=-1) for part in gradient.split(self.layout.sizes, dim=-1)]  # torch's order of summation
        total: Tensor = torch.linalg.vector_norm(torch.stack(norms, dim=-1), dim=-1, keepdim=True)
        return total


def _signed(gradient: Tensor, group: Group) -> Tensor:
    return -gradient if group.get("maximize", False) else gradient


def _joined(pieces: dict[int, Tensor], old: Tensor, *, dim: int) -> Tensor:
    """Return the pieces by their places in one tensor, and behind them what ``old`` has there."""
    parts = [pieces[begin] for begin in sorted(pieces)]
    rest = old.shape[dim] - sum(part.shape[dim] for part in parts)
    if rest:
        parts.append(old.narrow(dim, old.shape[dim] - rest, rest))
    return torch.cat(parts, dim=dim) if len(parts) > 1 else parts[0]


def _combined(row: list[Any], entering: list[Tensor]) -> Tensor:
    total: Tensor | None = None
    for diagonal, vectors in zip(row, entering, strict=True):
        if isinstance(diagonal, float) and diagonal == 0.0:
            continue
        part = vectors * diagonal
        total = part if total is None else total + part
    return torch.zeros_like(entering[0]) if total is None else total
