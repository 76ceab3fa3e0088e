"""An ensemble whose members live in the workers of a pool, and whose states live here: a worker that dies takes nothing with it."""

import uuid
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import KazamiError
from ..maps import Training
from ._base import AbstractEnsemble, AbstractRemembering, AbstractRows, Grown, Job, Member, fresh, must_be_windows, write_named
from ._pools import AbstractPool, Failure
from ._sizing import map_for

LARGEST_KEPT = 8  # ensembles that a worker keeps open between two calls; what they compiled is dear, what they hold is not needed
_open: OrderedDict[tuple[str, int], tuple[AbstractEnsemble, str]] = OrderedDict()


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What a worker does with one part, and all that it needs for it besides the assignment."""

    part: int
    states: Tensor | None
    buffers: Mapping[str, Tensor]
    time: int
    steps: int
    vectors: Tensor | None = None
    every: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class _Done:
    states: Tensor
    buffers: dict[str, Tensor]
    losses: Tensor | None
    grown: Grown | None
    said: str


@dataclass(frozen=True, slots=True, eq=False)
class _Assignment:
    """What all workers know: called with a task, the same task gives the same numbers in every worker."""

    token: str
    training: Training
    parts: tuple[tuple[Member, ...], ...]
    engine: str
    dtype: torch.dtype
    steps: int
    n_tangents: int

    def __call__(self, task: _Task) -> _Done:
        """Open the part, or go on with it, from the states that come with the task."""
        together, said = self._opened(task.part)
        if task.states is not None:
            together.set_states(task.states, time=task.time)
            if isinstance(together, AbstractRemembering):
                together.set_buffers(task.buffers)
        losses = grown = None
        if task.vectors is not None:
            grown = together.advance_with_tangents(task.vectors, task.steps, every=task.every)
        elif task.steps:
            losses = together.advance(task.steps)
        buffers = together.buffers if isinstance(together, AbstractRemembering) else {}
        return _Done(together.states.detach().clone(), {name: value.detach().clone() for name, value in buffers.items()}, losses, grown, said)

    def _opened(self, part: int) -> tuple[AbstractEnsemble, str]:
        from ._choice import ensemble

        key = self.token, part
        if key not in _open:
            _open[key] = ensemble(self.training, self.parts[part], engine=self.engine, dtype=self.dtype, steps=self.steps, n_tangents=self.n_tangents)
            while len(_open) > LARGEST_KEPT:
                _open.popitem(last=False)[1][0].close()
        return _open[key]


class Remote(AbstractRows, AbstractRemembering):
    """The members of a job, in as many parts as the pool has workers.

    Args:
        job: What is run.
        pool: Where; it is closed with the ensemble.
        engine: What runs in each worker.

    Raises:
        KazamiError: A part failed; the message holds the worker's traceback.
    """

    def __init__(self, job: Job, pool: AbstractPool, engine: str) -> None:
        """Open the parts."""
        self._job, self._pool, self._time = job, pool, 0
        weakref.finalize(self, pool.close)
        count = min(pool.workers, len(job.members))
        ends = [len(job.members) * number // count for number in range(count + 1)]
        self._rows = [slice(begin, end) for begin, end in pairwise(ends)]
        parts = tuple(job.members[rows] for rows in self._rows)
        self._assignment = _Assignment(uuid.uuid4().hex, job.training, parts, engine, job.dtype, job.steps, job.n_tangents)
        done = self._done([_Task(part, None, {}, 0, 0) for part in range(count)])
        self._states, self._buffers = torch.cat([each.states for each in done]), [each.buffers for each in done]
        self._said = f"{count} workers of {pool.name}, in each {done[0].said}"

    @property
    def buffers(self) -> dict[str, Tensor]:
        """What members keep besides; where only some parts have something of their own, the others have what the training's own seed makes."""
        names = list(dict.fromkeys(name for part in self._buffers for name in part))
        common = fresh(map_for(self._job), None) if any(set(part) != set(names) for part in self._buffers) else {}

        def of(part: dict[str, Tensor], rows: slice, name: str) -> Tensor:
            return part[name] if name in part else common[name].expand(rows.stop - rows.start, *common[name].shape)

        return {name: torch.cat([of(part, rows, name) for part, rows in zip(self._buffers, self._rows, strict=True)]) for name in names}

    def set_buffers(self, buffers: Mapping[str, Tensor]) -> None:
        """Put what members keep besides at these values."""
        self._buffers = [{name: buffers[name][rows] for name in part} for part, rows in zip(self._buffers, self._rows, strict=True)]

    @property
    def remark(self) -> str:
        """Where the members are, and what the engine there says."""
        return self._said

    def advance(self, steps: int) -> Tensor:
        """Take steps."""
        must_be_windows(steps, steps)
        done = self._moved([self._task(part, steps) for part in range(len(self._rows))], steps)
        return torch.cat([each.losses for each in done if each.losses is not None], dim=1)

    def advance_with_tangents(self, vectors: Tensor, steps: int, *, every: int = 1) -> Grown:
        """Take steps with deviation vectors."""
        must_be_windows(steps, every)
        done = self._moved([self._task(part, steps, vectors=vectors[rows], every=every) for part, rows in enumerate(self._rows)], steps)
        grown = [each.grown for each in done if each.grown is not None]
        return Grown(torch.cat([g.losses for g in grown], dim=1), torch.cat([g.logs for g in grown], dim=1), torch.cat([g.vectors for g in grown]))

    def write_into(self, model: nn.Module, index: int) -> None:
        """Copy one member into a module."""
        layout, state = map_for(self._job).layout, self._states[index]
        write_named(model, dict(zip(layout.names, layout.split(state), strict=True)))
        write_named(model, {name: state[place].view(buffer.shape) for name, buffer, place in layout.buffers})
        write_named(model, {name: values[index] for name, values in self.buffers.items()})

    def close(self) -> None:
        """End the workers."""
        self._pool.close()

    def _task(self, part: int, steps: int, **more: Any) -> _Task:
        return _Task(part, self._states[self._rows[part]].clone(), self._buffers[part], self._time, steps, **more)

    def _moved(self, tasks: list[_Task], steps: int) -> list[_Done]:
        done = self._done(tasks)
        self._states, self._buffers = torch.cat([each.states for each in done]), [each.buffers for each in done]
        self._time += steps
        return done

    def _done(self, tasks: list[_Task]) -> list[_Done]:
        found: dict[int, _Done] = {}
        for index, result in self._pool.map(self._assignment, tasks):
            if isinstance(result, Failure):
                raise KazamiError(f"Part {index} of the ensemble failed in its worker with {result.kind}: {result.message}\n{result.traceback}".strip())
            found[index] = result
        return [found[index] for index in range(len(tasks))]
