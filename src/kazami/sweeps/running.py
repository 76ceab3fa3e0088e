"""How a block of members runs: followed together by an engine, with every record listening, and halved where one of them raises."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..dynamics.growth import ALIGNMENT
from ..dynamics.source import random_directions
from ..engines import AbstractEnsemble, Failure, Member, ensemble
from ..engines._base import own_dtype
from ..errors import UsageError
from ..maps import Training, TrainingMap
from ..registry import plugins
from .design import Entry
from .loops import PlainLoops
from .recorded._base import AbstractRecord, Course
from .variants import Changes, Preset

CHUNK = 256  # steps between two looks at the losses

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that a worker must know, the same for all blocks.

    Attributes:
        training: What is varied.
        structures: What the blocks change in it.
        records: Names of what is recorded.
        steps: How many steps; ``None``: each training's own number.
        every: A row of the table every so many steps.
        engine: Name of the engine, or ``"auto"``.
        dtype: Name of the precision (``"float32"``), or ``None`` for what the records need.
    """

    training: Training
    structures: tuple[Changes, ...]
    records: tuple[str, ...]
    steps: int | None
    every: int
    engine: str = "auto"
    dtype: str | None = None

    def made(self, structure: int) -> tuple[Training, int]:
        """Return the training of one structure and its number of steps."""
        training = self.structures[structure].of(self.training)
        return training, training.steps if self.steps is None else self.steps

    def kept(self, steps: int) -> tuple[int, ...]:
        """Return the steps of which a row is kept: evenly spread ones and the last; only the last where nothing is recorded along the way."""
        is_series = any(kind.is_series for kind in kinds(self.records))
        return tuple(sorted({*range(0, steps, self.every), steps - 1})) if is_series else (steps - 1,)


@dataclass(frozen=True, slots=True)
class Block:
    """Members that run together.

    Attributes:
        number: From 0.
        structure: Which of the setup's structures.
        entries: The members.
    """

    number: int
    structure: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class FailedMember:
    """A member that raised.

    Attributes:
        row: Its number.
        failure: What it raised.
    """

    row: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Finished:
    """What a block gave.

    Attributes:
        number: Of the block.
        rows: Member of each row of the table.
        steps: Step of each row.
        columns: What was recorded.
        failures: The members that raised.
        engine: Which engine ran and why.
        seconds: Processor time.
    """

    number: int
    rows: NDArray[np.int64]
    steps: NDArray[np.int64]
    columns: Columns
    failures: tuple[FailedMember, ...]
    engine: str
    seconds: float


def kinds(names: Sequence[str]) -> list[type[AbstractRecord]]:
    """Return the classes of records by name."""
    known = {kind.name: kind for kind in plugins("kazami.sweeps.recorded", AbstractRecord)}
    return [known[name] for name in names]


def run_block(setup: Setup, block: Block) -> Finished:
    """Run a block; where a member raises, halve it until that one is alone.

    Raises:
        UsageError: The engine asked for cannot run it.
    """
    began = time.process_time()
    parts: list[tuple[Sequence[Entry], Columns, int]] = []
    failures: list[FailedMember] = []
    said: list[str] = []
    waiting: list[tuple[Entry, ...]] = [block.entries]
    while waiting:
        entries = waiting.pop(0)
        try:
            columns, steps, how = _run(setup, block.structure, entries, is_whole=entries is block.entries)
        except EngineRefusal:
            raise
        except Exception as error:  # a user's model, loss or data may raise anything
            if len(entries) == 1:
                failures.append(FailedMember(entries[0].row, Failure.of(error)))
            else:
                half = len(entries) // 2
                waiting[:0] = [entries[:half], entries[half:]]
            continue
        parts.append((entries, columns, steps))
        said.append(how)
    rows, steps_column, joined = _joined(setup, parts)
    return Finished(block.number, rows, steps_column, joined, tuple(failures), " ".join(dict.fromkeys(said)), time.process_time() - began)


class EngineRefusal(UsageError):
    """The engine that was asked for by name cannot run a block."""


