"""What a sweep will take before it begins: members, blocks, memory, time; and its refusal where there is not enough."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..curvature.memory import available_bytes, gibibytes, graph_bytes
from ..engines import Job
from ..engines._base import AbstractEngine
from ..errors import UsageError
from ..maps import Training
from ..maps.training import untouched_randomness
from ..registry import plugins
from .design import Design, Entry
from .recorded._base import AbstractRecord
from .running import Block, Setup, kinds

COPIES = 8  # of a member's state that an engine holds at a time: parameters, gradients, memory, the next ones, and what lies between
ROWS = 200  # of the table for each member
MOST_ROWS = 5_000_000
WAVE = 16  # members that share a vector register
FEWEST = 64  # members a block, where there are as many: fewer do not fill an engine
PARTS = 8  # of a structure's members, so that several workers have something to do and a kill costs an eighth at most
NOMINAL_FLOPS = 2e9  # a second: turns sizes into a length that is the same on every machine
LONGEST = 30.0  # nominal seconds a block
SAMPLE = 8  # structures whose time is asked for


@dataclass(frozen=True, slots=True)
class Weight:
    """What one member of a structure takes.

    Attributes:
        parameters: How many numbers are trained.
        n_bytes: Memory while it runs.
        seconds: Nominal time, the same on every machine; only good for dividing work evenly.
    """

    parameters: int
    n_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How a sweep is divided.

    Attributes:
        blocks: What runs together; each is a part of the table, and what a kill may cost.
        weights: Of each structure.
        rows: Of the table.
        block_bytes: Memory of the largest block.
        table_bytes: Of the whole table.
        seconds: Rough estimate on one core of this machine.
        workers: How many blocks run at a time.
    """

    blocks: tuple[Block, ...]
    weights: tuple[Weight, ...]
    rows: int
    block_bytes: int
    table_bytes: int
    seconds: float
    workers: int

    @property
    def members(self) -> int:
        """How many trainings."""
        return sum(len(block.entries) for block in self.blocks)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        numbers = {name: getattr(self, name) for name in ("members", "rows", "block_bytes", "table_bytes", "seconds", "workers")}
        largest = max(len(block.entries) for block in self.blocks)
        return {**numbers, "blocks": len(self.blocks), "members_per_block": largest, "structures": len(self.weights)}

    def refuse_what_does_not_fit(self) -> None:
        """Refuse a sweep for which there is not enough memory, before it begins.

        Raises:
            UsageError: With the numbers and what to do.
        """
        needed, free = self.block_bytes * self.workers + 2 * self.table_bytes, available_bytes(torch.device("cpu"))
        if needed > free:
            what = f"{self.workers} block(s) at a time with {gibibytes(self.block_bytes)} each and a table of {gibibytes(self.table_bytes)}"
            raise UsageError(
                f"The sweep would take about {gibibytes(needed)} of memory ({what}), but only {gibibytes(free)} are free. Take fewer workers, a smaller "
                "memory=, fewer rows (a larger every=), or fewer members."
            )


