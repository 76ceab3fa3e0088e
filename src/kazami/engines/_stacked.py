"""An ensemble in a few tensors: one row for each member, advanced in chunks that stay in the cache."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from ..maps._updates import Move
from ._base import AbstractRemembering, AbstractRows, Grown, Job, must_be_windows, orthonormalised, write_named
from ._columns import Columns, moves_of, numbers_of
from ._runners import AbstractRunner
from ._sizing import chunk_size, map_for, must_fit, within
from ._step import StackedStep, starts

Outcome = tuple[Tensor, Tensor, list[Tensor], Tensor | None]


class Stacked(AbstractRows, AbstractRemembering):
    """The members of a job, stacked.

    Args:
        job: What is run.
        runner: How the step is run.

    Raises:
        UsageError: It would not fit into memory.
    """

    def __init__(self, job: Job, runner: AbstractRunner) -> None:
        """Lay out the states before the first step."""
        must_fit(job)
        self._m, self._runner = map_for(job), runner
        begun = starts(self._m, job.members)
        self._columns = Columns(self._m, job.members)
        self._states = torch.cat([begun.parameters, self._columns.memory(self._m, begun.in_state.shape[1]), begun.in_state], dim=1)
        self._kept = begun.kept
        self._step = StackedStep(self._m, tuple(begun.kept))
        self._time = 0
        self._size = chunk_size(job)

    @property
    def buffers(self) -> dict[str, Tensor]:
        """What members keep besides."""
        return dict(self._kept)

    def set_buffers(self, buffers: Mapping[str, Tensor]) -> None:
        """Put what members keep besides at these values."""
        self._kept = {name: buffers[name].detach().clone().to(old) for name, old in self._kept.items()}

    @property
    def remark(self) -> str:
        """What the runner has to say."""
        return self._runner.remark

    def advance(self, steps: int) -> Tensor:
        """Take steps."""
        return torch.stack([self._stepped(None)[0] for _ in range(must_be_windows(steps, steps)[0])])

    def advance_with_tangents(self, vectors: Tensor, steps: int, *, every: int = 1) -> Grown:
        """Take steps with deviation vectors."""
        losses, logs = [], []
        carry = self._carried if self._m.tangent_method(self._states[0], self._time) == "hessian" else self._differences
        vectors = vectors.to(self._states)
        for length in must_be_windows(steps, every):
            for _ in range(length):
                loss, vectors = carry(vectors)
                losses.append(loss)
            vectors, grown = orthonormalised(vectors)
            logs.append(grown)
        return Grown(torch.stack(losses), torch.stack(logs), vectors)

    def write_into(self, model: nn.Module, index: int) -> None:
        """Copy one member into a module."""
        layout, state = self._m.layout, self._states[index]
        write_named(model, dict(zip(layout.names, layout.split(state), strict=True)))
        write_named(model, {name: state[place].view(buffer.shape) for name, buffer, place in layout.buffers})
        write_named(model, {name: values[index] for name, values in self._kept.items()})

    def close(self) -> None:
        """Let go of the memory."""
        self._states, self._kept = self._states[:0], {}

    def _carried(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        losses, carried = self._stepped(vectors)
        return losses, vectors if carried is None else carried

    def _differences(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Carry vectors by central differences of the whole step, as `TrainingMap` does where there is no exact derivative."""
        begin, kept, time = self._states, self._kept, self._time
        scale = torch.finfo(begin.dtype).eps ** (1.0 / 3.0) * (1.0 + torch.linalg.vector_norm(begin, dim=1) / begin.shape[1] ** 0.5)
        columns = []
        for vector in vectors.unbind(dim=2):
            length = vector.abs().amax(dim=1)
            step = torch.where(length > 0.0, scale / length.where(length > 0.0, 1.0), 0.0)[:, None]
            sides = []
            for sign in (1.0, -1.0):
                self._states, self._kept, self._time = begin + sign * step * vector, kept, time
                self._stepped(None)
                sides.append(self._states)
            columns.append(torch.where(step > 0.0, (sides[0] - sides[1]) / (2.0 * step.where(step > 0.0, 1.0)), 0.0))
        self._states, self._kept, self._time = begin, kept, time
        return self._stepped(None)[0], torch.stack(columns, dim=2)

    def _stepped(self, vectors: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Take one step, chunk by chunk."""
        moves, batch = self._columns.at(self._time), self._m.field.batches.at(self._time)
        parts = [self._chunk(rows, moves, batch, vectors) for rows in _chunks(len(self._states), self._size)]
        self._time += 1
        if len(parts) == 1:
            losses, self._states, changed, carried = parts[0]
        else:
            losses, self._states, changed, carried = _together(parts, len(parts) * self._size - len(self._states))
        self._kept = {**self._kept, **dict(zip(self._step.changing, changed, strict=True))}
        return losses, carried

    def _chunk(self, rows: slice, moves: list[Move], batch: Any, vectors: Tensor | None) -> Outcome:
        values, names = numbers_of(moves)
        leaves, spec = tree_flatten(batch)
        is_number = [not isinstance(value, Tensor) and value == 0.0 for value in values]
        numbers = [_as_tensor(value, rows, self._m.dtype) for value, constant in zip(values, is_number, strict=True) if not constant]
        inside = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        kept = [values[rows] for values in self._kept.values()]
        beside = [] if vectors is None else [vectors[rows]]

        def step(*tensors: Tensor) -> list[Tensor]:
            supply = iter(tensors)
            states, resting = next(supply), [next(supply) for _ in kept]
            given: list[Tensor | float] = [0.0 if constant else next(supply) for constant in is_number]
            seen = tree_unflatten([next(supply) if isinstance(leaf, Tensor) else leaf for leaf in leaves], spec)
            losses, new, changed, carried = self._step(states, resting, moves_of(given, names, moves), seen, next(supply, None))
            return [losses, new, *changed, *([] if carried is None else [carried])]

        tensors = [tensor.contiguous() for tensor in (self._states[rows], *kept, *numbers, *inside, *beside)]  # a list of operations takes no other order
        others = tuple(repr(leaf) for leaf in leaves if not isinstance(leaf, Tensor))
        key = (tuple(is_number), spec, others, tuple((tensor.shape, tensor.dtype) for tensor in tensors))
        found = self._runner(step, tensors, key, lambda: within(self._m, self._time))
        n = len(self._step.changing)
        return found[0], found[1], found[2 : 2 + n], found[2 + n] if vectors is not None else None


def _chunks(count: int, size: int) -> list[slice]:
    """Return slices of equal length that cover all rows; the last may begin before the one before it ends."""
    return [slice(min(begin, count - size), min(begin, count - size) + size) for begin in range(0, count, size)]


def _together(parts: list[Outcome], overlap: int) -> Outcome:
    """Return the outcome of all chunks; of the last one the first ``overlap`` rows are left out, for the one before it has them."""
    losses, new, changed, carried = parts[-1]
    rows = [*parts[:-1], (losses[overlap:], new[overlap:], [part[overlap:] for part in changed], None if carried is None else carried[overlap:])]
    vectors = [part[3] for part in rows if part[3] is not None]
    joined = [torch.cat([part[2][place] for part in rows]) for place in range(len(changed))]
    return torch.cat([part[0] for part in rows]), torch.cat([part[1] for part in rows]), joined, torch.cat(vectors) if vectors else None


def _as_tensor(value: Tensor | float, rows: slice, dtype: torch.dtype) -> Tensor:
    return value[rows].to(dtype) if isinstance(value, Tensor) else torch.tensor(value, dtype=dtype)