def _joined(setup: Setup, parts: Sequence[tuple[Sequence[Entry], Columns, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64], Columns]:
    """Return the rows of all parts under one another: member by member, and step by step."""
    names = [name for kind in kinds(setup.records) for name in kind.units]
    rows, steps, columns = [], [], {name: [np.zeros(0)] for name in names}
    for entries, found, count in parts:
        kept = setup.kept(count)
        rows.append(np.repeat([entry.row for entry in entries], len(kept)))
        steps.append(np.tile(kept, len(entries)))
        for name in names:
            values = found[name]
            columns[name].append(values.T.reshape(-1) if values.ndim == 2 else np.repeat(values, len(kept)))
    empty = np.zeros(0, dtype=np.int64)
    joined = {name: np.concatenate(some[1:]) if len(some) > 1 else some[0] for name, some in columns.items()}
    return np.concatenate([empty, *rows]).astype(np.int64), np.concatenate([empty, *steps]).astype(np.int64), joined


def _run(setup: Setup, structure: int, entries: Sequence[Entry], *, is_whole: bool) -> tuple[Columns, int, str]:
    training, steps = setup.made(structure)
    chosen = kinds(setup.records)
    columns: Columns = {}
    said: list[str] = []
    for some in _passes(training, chosen):
        found, how = _pass(setup, training, steps, entries, some, is_whole=is_whole)
        columns |= found
        said.append(how)
    return columns, steps, " ".join(dict.fromkeys(said))


def _passes(training: Training, chosen: Sequence[type[AbstractRecord]]) -> list[list[type[AbstractRecord]]]:
    """Return what is recorded together; the score of a model with buffers (BatchNorm's statistics, which tangents disturb) comes from a run without."""
    tangent = any(kind.needs_tangents for kind in chosen)
    apart = [kind for kind in chosen if kind.name == "score"]
    if not tangent or not apart or next(training.start().model.buffers(), None) is None:
        return [list(chosen)]
    return [[kind for kind in chosen if kind not in apart], apart]


def _pass(
    setup: Setup, training: Training, steps: int, entries: Sequence[Entry], chosen: Sequence[type[AbstractRecord]], *, is_whole: bool
) -> tuple[Columns, str]:
    has_tangents = any(kind.needs_tangents for kind in chosen)
    any_tangents = has_tangents or any(kind.needs_tangents for kind in kinds(setup.records))
    dtype = getattr(torch, setup.dtype) if setup.dtype else torch.float64 if any_tangents else own_dtype(training)
    members = [entry.member for entry in entries]
    m, reason = _map(training, members, dtype)
    if m is not None and m.training is not training:
        training = m.training
    if m is None:
        _refuse_without_map(chosen, reason)
        together: AbstractEnsemble = PlainLoops(training, members)
        said = f"plain loop: {len(members)} members. No engine can: {reason}"
    else:
        together, said = _opened(setup, training, members, dtype, steps, has_tangents, is_whole=is_whole)
    try:
        _perturb(together, entries, m)
        first = together.states.clone()
        course = Course(training, members, together, steps, setup.kept(steps), dtype, m, first, first)
        records = [kind() for kind in chosen]
        for record in records:
            record.begin(course)
        _follow(course, records, _first_vectors(course) if has_tangents else None)
        columns = {name: np.asarray(values) for record in records for name, values in record.columns(course).items()}
    finally:
        together.close()
    return columns, said


def _map(training: Training, members: Sequence[Member], dtype: torch.dtype) -> tuple[TrainingMap | None, str]:
    try:
        m = TrainingMap(training, dtype=dtype)
    except UsageError as reason:
        return None, str(reason)
    plain = m.dimension
    for name, value in members[0].settings.items():
        m.set_parameter(name, value)
    if m.dimension != plain:  # momentum where the training has none: for an engine it should be the training's own
        return TrainingMap(training.replaced(optimizer=Preset(training.optimizer, members[0].settings)), dtype=dtype), ""
    return m, ""


def _refuse_without_map(chosen: Sequence[type[AbstractRecord]], reason: str) -> None:
    needy = [kind.name for kind in chosen if kind.needs_map]
    if needy:
        raise UsageError(f"{needy[0]} needs the training as a map. {reason} Or do not record {', '.join(needy)}.")


def _opened(
    setup: Setup, training: Training, members: Sequence[Member], dtype: torch.dtype, steps: int, has_tangents: bool, *, is_whole: bool
) -> tuple[AbstractEnsemble, str]:
    engine = setup.engine if is_whole else "auto"
    try:
        return ensemble(training, members, engine=engine, dtype=dtype, steps=steps, n_tangents=int(has_tangents))
    except UsageError as reason:
        if engine != "auto":
            raise EngineRefusal(str(reason)) from None
        raise
    except Exception as error:  # an engine's own mistake, or the training's: the reference knows which
        if engine != "auto":
            raise
        together, said = ensemble(training, members, engine="eager", dtype=dtype, steps=steps, n_tangents=int(has_tangents))
        return together, f"{said} The others raised {type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def _perturb(together: AbstractEnsemble, entries: Sequence[Entry], m: TrainingMap | None) -> None:
    """Move each initial parameter by a uniform number in (-ε, ε), the same for all members but for ε."""
    sizes = [entry.perturbation for entry in entries]
    if not any(sizes):
        return
    states = together.states.clone()
    count = states.shape[1] if m is None else m.n_parameters
    noise = 2.0 * torch.rand(count, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1.0
    moves = torch.tensor(sizes, dtype=torch.float64)[:, None] * noise
    states[:, :count] = (states[:, :count].double() + moves.to(states.device)).to(states)
    together.set_states(states, time=0)


def _first_vectors(course: Course) -> torch.Tensor:
    """Return a tangent vector for each member, aligned as :func:`kazami.max_lyapunov` aligns its own."""
    vectors = random_directions(course.map_of(0), 1, 0).to(course.first).expand(len(course.members), -1, 1).clone()
    for _ in range(ALIGNMENT):
        carried = course.ensemble.advance_with_tangents(vectors, 1).vectors
        is_good = torch.isfinite(carried).all(dim=1, keepdim=True)
        vectors = torch.where(is_good, carried, vectors)
        course.ensemble.set_states(course.first, time=0)
    return vectors


def _follow(course: Course, records: Sequence[AbstractRecord], vectors: torch.Tensor | None) -> None:
    lookers = [record for record in records if record.needs_states]
    stops = set(course.kept) if lookers else set()
    stops = set(range(course.steps)) if any(record.looks_everywhere for record in lookers) else stops
    borders = sorted({*range(0, course.steps, CHUNK), *stops, course.steps})
    course.taken = np.full(len(course.members), course.steps, dtype=np.int64)
    for begin, end in pairwise(borders):
        if begin in stops:
            states = course.ensemble.states
            for record in lookers:
                record.look(course, begin, states)
        local = None
        if vectors is None:
            losses = course.ensemble.advance(end - begin)
        else:
            grown = course.ensemble.advance_with_tangents(vectors, end - begin)
            vectors, losses = grown.vectors, grown.losses
            local = grown.logs[:, :, 0].double().cpu().numpy()
        _tell(course, records, begin, losses.detach().double().cpu().numpy(), local)
    course.last = course.ensemble.states.clone()


def _tell(course: Course, records: Sequence[AbstractRecord], begin: int, losses: NDArray[np.float64], local: NDArray[np.float64] | None) -> None:
    wrong = ~np.isfinite(losses)
    first = np.where(wrong.any(axis=0), begin + wrong.argmax(axis=0), course.steps)
    course.taken = np.minimum(course.taken, first)
    for record in records:
        record.passed(course, begin, losses, local)


def units_of(names: Sequence[str]) -> Mapping[str, str]:
    """Return the columns of some records, with their units."""
    return {column: unit for kind in kinds(names) for column, unit in kind.units.items()}
