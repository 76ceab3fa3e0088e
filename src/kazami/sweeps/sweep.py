"""A sweep: a training, its factors, and how it runs, block after block, in a table that survives a kill."""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .. import __version__
from ..engines import AbstractPool, Failure, engine_named, pool
from ..engines._pools import cores
from ..errors import UsageError
from ..maps import Training
from .choices import Zipped
from .design import Design, designed
from .directory import SweepDirectory
from .fingerprint import fingerprint
from .plan import Plan, must_be_records, planned, rows_apart
from .result import ABOUT, FailedTraining, SweepResult, column_of
from .running import Block, FailedMember, Finished, Setup, kinds, run_block

Progress = Callable[[int, int], None]  # (members done, members)
MEMORY = 2**29  # bytes a block
PLACES = ("processes", "cluster")


class Sweep:
    """Any factors of a training against one another.

    Args:
        training: What is varied.
        groups: Mappings of names that are no Python names (``{"learning_rate[1]": [...]}``), and :func:`~kazami.sweeps.zipped` factors.
        factors: Values by name, every combination of which is a member. A name is a setting of the optimizer (``learning_rate``, ``momentum``,
            ``beta_1`` …), ``seed`` (of the initial weights), ``perturbation`` (each initial parameter is moved by up to so much), ``batch_size``, a field of
            the training (``clip_grad_norm``, ``loss``, ``optimizer`` …), or a keyword of one of its factories (``width`` of ``def make_model(width=8)``).

    Raises:
        UsageError: A factor has no values, contradicts another, or may mean two things.
        UnknownName: It means nothing in this training.

    Limits:
        Members that differ in numbers only see the same batches and the same masks; ``training.seed`` is a factor for all of the training's randomness.

    Example:
        >>> import torch
        >>> t = Training(model=lambda: torch.nn.Linear(1, 1, bias=False), optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1),
        ...              loss=torch.nn.functional.mse_loss, batches=lambda: [(torch.ones(4, 1), torch.zeros(4, 1))], steps=30)
        >>> found = Sweep(t, learning_rate=[0.1, 0.5, 1.1], seed=range(4)).run(record=["final_loss", "max_lyapunov"])
        >>> found.table.num_rows, found.table.column_names
        (12, ['learning_rate', 'seed', 'step', 'final_loss', 'max_lyapunov', 'max_lyapunov_error'])
        >>> [round(value, 3) for value in found.table["max_lyapunov"].to_pylist()[::4]]  # log |1 - 2η|
        [-0.223, -inf, 0.182]
    """

    def __init__(self, training: Training, *groups: Mapping[str, Any] | Zipped, **factors: Any) -> None:
        """Find out what the factors mean."""
        self.design: Design = designed(training, [*groups, factors] if factors else list(groups))

    @property
    def training(self) -> Training:
        """What is varied."""
        return self.design.training

    def plan(
        self,
        steps: int | None = None,
        record: str | Sequence[str] = ("loss",),
        *,
        engine: str = "auto",
        workers: int | None = None,
        every: int | None = None,
        dtype: str | None = None,
        memory: int = MEMORY,
    ) -> Plan:
        """Return what :meth:`run` with the same arguments would take: members, blocks, memory, time; nothing runs."""
        setup = self._setup(steps, record, engine, every, dtype)
        return planned(self.design, setup, memory=memory, workers=workers or 1)

    def run(
        self,
        steps: int | None = None,
        record: str | Sequence[str] = ("loss",),
        *,
        engine: str = "auto",
        directory: str | os.PathLike[str] | None = None,
        cluster: str | None = None,
        workers: int | None = None,
        every: int | None = None,
        dtype: str | None = None,
        memory: int = MEMORY,
        progress: Progress | None = None,
    ) -> SweepResult:
        """Run the sweep, or go on with it.

        Args:
            steps: Optimizer steps of each training; the training's own number by default.
            record: What to record: ``loss``, ``final_loss``, ``score``, ``max_lyapunov``, ``regime``, ``sharpness``, ``distance``, ``gradient_norm``,
                ``diverged_at``.
            engine: Name of an engine, ``"auto"``, or ``"processes"`` for the automatic engine in processes of this machine.
            directory: Where each finished block is written at once. Given again, the sweep goes on where it ended.
            cluster: Address of a Dask scheduler (``"tcp://host:port"``), or ``"local:2"`` for two workers started here.
            workers: Processes on this machine.
            every: A row of the table every so many steps; by default a member has about 200.
            dtype: ``"float32"`` or ``"float64"``; by default the training's own, and float64 where an exponent or a regime is recorded.
            memory: Bytes that a block may take.
            progress: Called with the number of members that are done, and of all.

        Returns:
            The `SweepResult`; after Ctrl-C what there is so far, with ``is_complete`` false.

        Raises:
            UsageError: Something was asked for that cannot be; there is not enough memory; the directory holds another sweep; the cluster is not there.
            CannotWrite: The directory cannot be written; what is finished is there.
        """
        setup = self._setup(steps, record, "auto" if engine in PLACES else engine, every, dtype)
        store = None if directory is None else SweepDirectory(directory)
        where = "cluster" if cluster is not None or engine == "cluster" else "processes" if workers is not None or engine == "processes" else "here"
        at_a_time = 1 if where == "here" else workers or cores()
        plan = planned(self.design, setup, memory=memory, workers=at_a_time)
        blocks = plan.blocks if store is None else self._blocks(store.claim(self._head(plan, setup)))
        done = set() if store is None else store.finished()
        left = [block for block in blocks if block.number not in done]
        plan.refuse_what_does_not_fit()
        tables: dict[int, Any] = {}
        is_complete = True
        if left:
            is_complete = self._work(setup, left, pool(where, workers=workers, address=cluster), store, tables, progress)
        parts = list(store.tables()) if store is not None else [tables[number] for number in sorted(tables)]
        values = {column: self.design.labels[name] for name, column in self._columns(setup).items()}
        return result_of(list(values), values, parts, self._schema(setup), is_complete, None if store is None else str(store.path))

    def _setup(self, steps: int | None, record: str | Sequence[str], engine: str, every: int | None, dtype: str | None) -> Setup:
        if engine not in ("auto", *PLACES):
            engine_named(engine)
        if self.design.has_field("steps") and steps is not None:
            raise UsageError(f"The steps are a factor of this sweep, so they should not be given a second time, but run was asked for {steps}.")
        for name, value in (("steps", steps), ("every", every)):
            if value is not None and (not isinstance(value, (int, np.integer)) or value < 1):
                raise UsageError(f"{name} should be a whole number from 1 on, but it is {value!r}.")
        if dtype not in (None, "float32", "float64"):
            raise UsageError(f'dtype should be "float32" or "float64", and is {dtype!r}.')
        names = must_be_records(record, self.design)
        longest = steps or max(changes.of(self.training).steps for changes in self.design.structures)
        return Setup(
            self.training, self.design.structures, names, steps, every or rows_apart(self.design, longest, names), "auto" if engine in PLACES else engine, dtype
        )  # fmt: skip

    def _head(self, plan: Plan, setup: Setup) -> dict[str, Any]:
        return {
            "kazami": __version__,
            "fingerprint": fingerprint(self.design, setup),
            "factors": {column: list(self.design.labels[name]) for name, column in self._columns(setup).items()},
            "records": list(setup.records),
            "members": plan.members,
            "blocks": [[block.structure, len(block.entries)] for block in plan.blocks],
        }

    def _blocks(self, head: Mapping[str, Any]) -> tuple[Block, ...]:
        """Return the division that the directory was begun with, whatever memory= says now."""
        waiting = [list(entries) for entries in self.design.entries]
        blocks = []
        for number, (structure, count) in enumerate(head["blocks"]):
            entries, waiting[structure] = waiting[structure][:count], waiting[structure][count:]
            blocks.append(Block(number, structure, tuple(entries)))
        return tuple(blocks)

    def _work(
        self, setup: Setup, blocks: Sequence[Block], workers: AbstractPool, store: SweepDirectory | None, tables: dict[int, Any], progress: Progress | None
    ) -> bool:
        """Run blocks and keep each as soon as it is finished; return whether all were, or Ctrl-C came between."""
        total = len(self.design.cells)
        count = total - sum(len(block.entries) for block in blocks)
        tell = progress or (lambda done, total: None)
        try:
            tell(count, total)
            for number, pieces in _finished(setup, blocks, workers):
                table = self._part(setup, pieces)
                if store is None:
                    tables[number] = table
                else:
                    store.write(number, table)
                count += sum(len(set(piece.rows.tolist())) + len(piece.failures) for piece in pieces)
                tell(count, total)
        except KeyboardInterrupt:
            return False
        finally:
            workers.close()
        return True

    def _columns(self, setup: Setup) -> dict[str, str]:
        """Return the column of each factor: its name, or its full name (``training.loss``) where what is recorded is called so."""
        taken = {"member", "step", *(column for kind in kinds(setup.records) for column in kind.units)}
        return {name: place.full_name if name in taken else name for name, place in self.design.places.items()}

    def _schema(self, setup: Setup) -> Any:
        """Return the fields of a part: the member's number, the factors, the step, and what is recorded."""
        fields = [pa.field("member", pa.int64())]
        for name, column in self._columns(setup).items():
            unit = {"steps": "step", "batch_size": "example"}.get(self.design.places[name].name, "")
            fields.append(pa.field(column, column_of(self.design.labels[name]).type, metadata={"unit": unit} if unit else None))
        fields.append(pa.field("step", pa.int64(), metadata={"unit": "step"}))
        for kind in kinds(setup.records):
            for column, unit in kind.units.items():
                about = {**({"unit": unit} if unit else {}), "per": "step" if kind.is_series else "training"}
                fields.append(pa.field(column, pa.string() if column in kind.texts else pa.float64(), metadata=about))
        return pa.schema(fields)

    def _part(self, setup: Setup, pieces: Sequence[Finished]) -> Any:
        """Return the rows of a block as a table, in the order of its members; who failed, and which engine ran, goes into its metadata."""
        rows = np.concatenate([piece.rows for piece in pieces])
        columns: dict[str, Any] = {"member": rows, "step": np.concatenate([piece.steps for piece in pieces])}
        for name, column in self._columns(setup).items():
            columns[column] = column_of(self.design.labels[name]).take(pa.array(rows)).to_pylist()
        for name in pieces[0].columns:
            columns[name] = np.concatenate([piece.columns[name] for piece in pieces])
        schema = self._schema(setup)
        arrays = [pa.array(list(columns[part.name]) if part.type == pa.string() else columns[part.name], type=part.type) for part in schema]
        failures = [
            {"member": one.row, "error": one.failure.kind, "message": one.failure.message, "traceback": one.failure.traceback}
            for piece in pieces
            for one in piece.failures
        ]
        about = {"failures": failures, "engine": " ".join(dict.fromkeys(piece.engine for piece in pieces)), "seconds": sum(piece.seconds for piece in pieces)}
        table = pa.Table.from_arrays(arrays, schema=schema).sort_by([("member", "ascending"), ("step", "ascending")])
        return table.replace_schema_metadata({ABOUT: json.dumps(about)})


