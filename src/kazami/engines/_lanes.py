"""An ensemble whose members are lanes: between the layout of a `TrainingMap` and that of a kernel."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..kernels import HOST, AbstractMachine, Descent, Kernel, KernelRun, Network, compiled
from ..maps import TrainingMap
from ._base import AbstractRows, Grown, Job, must_be_windows
from ._card import Card
from ._columns import Columns, Group
from ._known_losses import KnownLoss, factor_of
from ._step import starts

DATA_BYTES = 2**26  # of batches brought into rows for one call
WORDS = {"lr": "learning_rate", "momentum": "momentum", "dampening": "dampening", "weight_decay": "weight_decay", "eps": "eps"}


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a training is to kernels.

    Attributes:
        network: Layers with their groups, and the loss.
        descent: The optimizer's rule.
        loss: How targets become rows.
        order: For each coordinate of a kernel's phase space its place in the map's.
    """

    network: Network
    descent: Descent
    loss: KnownLoss
    order: np.ndarray


class Lanes(AbstractRows):
    """The members of a job, in lanes.

    Args:
        job: What is run.
        found: What it is to kernels.
        m: The map of its training.
    """

    def __init__(self, job: Job, found: Recognised, m: TrainingMap) -> None:
        """Lay out the states before the first step."""
        self._training, self._found, self._m = job.training, found, m
        begun = starts(m, job.members)
        self._columns = Columns(m, job.members)
        self._states = torch.cat([begun.parameters, self._columns.memory(m, 0)], dim=1).to(m.dtype)
        self._time = 0
        self._factors: dict[int, float] = {}
        self._back = np.argsort(found.order)
        self._held = _Held({}, np.zeros((0, 0)), np.zeros((0, 0)), [])

    def advance(self, steps: int) -> Tensor:
        """Take steps."""
        must_be_windows(steps, steps)
        losses, end = [], self._time + steps
        while self._time < end:
            losses.append(self._run(end - self._time, None, 1).losses)
        return self._here(np.concatenate(losses))

    def advance_with_tangents(self, vectors: Tensor, steps: int, *, every: int = 1) -> Grown:
        """Take steps with deviation vectors.

        A window that is cut, because the settings change in it, is made orthonormal at each cut, too: the logarithms add up to the same.
        """
        losses, logs = [], []
        carried: np.ndarray | None = vectors.to(self._states).cpu().numpy().transpose(0, 2, 1)[:, :, self._found.order]
        left = must_be_windows(steps, every)
        while left:
            whole = sum(length == left[0] for length in left) * left[0]
            run = self._run(whole, carried, left[0])
            taken, grown, carried = len(run.losses), run.log_growth, run.deviation
            losses.append(run.losses)
            logs.append((np.asarray(grown), taken))
            left = _without(left, taken)
        back = np.ascontiguousarray(np.asarray(carried)[:, :, self._back].transpose(0, 2, 1))
        return Grown(self._here(np.concatenate(losses)), self._here(_joined(logs, steps, every)).to(self._states), self._here(back))

    def write_into(self, model: nn.Module, index: int) -> None:
        """Copy one member into a module."""
        self._m.write_into(model, self._states[index])

    def close(self) -> None:
        """Let go of the memory."""
        self._states = self._states[:0]

    def _run(self, limit: int, deviation: np.ndarray | None, every: int) -> KernelRun:
        """Take as many of ``limit`` steps as one call can, and move on."""
        length, settings, factors = self._segment(limit)
        data = self._data_for(length)
        length = len(data.ranges)
        if deviation is not None and length > every:
            length -= length % every
        n, order = self._found.network.n_parameters, self._found.order
        state = self._states.cpu().numpy()[:, order]
        run = self._kernel(0 if deviation is None else deviation.shape[1]).run(
            state[:, :n], data.inputs, data.rows, length, settings=settings, memory=state[:, n:], start=self._time, batches=data.ranges[:length],
            factors=None if factors is None else factors[:length], weight=data.weights[:length], deviation=deviation, orthonormalise_every=every,
        )  # fmt: skip
        after = np.concatenate([run.parameters, run.memory], axis=1)
        self._states = self._here(np.ascontiguousarray(after[:, self._back]))
        self._time += length
        return run

    def _here(self, values: np.ndarray) -> Tensor:
        """Return an array as a tensor beside the states."""
        return torch.from_numpy(values).to(self._states.device)

    def _kernel(self, n_tangents: int) -> Kernel:
        dtype = "float64" if self._m.dtype == torch.float64 else "float32"
        return compiled(self._found.network, self._found.descent, dtype, n_tangents, machine_for(self._states.device))

    def _segment(self, limit: int) -> tuple[int, dict[str, Any], np.ndarray | None]:
        """Return for how many steps the settings stay, but for one factor of all members' learning rates in each group; the settings, and these factors."""
        first = self._columns.groups(self._time)
        settings = settings_of(first, self._found.descent, len(self._states))
        if limit == 1 or self._columns.groups(self._time + 1) is first:
            return limit, settings, None
        factors = [np.ones(len(first))]
        while len(factors) < limit:
            ratio = _ratios(first, self._columns.groups(self._time + len(factors)))
            if ratio is None:
                break
            factors.append(ratio)
        return len(factors), settings, np.stack(factors)

    def _data_for(self, limit: int) -> "_Batches":
        batches = [self._m.field.batches.at(self._time)]
        sizes = {id(batches[0]): batches[0][0].numel()}
        while len(batches) < limit:
            batch = self._m.field.batches.at(self._time + len(batches))
            sizes[id(batch)] = batch[0].numel()
            if 8 * sum(sizes.values()) > DATA_BYTES:
                break
            batches.append(batch)
        return self._laid_out(batches)

    def _laid_out(self, batches: list[Any]) -> "_Batches":
        places = self._held.places
        if not all(id(batch) in places for batch in batches):
            different = {id(batch): batch for batch in batches}
            inputs = [np.asarray(batch[0].reshape(len(batch[0]), -1).cpu().numpy()) for batch in different.values()]
            rows = [self._rows(batch) for batch in different.values()]
            edges = np.concatenate([[0], np.cumsum([len(part) for part in inputs])])
            places = {key: (int(edges[i]), len(inputs[i]), self._factor(batch)) for i, (key, batch) in enumerate(different.items())}
            self._held = _Held(places, np.concatenate(inputs), np.concatenate(rows), list(different.values()))
        ranges = np.array([places[id(batch)][:2] for batch in batches], np.int64)
        return _Batches(self._held.inputs, self._held.rows, ranges, np.array([places[id(batch)][2] for batch in batches]))

    def _rows(self, batch: Any) -> np.ndarray:
        rows = self._found.loss.rows(batch[1], self._found.network.n_outputs, len(batch[0]))
        if rows is None or batch[0].numel() != len(batch[0]) * self._found.network.n_inputs:
            raise UsageError(f"All batches should look like the first one, but one has inputs {tuple(batch[0].shape)} with a target that does not fit.")
        return rows

    def _factor(self, batch: Any) -> float:
        count = len(batch[0])
        if count not in self._factors:
            with torch.no_grad():
                output = self._m.model(batch[0])
            found = factor_of(self._found.loss, self._training.loss, output, batch[1])
            if found is None:
                raise UsageError(f"The loss should be the same function in every batch, but with {count} samples it is another one.")
            self._factors[count] = found
        return self._factors[count]


