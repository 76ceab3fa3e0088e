"""The trajectory: whole tensors at chosen steps, in safetensors parts."""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load, save

from .location import TRAJECTORY
from .metric_parts import Report
from .parts import PartName, part_name
from .store import Store

Tensors = dict[str, np.ndarray[Any, Any]]

STEPS = "step"  # name of the tensor, int64 of shape (K,), that holds a part's steps
STORABLE = tuple(np.dtype(letter) for letter in ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"))
MOST_WAITING = 512 * 2**20  # bytes in memory while nothing can be written
MUCH = 8 * 2**20  # bytes that are written without waiting for more
PATIENCE = 0.05


class TrajectoryParts:
    """Writes the parts of one rank.

    Args:
        store: The run directory.
        rank: Goes into the names.
        report: Is told the kind and the sentence of what was lost.
        folder: Where the parts lie.
    """

    def __init__(self, store: Store, rank: int, report: Report, folder: str = TRAJECTORY) -> None:
        self._folder = folder
        self._waiting: deque[tuple[int, Tensors]] = deque()
        self._bytes_in = 0
        self._bytes_out = 0
        self._last_step: int | None = None
        self._began = self._written_at = time.monotonic()
        self._store = store
        self._rank = rank
        self._report = report

    def add(self, step: int, tensors: Mapping[str, np.ndarray[Any, Any]]) -> int:
        """Copy and queue the tensors of one step; return how many bytes wait."""
        if self._last_step is not None and step <= self._last_step:
            self._report("trajectory order", f"Tensors of step {step} came after those of step {self._last_step} and were left out: steps must rise.")
            return 0
        copies = {name: np.array(tensor, order="C") for name, tensor in tensors.items()}  # the next optimizer step overwrites them
        for name in [name for name, copy in copies.items() if name == STEPS or copy.dtype not in STORABLE]:
            self._report("trajectory tensor", f'The tensor "{name}" was left out: safetensors cannot hold {copies.pop(name).dtype}, or the name is taken.')
        size = sum(copy.nbytes for copy in copies.values())
        if self._bytes_in - self._bytes_out + size > MOST_WAITING:
            self._report("trajectory lost", f"Tensors from step {step} on were dropped, because they come faster than they can be written.")
            return 0
        self._last_step = step
        self._bytes_in += size
        self._waiting.append((step, copies))
        return self._bytes_in - self._bytes_out

    def write_if_due(self) -> None:
        """Write what waits once it is much, or once it has waited for a twentieth of the run's time: a long run has some hundred parts, not thousands."""
        now = time.monotonic()
        if self._bytes_in - self._bytes_out > MUCH or now - self._written_at > PATIENCE * (now - self._began):
            self.write()

    def write(self) -> None:
        """Write what waits: one part for every run of steps with the same names, shapes and types."""
        self._written_at = time.monotonic()
        while self._waiting:
            group = self._group()
            steps = [step for step, _ in group]
            tensors = {name: np.stack([tensors[name] for _, tensors in group]) for name in group[0][1]}
            name = PartName(steps[0], steps[-1], self._rank, "safetensors")
            self._store.make(self._folder)
            self._store.put(f"{self._folder}/{name}", save({**tensors, STEPS: np.array(steps, dtype=np.int64)}))
            for _ in group:
                _, written = self._waiting.popleft()
                self._bytes_out += sum(tensor.nbytes for tensor in written.values())

    def _group(self) -> list[tuple[int, Tensors]]:
        group: list[tuple[int, Tensors]] = []
        for step, tensors in list(self._waiting):
            if group and _form(tensors) != _form(group[0][1]):
                break
            group.append((step, tensors))
        return group


def _form(tensors: Tensors) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}


class PartOnDisk(Mapping[str, np.ndarray[Any, Any]]):
    """The tensors of a local part, each read when asked for.

    Args:
        path: The file; it must be whole.
    """

    def __init__(self, path: str) -> None:
        self._file: Any = safe_open(path, framework="np")
        self._keys: list[str] = list(self._file.keys())  # type: ignore[no-untyped-call]

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        """Return one tensor, shape ``(K, …)``."""
        if name not in self._keys:
            raise KeyError(name)
        tensor: np.ndarray[Any, Any] = self._file.get_tensor(name)
        return tensor

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._keys)

    def __len__(self) -> int:
        """Return how many tensors there are."""
        return len(self._keys)


class Trajectory:
    """The stored tensors of one rank, read part by part when asked for.

    Args:
        store: The run directory.
        rank: Which process's parts.
        problems: Gets a sentence for every part that cannot be read.
        folder: Where the parts lie.

    Limits:
        Of a local run only what is asked for is read; of a remote one, whole parts.
    """

    def __init__(self, store: Store, rank: int, problems: list[str], folder: str = TRAJECTORY) -> None:
        self._store = store
        self._folder = folder
        self._problems = problems
        found = [(part_name(name), name) for name in store.names(folder)]
        self._names = [name for part, name in sorted(((part, name) for part, name in found if part is not None and part.rank == rank), key=_by_first_step)]
        self._newest: tuple[str, Mapping[str, np.ndarray[Any, Any]]] | None = None

    @property
    def steps(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """All steps, rising, shape ``(K,)``."""
        pieces = [self._part(name)[STEPS] for name in self._names]
        return np.concatenate([np.empty(0, dtype=np.int64), *pieces])

    def __iter__(self) -> Iterator[tuple[int, Tensors]]:
        """Yield every step with its tensors, oldest first."""
        for name in self._names:
            part = dict(self._part(name))
            for row, step in enumerate(part.pop(STEPS)):
                yield int(step), {key: tensor[row] for key, tensor in part.items()}

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        """Return one tensor over all steps at which it was stored, shape ``(K, …)``.

        Raises:
            KeyError: No step has a tensor of this name.
        """
        pieces = [part[name] for part in map(self._part, self._names) if name in part]
        if not pieces:
            raise KeyError(name)
        return np.concatenate(pieces)

    def at(self, step: int) -> Tensors:
        """Return the tensors of one step.

        Raises:
            KeyError: Nothing was stored at this step.
        """
        for name in self._names:
            known = part_name(name)
            if known is None or not known.first <= step <= known.last:
                continue
            part = self._part(name)
            rows = np.flatnonzero(part[STEPS] == step)
            if rows.size:
                return {key: tensor[rows[-1]] for key, tensor in part.items() if key != STEPS}
        raise KeyError(step)

    def _part(self, name: str) -> Mapping[str, np.ndarray[Any, Any]]:
        if self._newest is not None and self._newest[0] == name:
            return self._newest[1]
        part: Mapping[str, np.ndarray[Any, Any]]
        try:
            path = f"{self._folder}/{name}"
            part = PartOnDisk(self._store.path(path)) if self._store.is_local else load(self._store.read(path))
            part[STEPS]
        except Exception as error:  # safetensors raises its own, outside every tree
            part = {STEPS: np.empty(0, dtype=np.int64)}
            self._note(f"{self._folder}/{name} cannot be read and is left out ({type(error).__name__}: {error}).")
        self._newest = (name, part)
        return part

    def _note(self, sentence: str) -> None:
        if sentence not in self._problems:
            self._problems.append(sentence)


def _by_first_step(item: tuple[PartName, str]) -> tuple[int, int]:
    return item[0].first, item[0].last