def _finished(setup: Setup, blocks: Sequence[Block], workers: AbstractPool) -> Iterator[tuple[int, list[Finished]]]:
    """Yield each block with its pieces once all of it is done; what killed its workers is halved until the culprit is alone.

    Raises:
        UsageError: The engine asked for cannot run it.
    """
    pieces: dict[int, list[Finished]] = {block.number: [] for block in blocks}
    missing = {block.number: len(block.entries) for block in blocks}
    todo = list(blocks)
    while todo:
        again: list[Block] = []
        for index, found in workers.map(lambda block: run_block(setup, block), todo):
            block = todo[index]
            if isinstance(found, Failure) and found.is_lost and len(block.entries) > 1:
                half = len(block.entries) // 2
                again += [Block(block.number, block.structure, part) for part in (block.entries[:half], block.entries[half:])]
                continue
            pieces[block.number].append(_all_failed(setup, block, found) if isinstance(found, Failure) else found)
            missing[block.number] -= len(block.entries)
            if not missing[block.number]:
                yield block.number, pieces.pop(block.number)
        todo = again


def _all_failed(setup: Setup, block: Block, failure: Failure) -> Finished:
    """Return a block none of whose members could run.

    Raises:
        UsageError: Because the engine asked for cannot.
    """
    if failure.kind == "EngineRefusal":
        raise UsageError(failure.message)
    empty = np.zeros(0, dtype=np.int64)
    columns = {column: np.zeros(0) for kind in kinds(setup.records) for column in kind.units}
    return Finished(block.number, empty, empty, columns, tuple(FailedMember(entry.row, failure) for entry in block.entries), "", 0.0)