@dataclass(frozen=True, slots=True)
class _Batches:
    """The batches of some steps: samples and targets, first sample and count of each step, factor of each step's loss."""

    inputs: np.ndarray
    rows: np.ndarray
    ranges: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, slots=True)
class _Held:
    """Batches already brought into rows; ``alive`` keeps their identities theirs."""

    places: dict[int, tuple[int, int, float]]
    inputs: np.ndarray
    rows: np.ndarray
    alive: list[Any]


def machine_for(device: torch.device) -> AbstractMachine:
    """Return what runs the kernels of a training that lies on ``device``."""
    return Card(device) if device.type == "cuda" else HOST


def settings_of(groups: list[Group], descent: Descent, n_members: int) -> dict[str, Any]:
    """Return the settings of all groups as kernels want them, arrays of shape ``(members, groups)``."""
    found = {name: np.stack([_column(group.get(word, 0.0), n_members) for group in groups], axis=1) for word, name in WORDS.items()}
    for number in (1, 2):
        found[f"beta_{number}"] = np.stack([_column(group.get("betas", (0.0, 0.0))[number - 1], n_members) for group in groups], axis=1)
    return {name: found[name] for name in descent.settings}


def _column(value: Any, n_members: int) -> np.ndarray:
    return np.broadcast_to(np.asarray(value, np.float64).reshape(-1), (n_members,))


def _ratios(first: list[Group], later: list[Group]) -> np.ndarray | None:
    """Return by what each group's learning rates were multiplied; ``None`` if something else changed, or not by one factor."""
    found = []
    for before, after in zip(first, later, strict=True):
        if any(not _same(before[name], after[name]) for name in before if name != "lr" and not name.endswith("_lr")):
            return None
        old, new = np.asarray(before["lr"], np.float64).reshape(-1), np.asarray(after["lr"], np.float64).reshape(-1)
        if not old.all():
            return None
        ratio = np.broadcast_to(new, np.broadcast_shapes(old.shape, new.shape)) / old
        if np.ptp(ratio) > 4e-16 * abs(ratio[0]):
            return None
        found.append(float(ratio[0]))
    return np.array(found)


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, tuple):
        return all(_same(a, b) for a, b in zip(first, second, strict=True))
    return bool(torch.equal(first, second)) if isinstance(first, Tensor) and isinstance(second, Tensor) else bool(np.all(first == second))


def _without(left: list[int], taken: int) -> list[int]:
    """Return what is left of windows after ``taken`` steps."""
    found = list(left)
    while taken:
        done = min(taken, found[0])
        found[0], taken = found[0] - done, taken - done
        found = found[1:] if not found[0] else found
    return found


def _joined(parts: list[tuple[np.ndarray, int]], steps: int, every: int) -> np.ndarray:
    """Return the growth of each window: those of its parts added up."""
    found = np.zeros((-(-steps // every), *parts[0][0].shape[1:]))
    done = 0
    for grown, taken in parts:
        for row, logs in enumerate(grown):
            found[(done + row * every) // every] += logs
        done += taken
    return found