def rows_apart(design: Design, steps: int, names: Sequence[str]) -> int:
    """Return every how many steps a row is kept, so that a member has about 200 rows and the table at most five million."""
    if not any(kind.is_series for kind in kinds(names)):
        return max(1, steps)
    most = max(2, min(ROWS, MOST_ROWS // max(1, len(design.cells))))
    return max(1, math.ceil(steps / most))


def planned(design: Design, setup: Setup, *, memory: int, workers: int) -> Plan:
    """Return how a sweep is divided into blocks.

    The division depends on the sweep alone, not on the machine: the same sweep twice has the same blocks.

    Args:
        design: Its members.
        setup: How they run.
        memory: Bytes that a block may take.
        workers: How many blocks run at a time.
    """
    weights = tuple(_weight(design, setup, number) for number in range(len(design.structures)))
    blocks: list[Block] = []
    for number, (entries, weight) in enumerate(zip(design.entries, weights, strict=True)):
        for part in _parts(entries, weight, memory):
            blocks.append(Block(len(blocks), number, part))
    rows = sum(len(block.entries) * len(setup.kept(setup.made(block.structure)[1])) for block in blocks)
    largest = max(len(block.entries) * weights[block.structure].n_bytes for block in blocks)
    columns = 2 + len(design.names) + sum(len(kind.units) for kind in kinds(setup.records))
    return Plan(tuple(blocks), weights, rows, largest, 8 * rows * columns, _guess(design, setup), workers)


def _parts(entries: Sequence[Entry], weight: Weight, memory: int) -> Iterator[tuple[Entry, ...]]:
    count = max(FEWEST, WAVE * math.ceil(len(entries) / PARTS / WAVE))
    count = min(count, max(1, int(LONGEST / weight.seconds)), max(1, memory // max(weight.n_bytes, 1)))
    for begin in range(0, len(entries), count):
        yield tuple(entries[begin : begin + count])


def _weight(design: Design, setup: Setup, number: int) -> Weight:
    """Look at one structure: make its model, and one graph of its loss."""
    training, steps = setup.made(number)
    chosen = kinds(setup.records)
    kept = len(setup.kept(steps))
    has_tangents = any(kind.needs_tangents for kind in chosen)
    with untouched_randomness():
        try:
            parameters, graph, examples = _sizes(training)
        except Exception:  # it will fail when it runs, and be recorded
            parameters, graph, examples = 0, 0, 1
    wide = 8 if has_tangents or setup.dtype == "float64" else 4
    own = COPIES * wide * parameters * (2 if has_tangents else 1) + graph * (wide // 4) * (3 if has_tangents else 2)
    records = sum(kind.bytes_per_member(steps, kept, 3 * parameters) for kind in chosen)
    step = 6 * parameters * examples / NOMINAL_FLOPS + 2e-5
    seconds = steps * step * (3 if has_tangents else 1) + sum(kind.seconds for kind in chosen)
    return Weight(parameters, own + records + 1024, seconds)


def _sizes(training: Training) -> tuple[int, int, int]:
    """Return the number of parameters, the bytes that one graph of the loss holds, and the examples of a batch."""
    run = training.start()
    count = sum(part.numel() for part in run.model.parameters()) + sum(part.numel() for part in run.model.buffers())
    inputs, target = next(iter(training.endless_batches()))
    examples = next((len(part) for part in (inputs, target) if isinstance(part, torch.Tensor) and part.dim()), 1)
    if training.train_step is not None:
        return count, 8 * count * 4, examples
    fixed = {
        part.untyped_storage().data_ptr(): part.untyped_storage().nbytes()
        for part in (*run.model.parameters(), inputs, target)
        if isinstance(part, torch.Tensor)
    }
    held = graph_bytes(lambda: training.loss(run.model(inputs), target))
    return count, max(0, held - sum(fixed.values())), examples


def _guess(design: Design, setup: Setup) -> float:
    """Return roughly how long the whole sweep takes on one core: what the quickest engine promises for each structure, and what the records take."""
    chosen = kinds(setup.records)
    engines: list[type[AbstractEngine]] = [
        kind for kind in plugins("kazami.engines", AbstractEngine) if (kind.is_automatic if setup.engine == "auto" else kind.name == setup.engine)
    ]
    tangents = int(any(kind.needs_tangents for kind in chosen))
    dtype = torch.float64 if tangents else torch.float32
    total, looked_at = 0.0, 0
    for number in range(0, len(design.entries), math.ceil(len(design.entries) / SAMPLE)):
        entries = design.entries[number]
        training, steps = setup.made(number)
        some = entries[:FEWEST]
        job = Job(training, tuple(entry.member for entry in some), dtype, steps, tangents)
        promised = min((_promised(kind, job) for kind in engines), default=0.0)
        total += len(entries) * (promised / len(some) + sum(kind.seconds for kind in chosen))
        looked_at += len(entries)
    return total * len(design.cells) / max(looked_at, 1)


def _promised(kind: type[AbstractEngine], job: Job) -> float:
    try:
        return kind().seconds(job)
    except Exception:  # a structure that cannot even be made will fail when it runs
        return 0.0


def must_be_records(names: Sequence[str], design: Design) -> tuple[str, ...]:
    """Return the names of records if there are such.

    Raises:
        UnknownName: There is no such record.
        UsageError: There is none at all; the score was asked for and the training has no ``evaluate``.
    """
    from ..errors import unknown_name

    known = {kind.name: kind for kind in plugins("kazami.sweeps.recorded", AbstractRecord)}
    wanted = (names,) if isinstance(names, str) else tuple(names)
    if not wanted:
        raise UsageError(f"A sweep should record something: {', '.join(known)}.")
    for name in wanted:
        if name not in known:
            raise unknown_name("record", name, known)
    if "score" in wanted and design.training.evaluate is None and not design.has_field("evaluate"):
        raise UsageError("The score needs the training's evaluate(model), and it has none. Give Training(evaluate=...), or record final_loss.")
    return tuple(dict.fromkeys(wanted))