def result_of(
    names: Sequence[str], values: Mapping[str, tuple[Any, ...]], parts: Iterable[Any], schema: Any, is_complete: bool, directory: str | None
) -> SweepResult:
    """Return the result that the parts of a sweep make together."""
    failures: dict[int, FailedTraining] = {}
    engines: dict[str, int] = {}
    tables = []
    for part in parts:
        about = json.loads(part.schema.metadata[ABOUT])
        if about["engine"]:
            engines[about["engine"]] = engines.get(about["engine"], 0) + 1
        for one in about["failures"]:
            factors = {name: values[name][one["member"]] for name in names}
            failures[one["member"]] = FailedTraining(factors, one["error"], one["message"], one["traceback"])
        tables.append(part.replace_schema_metadata(None).cast(schema))
    table = pa.concat_tables(tables).sort_by([("member", "ascending"), ("step", "ascending")]) if tables else schema.empty_table()
    rows = table["member"].to_numpy().astype(np.int64)
    members = len(next(iter(values.values())))
    done = len(np.unique(rows)) + len(failures)
    return SweepResult(
        table=table.drop_columns(["member"]),
        factors=tuple(names),
        engine=_engines(engines),
        failures=tuple(failures[row] for row in sorted(failures)),
        members=members,
        is_complete=is_complete and done == members,
        directory=directory,
        values=values,
        rows=rows,
    )


def _engines(counts: Mapping[str, int]) -> str:
    """Return what ran, once for all blocks that differ in numbers only (members, milliseconds)."""
    ways: dict[str, tuple[str, int]] = {}
    for said, count in counts.items():
        key = re.sub(r"\d[\d.,e+-]*|members?|\b[mµ]?s\b|\bmin\b", "", said)
        ways[key] = ways.get(key, (said, 0))[0], ways.get(key, (said, 0))[1] + count
    if len(ways) < 2:
        return next((said for said, _ in ways.values()), "none")
    return " ".join(f"{count} block{'s' if count > 1 else ''} by {said}" for said, count in ways.values())


def read_sweep(directory: str | os.PathLike[str]) -> SweepResult:
    """Return what lies in a sweep's directory, finished or not.

    Raises:
        RunNotFound: There is no sweep.
        RunUnreadable: Its head cannot be read.
    """
    store = SweepDirectory(directory)
    head = store.head()
    parts = list(store.tables())
    values = {name: tuple(given) for name, given in head["factors"].items()}
    schema = parts[0].schema.remove_metadata() if parts else pa.schema([("member", pa.int64()), ("step", pa.int64())])
    return result_of(list(values), values, parts, schema, len(parts) == len(head["blocks"]), str(store.path))
