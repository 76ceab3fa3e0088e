"""One run on its way: calls of the machine code, a tenth of a second of work each, and what happens between them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ._generator import scratch_rows
from ._given import Data, adam_clock
from ._machine import aligned
from ._packing import Packing
from ._plan import Plan
from ._records import Records
from .cost import member_step_seconds
from .machines import AbstractCode
from .network import Descent, Network

CHUNK_SECONDS = 0.1  # of work between two looks at should_stop
THREAD_SECONDS = 5e-4  # of work that a thread should have, or it costs more than it brings
CHUNK_BYTES = 2**25  # of losses, clocks and gathered samples that wait to be read


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """What is run: network, rule and number of deviation vectors, and the tiles, the machine code, and how many blocks it computes at once."""

    network: Network
    descent: Descent
    n_tangents: int
    plan: Plan
    code: AbstractCode
    workers: int | None


@dataclass(slots=True)
class _Call:
    """One call of the machine code: ``windows`` times ``steps`` steps from step ``done`` on, closed by Gram–Schmidt or not."""

    done: int
    windows: int
    steps: int
    closes: bool


class Course:
    """One run on its way."""

    def __init__(self, recipe: Recipe, data: Data, settings: np.ndarray, records: Records, *, start: int, every: int, threads: int) -> None:
        """Lay out the scratch memory of each thread."""
        self._recipe, self._data, self._settings, self._records = recipe, data, settings, records
        self._start, self._every, self._threads = start, every, threads if recipe.workers is None else 1
        self._workers = threads if recipe.workers is None else recipe.workers
        self._code, self._dtype = recipe.code, recipe.code.program.dtype
        self._cost = member_step_seconds(recipe.network, data.largest, recipe.n_tangents, self._code.lanes)
        rows = scratch_rows(recipe.network, recipe.n_tangents, recipe.plan)
        self._scratch = [aligned((rows, self._code.lanes), self._dtype) for _ in range(self._threads)]

    def go(self, state: np.ndarray, steps: int, should_stop: Callable[[], bool] | None, progress: Callable[[int], object] | None) -> int:
        """Take the steps; ``state`` (one row a member) is read and written. Return how many were taken."""
        packing, done = Packing(np.arange(len(state)), self._code.lanes), 0
        blocks, settings = self._packed(packing, state)
        with ThreadPoolExecutor(self._threads) as pool:
            while done < steps and len(packing.members):
                call = self._next(done, steps, len(packing.members))
                gone = self._call(call, packing, blocks, settings, pool)
                done += call.windows * call.steps
                if gone.any():
                    state[packing.members] = packing.unpacked(blocks)
                    self._records.retire(packing.members[gone])
                    packing, blocks = packing.without(gone, blocks)
                    settings = self._packed_settings(packing)
                if progress is not None:
                    progress(done)
                if should_stop is not None and done < steps and should_stop():
                    break
        if len(packing.members):
            state[packing.members] = packing.unpacked(blocks)
            return done
        return steps

    def _packed(self, packing: Packing, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        blocks = aligned((packing.n_blocks, state.shape[1], self._code.lanes), self._dtype)
        packing.packed(state, blocks)
        return blocks, self._packed_settings(packing)

    def _packed_settings(self, packing: Packing) -> np.ndarray:
        rows = aligned((packing.n_blocks, self._settings.shape[1], self._code.lanes), self._dtype)
        if packing.n_blocks:
            packing.packed(self._settings[packing.members], rows)
        return rows

    def _next(self, done: int, steps: int, n_members: int) -> _Call:
        recipe, data = self._recipe, self._data
        wide = -(-n_members // self._code.lanes) * self._code.lanes
        chunk = int(CHUNK_SECONDS * min(self._workers, wide // self._code.lanes) / (self._cost * wide))
        chunk = max(16, min(chunk, CHUNK_BYTES // (wide * self._dtype.itemsize), 4096))
        if data.is_gathered:
            chunk = max(1, min(chunk, CHUNK_BYTES // (8 * data.largest * (recipe.network.n_inputs + recipe.network.n_outputs))))
        left = steps - done
        if not recipe.n_tangents:
            return _Call(done, 1, min(chunk, left), False)
        behind = done % self._every
        if behind or left < self._every or self._every > chunk:
            length = min(self._every - behind, left, chunk)
            return _Call(done, 1, length, behind + length == self._every or length == left)
        return _Call(done, min(chunk // self._every, left // self._every), self._every, True)

    def _call(self, call: _Call, packing: Packing, blocks: np.ndarray, settings: np.ndarray, pool: ThreadPoolExecutor) -> np.ndarray:
        """Compute one call on all threads, write its records, and return which members are lost."""
        count, lanes, k = call.windows * call.steps, self._code.lanes, self._recipe.n_tangents
        losses = aligned((packing.n_blocks, count, lanes), self._dtype)
        norms = aligned((packing.n_blocks, max(1, call.windows * k), lanes), self._dtype)
        clock = self._clock(call, packing, count)
        wholes = {"steps": call.steps, "windows": call.windows, "closes": int(call.closes)}
        wholes |= {"clock_rows": clock.shape[1], "loss_rows": count, "norm_rows": norms.shape[1]}
        buffers = {"state": blocks, "settings": settings, "clock": clock, "losses": losses, "norms": norms}
        buffers |= self._data.part(call.done, count)
        self._compute(packing.n_blocks, self._worth(call, packing), wholes, buffers, pool)
        rows = packing.of_rows(losses)
        self._records.add(call.done, rows, packing.members)
        if k and call.closes:
            self._add_growth(norms, packing, call.windows, k)
        return np.asarray(np.isnan(rows[-1]))

    def _worth(self, call: _Call, packing: Packing) -> int:
        """Return how many threads are worth their start."""
        seconds = self._cost * call.windows * call.steps * packing.n_blocks * self._code.lanes
        return max(1, min(self._threads, packing.n_blocks, int(seconds / THREAD_SECONDS)))

    def _compute(self, n_blocks: int, threads: int, wholes: dict[str, int], buffers: dict[str, np.ndarray], pool: ThreadPoolExecutor) -> None:
        if threads == 1:
            self._code(0, n_blocks, wholes, {**buffers, "scratch": self._scratch[0]})
            return
        edges = [n_blocks * part // threads for part in range(threads + 1)]
        parts = zip(edges, edges[1:], self._scratch, strict=False)
        work = [pool.submit(self._code, first, end, wholes, {**buffers, "scratch": scratch}) for first, end, scratch in parts]
        for part in work:
            part.result()

    def _add_growth(self, norms: np.ndarray, packing: Packing, windows: int, k: int) -> None:
        found = np.full((windows, len(self._settings), k), np.nan)
        with np.errstate(divide="ignore"):
            logs = np.log(packing.of_rows(norms).astype(np.float64)).reshape(windows, k, len(packing.members))
        found[:, packing.members] = logs.transpose(0, 2, 1)
        self._records.growth.append(found)

    def _clock(self, call: _Call, packing: Packing, count: int) -> np.ndarray:
        descent, n_groups = self._recipe.descent, self._recipe.network.n_groups
        if descent.rule != "adam":
            return aligned((1, 1, self._code.lanes), self._dtype)
        times = np.arange(self._start + call.done + 1, self._start + call.done + count + 1, dtype=np.float64)
        rows = adam_clock(self._settings[packing.members], descent.n_rows, n_groups, times)
        found = aligned((packing.n_blocks, rows.shape[1], self._code.lanes), self._dtype)
        packing.packed(rows, found)
        return found
