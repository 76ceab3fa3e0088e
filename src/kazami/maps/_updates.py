"""From gradient to next state: accumulation, clipping and the optimizer's rule, each with its exact derivative."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ._layout import Block, Layout
from .optimizers._base import AbstractOptimizerRule, Group

Diagonals = list[list[Any]]  # [output][input]: a number, or a column of shape (n, 1)


class Update:
    r"""The part of the step after the backward pass: :math:`(x, g) \mapsto x'`.

    Args:
        layout: Of the phase space.
        rule: The optimizer's.
        clip: Largest total gradient norm, or ``None``.
    """

    def __init__(self, layout: Layout, rule: AbstractOptimizerRule, clip: float | None) -> None:
        """Nothing is computed yet."""
        self.layout, self.rule, self.clip = layout, rule, clip
        self._cached: dict[tuple[int, bool], tuple[Group, Diagonals]] = {}

    def arrive(self, gradient: Tensor, state: Tensor) -> Tensor:
        """Return the gradient that the optimizer sees: with what was accumulated, and clipped. Leading dimensions are members."""
        if self.layout.gradient is not None:
            gradient = gradient + state[..., self.layout.gradient]
        if self.clip is None:
            return gradient
        norm = self._norm(gradient)
        return gradient * torch.clamp(self.clip / (norm + 1e-6), max=1.0)  # torch's own 1e-6

    def arrive_tangents(self, gradient: Tensor, turned: Tensor, state: Tensor, vectors: Tensor) -> Tensor:
        """Return the derivative of :meth:`arrive` for the gradient's tangents ``turned`` and the state's ``vectors``."""
        if self.layout.gradient is not None:
            gradient, turned = gradient + state[self.layout.gradient], turned + vectors[self.layout.gradient]
        if self.clip is None:
            return turned
        norm = torch.linalg.vector_norm(gradient)
        if not float(norm) > self.clip - 1e-6:
            return turned
        scale = self.clip / (norm + 1e-6)
        turned_back: Tensor = scale * turned - gradient[:, None] * (scale / (norm + 1e-6)) * (gradient @ turned)[None] / norm
        return turned_back

    def next_state(self, state: Tensor, gradient: Tensor, groups: Sequence[Group], time: int) -> Tensor:
        """Return the state after the optimizer's step with ``gradient`` (as it arrives); buffers are left as they are."""
        new = state.clone()
        for block in self.layout.blocks:
            group = groups[block.group]
            places = (block.theta, *block.memory)
            values = [state[..., place] for place in places]
            moved = self.rule.update(values[0], _signed(gradient[..., block.theta], group), tuple(values[1:]), group, time)
            for place, value in zip(places, moved, strict=True):
                new[..., place] = value
        if self.layout.gradient is not None:
            new[..., self.layout.gradient] = gradient
        return new

    def next_tangents(self, state: Tensor, gradient: Tensor, vectors: Tensor, turned: Tensor, groups: Sequence[Group], time: int) -> Tensor:
        """Return the tangents of :meth:`next_state`; ``turned`` is the tangent of the gradient as it arrives, shape ``(n_parameters, k)``."""
        new = vectors.clone()
        for block in self.layout.blocks:
            group = groups[block.group]
            places = (block.theta, *block.memory)
            entering = [vectors[block.theta], _signed(turned[block.theta], group), *(vectors[place] for place in block.memory)]
            for place, row in zip(places, self._diagonals(block, state, gradient, group, time), strict=True):
                new[place] = _combined(row, entering)
        if self.layout.gradient is not None:
            new[self.layout.gradient] = turned
        return new

    def _diagonals(self, block: Block, state: Tensor, gradient: Tensor, group: Group, time: int) -> Diagonals:
        """Return how each output of the rule changes with each of its inputs (parameters, gradient, slots), entry by entry."""
        if not self.rule.is_linear:
            inputs = [state[block.theta], _signed(gradient[block.theta], group), *(state[place] for place in block.memory)]
            return [[0.0 if part is None else part[:, None] for part in row] for row in self._differentiated(inputs, group, time)]
        key = (block.group, time == 0)
        if key not in self._cached or self._cached[key][0] is not group:
            inputs = [state.new_zeros(1) for _ in range(2 + len(block.slots))]
            rows = [[0.0 if part is None else float(part) for part in row] for row in self._differentiated(inputs, group, time)]
            self._cached[key] = group, rows
        return self._cached[key][1]

    def _differentiated(self, inputs: list[Tensor], group: Group, time: int) -> list[tuple[Tensor | None, ...]]:
        with torch.enable_grad():
            leaves = [value.detach().clone().requires_grad_() for value in inputs]
            outputs = self.rule.update(leaves[0], leaves[1], tuple(leaves[2:]), group, time)
            ones = torch.ones_like(leaves[0])
            return [torch.autograd.grad(output, leaves, ones, retain_graph=True, allow_unused=True) for output in outputs]

    def _norm(self, gradient: Tensor) -> Tensor:
        norms = [torch.linalg.vector_norm(part, dim=-1) for part in gradient.split(self.layout.sizes, dim=-1)]  # torch's order of summation
        total: Tensor = torch.linalg.vector_norm(torch.stack(norms, dim=-1), dim=-1, keepdim=True)
        return total


def _signed(gradient: Tensor, group: Group) -> Tensor:
    return -gradient if group.get("maximize", False) else gradient


def _combined(row: list[Any], entering: list[Tensor]) -> Tensor:
    total: Tensor | None = None
    for diagonal, vectors in zip(row, entering, strict=True):
        if isinstance(diagonal, float) and diagonal == 0.0:
            continue
        part = vectors * diagonal
        total = part if total is None else total + part
    return torch.zeros_like(entering[0]) if total is None else total
