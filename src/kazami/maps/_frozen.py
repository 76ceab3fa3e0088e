"""What makes a training the same map every time it is asked: batches kept in their order, and randomness seeded by the step's number."""

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from ..records.estimate import Remark
from .training import Training, untouched_randomness

LARGEST_CACHE = 2**30  # bytes of batches kept; beyond it the ones kept are repeated
States = tuple[Any, Any, Tensor]


def generator_states() -> States:
    """Return the states of the global generators of random, numpy and torch."""
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def same_states(first: States, second: States) -> bool:
    """Return whether nothing was drawn between two calls of :func:`generator_states`."""
    numpy_same = all(np.array_equal(a, b) for a, b in zip(first[1], second[1], strict=True))
    return first[0] == second[0] and numpy_same and torch.equal(first[2], second[2])


class FrozenBatches:
    """The batches of a training, kept: step number t sees the same batch whenever it is asked.

    A pass that repeats itself is kept once. One that does not (a shuffling loader) is kept as long as it was needed.

    Args:
        training: Whose batches.
        dtype: What floating-point tensors in them are converted to.
        states: The states of the global generators where the first batch is drawn.
    """

    def __init__(self, training: Training, dtype: torch.dtype, states: States) -> None:
        """Nothing is drawn yet."""
        self._training = training
        self._dtype = dtype
        self._states = states
        self._kept: list[Any] = []
        self._n_bytes = 0
        self._iterator: Iterator[Any] | None = None
        self._first_pass_is_over = False
        self.period: int | None = None
        self.is_cut = False

    def at(self, time: int) -> Any:
        """Return the batch of step number ``time``."""
        while self.period is None and len(self._kept) <= time:
            with untouched_randomness():
                random.setstate(self._states[0])
                np.random.set_state(self._states[1])
                torch.set_rng_state(self._states[2])
                self._draw()
                self._states = generator_states()
        return self._kept[time if self.period is None else time % self.period]

    @property
    def note(self) -> Remark:
        """What was frozen."""
        if self.is_cut:
            text = f"Only the first {self.period} batches fit into memory; they are repeated in their order."
            return Remark(text, f"メモリに収まる最初の{self.period}バッチだけを、同じ順で繰り返す。")
        if self.period == 1:
            return Remark("Every step sees the same batch.", "どのステップも同じバッチを使う。")
        if self.period is not None:
            return Remark(f"The order of {self.period} batches is frozen and repeated.", f"{self.period}個のバッチの順を固定して繰り返す。")
        return Remark("The order of the batches is frozen as it was drawn once.", "一度引いたバッチの順を固定した。")

    def _draw(self) -> None:
        """Keep one more batch; at the end of the first pass look whether the second is the same."""
        if self._iterator is None:
            self._iterator = iter(self._training.batches())
        batch = next(self._iterator, None)
        if batch is not None:
            self._keep(batch)
            return
        if not self._kept:
            raise UsageError("Training needs at least one batch, but batches() gave none. Return an iterable of (inputs, target).")
        if not self._first_pass_is_over:
            self._first_pass_is_over = True
            second = [converted(other, self._dtype) for other in self._training.batches()]
            if len(second) == len(self._kept) and all(_same(a, b) for a, b in zip(second, self._kept, strict=True)):
                self.period = len(self._kept)
                return
            for other in second:
                self._keep(other)
        self._iterator = None

    def _keep(self, batch: Any) -> None:
        kept = converted(batch, self._dtype)
        self._kept.append(kept)
        self._n_bytes += _n_bytes(kept)
        if self._n_bytes > LARGEST_CACHE and len(self._kept) > 1:
            self.period, self.is_cut = len(self._kept), True


@contextmanager
def seeded_by(seed: int, time: int) -> Iterator[None]:
    """Draw the same random numbers in step number ``time`` whenever it is taken; the caller's generators do not notice."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with untouched_randomness(), torch.random.fork_rng(devices=devices):
        drawn = int(np.random.SeedSequence([seed % 2**32, time]).generate_state(1)[0])
        random.seed(drawn)
        np.random.seed(drawn)
        torch.manual_seed(drawn)
        yield


class FrozenRandomness:
    """Common random numbers: dropout masks and the like are a function of the step's number.

    Args:
        seed: Of the training.
        is_needed: Whether the training draws anything at all in a step; if not, this costs nothing.
    """

    def __init__(self, seed: int, is_needed: bool = True) -> None:
        """Remember the seed."""
        self.seed = seed
        self.is_needed = is_needed

    def at(self, time: int) -> Any:
        """Return the context in which step number ``time`` is to be computed."""
        return seeded_by(self.seed, time) if self.is_needed else nullcontext()


def converted(batch: Any, dtype: torch.dtype) -> Any:
    """Return ``batch`` with its floating-point tensors in ``dtype``; tuples, lists and dictionaries are gone through."""
    if isinstance(batch, Tensor):
        return batch.detach().to(dtype) if batch.is_floating_point() else batch
    if isinstance(batch, dict):
        return {name: converted(part, dtype) for name, part in batch.items()}
    if isinstance(batch, list):
        return [converted(part, dtype) for part in batch]
    if isinstance(batch, tuple):
        parts = [converted(part, dtype) for part in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
    return batch


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return first.shape == second.shape and first.dtype == second.dtype and torch.equal(first, second)
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_same(first[name], second[name]) for name in first)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(_same(a, b) for a, b in zip(first, second, strict=True))
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return bool(np.array_equal(first, second))
    return bool(first is second or first == second)


def _n_bytes(batch: Any) -> int:
    if isinstance(batch, Tensor):
        return batch.numel() * batch.element_size()
    if isinstance(batch, dict):
        return sum(_n_bytes(part) for part in batch.values())
    if isinstance(batch, (list, tuple)):
        return sum(_n_bytes(part) for part in batch)
    return 0
