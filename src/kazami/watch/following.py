"""Follows the weights of a run: which steps are sketched, what is stored of each, and fingerprints of the batches."""

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor
from torch.nn.parameter import UninitializedParameter

from ..storage import RunWriter
from .graph import LOSSES, LiveGraph, saved
from .sketching import SEED, VERSION, Sketcher, hashed

if TYPE_CHECKING:
    from .observer import Observer
    from .player import Player
    from .reading import Reading

Arrays = Mapping[str, np.ndarray[Any, Any]]

ALL_UNTIL = 64
DENSE_UNTIL = 1024  # beyond, at most 512 sketches between one power of two and the next: 6000 in a million steps
BURST = 2


@dataclass(slots=True)
class Cadence:
    """Which steps are sketched: pairs of steps at a stride that is a power of two, so that two runs share steps whatever each of them could afford.

    The stride grows with the step number, which bounds the disk; and it is reconsidered at steps 64, 128, 256 … so that by the next of these all sketches
    together cost no more than ``grace`` seconds and ``share`` of the training's time.

    Attributes:
        every: Sketch every so many steps, as the user asked; ``None`` lets the cost decide.
        share: Largest share of the training's time.
        grace: Seconds that may always be spent, in all.
        stride: The stride that the cost allows.
        spent: Processor seconds spent, without the first sketch, which also gets everything ready.
        n: Sketches made.

    Example:
        >>> cadence = Cadence()
        >>> sum(cadence.is_due(step) for step in range(100_001))
        4366
    """

    every: int | None = None
    share: float = 0.002
    grace: float = 0.15
    stride: int = 1
    spent: float = 0.0
    n: int = 0

    def is_due(self, step: int) -> bool:
        """Return whether the weights are sketched after so many steps."""
        stride = 1 if step < DENSE_UNTIL else 1 << (step.bit_length() - 9)
        if self.every is not None:
            return _is_on(step, stride) and _is_on(step, self.every)
        stride = max(stride, self.stride if step > ALL_UNTIL else 1)
        return stride == 1 or step % stride < BURST

    def decide(self, step: int, seconds: float) -> None:
        """Reconsider the stride.

        Args:
            step: Steps taken, a power of two from 64 on.
            seconds: Wall time of the training so far.
        """
        if self.every is not None or self.n < 2:
            return
        left = self.grace + self.share * 2 * seconds - self.spent
        cost = self.spent / (self.n - 1)
        self.stride = 1
        while self.stride < 65536 and cost * step * min(BURST / self.stride, 1.0) > max(left, 0.0):
            self.stride = max(2 * self.stride, 2 * BURST)  # not 2: its steps would not hold those of 4


def _is_on(step: int, stride: int) -> bool:
    return step % stride < (BURST if stride > BURST else 1)


def contained(method: Callable[..., None]) -> Callable[..., None]:
    """Keep a mistake made while following the weights away from the training and from the rest of the watching."""

    @functools.wraps(method)
    def safe(self: "Follower", *arguments: Any) -> None:
        if self.is_off:
            return
        began = time.thread_time()
        try:
            method(self, *arguments)
        except Exception as error:
            self.is_off = True
            self.observer.blind["trajectory"] = f"The weights are not followed any further, because of {type(error).__name__}: {error}."
        if self.cadence.n > 1:
            self.cadence.spent += time.thread_time() - began

    return safe


class Follower:
    """Stores sketches of the weights of every optimizer, and fingerprints of the batches, of one process.

    Row ``s`` of the trajectory holds the weights after ``s`` optimizer steps: 0 are the first weights, and row ``s`` is what the loss of step ``s + 1`` saw.

    Args:
        observer: Whose players are followed.
        writer: Of the run directory.
        rank: This process's.
    """

    def __init__(self, observer: "Observer", writer: RunWriter, rank: int = 0) -> None:
        self.observer = observer
        self.cadence = Cadence(every=observer.sampling.every)
        self.is_off = False
        self._writer = writer
        self._rank = rank
        self._sketchers: dict[int, Sketcher] = {}
        self._forms: dict[int, list[tuple[tuple[int, ...], str]]] = {}
        self._waiting: tuple[int, dict[str, np.ndarray[Any, Any]]] | None = None
        self._marks: list[tuple[int, int]] = []

    @contained
    def batch_seen(self, graph: LiveGraph, reading: "Reading") -> None:
        """Take the fingerprints of the inputs and of the targets that a loss was computed from."""
        inputs = [sight.first_input for sight in reading.sights if sight.reads_data and sight.first_input is not None]
        indices = [saved(node, "indices") for node in graph.nodes if graph.kinds[node].startswith("Embedding")] if "Embedding" in graph.names else []
        targets = [_target(graph, node) for node in graph.nodes if graph.kinds[node] in LOSSES or graph.kinds[node] == "Gather"]
        self._marks.append((_together([*_apart(inputs), *indices]), _together(targets)))

    def step_begins(self, player: "Player", step: int) -> None:
        """Sketch the weights that step ``step`` is about to move, if it is time."""
        if self._marks or self.cadence.is_due(step - 1):
            self._take(player, step)

    def step_ended(self, step: int) -> None:
        """Forget the batch and, at powers of two, reconsider the cadence."""
        if self._marks:
            self._marks = []
        if step >= ALL_UNTIL and step & (step - 1) == 0:
            self.cadence.decide(step, time.perf_counter() - self.observer.began)

    @contained
    def _take(self, player: "Player", step: int) -> None:
        for name, marks in zip(("batch_inputs", "batch_targets"), zip(*self._marks, strict=True), strict=False):
            if any(marks):
                player.add_number(name, step, float(_mixed(marks)))
        if self.cadence.is_due(step - 1):
            self._sketch(player, step - 1)

    @contained
    def finish(self) -> None:
        """Sketch the last weights, where they are still alive, and hand everything over."""
        for player in self.observer.players:
            if player.steps and len(player.parameters) == len(self._forms.get(self.observer.players.index(player), ())):
                self._sketch(player, player.steps)
        self._hand_over()

    def _sketch(self, player: "Player", step: int) -> None:
        index = self.observer.players.index(player)
        tensors = [p for p in player.parameters.values() if not isinstance(p, UninitializedParameter)]
        self._describe(index, tensors, step)
        found = self._sketchers.setdefault(index, Sketcher()).sketch(tensors)
        if self._waiting is not None and self._waiting[0] != step:
            self._hand_over()
        row = self._waiting[1] if self._waiting is not None else {}
        row.update({f"{name}/{index}": array for name, array in found.items()})
        self._waiting = step, row
        self.cadence.n += 1

    def _describe(self, index: int, tensors: list[Tensor], step: int) -> None:
        form = [(tuple(one.shape), str(one.dtype).removeprefix("torch.")) for one in tensors]
        if self._forms.get(index) == form:
            return
        self._forms[index] = form
        names = [self.observer.names.of(one) for one in tensors]
        parameters = [{"name": name, "shape": list(shape), "dtype": kind} for name, (shape, kind) in zip(names, form, strict=True)]
        self._writer.event("trajectory", step, {"rank": self._rank, "player": index, "version": VERSION, "seed": SEED, "parameters": parameters})

    def _hand_over(self) -> None:
        if self._waiting is not None:
            self._writer.append_trajectory(*self._waiting)
            self._waiting = None


def _target(graph: LiveGraph, node: Any) -> Tensor | None:
    return saved(node, "index" if graph.kinds[node] == "Gather" else "target")


def _apart(tensors: list[Tensor]) -> list[Tensor]:
    """Return the tensors without those that are another one seen again (three projections of one input)."""
    return list({(one.data_ptr(), one.shape, one.stride()): one for one in tensors}.values())


def _together(tensors: list[Tensor | None]) -> int:
    there = [hashed(one) for one in tensors if one is not None]
    return _mixed(there) if there else 0


def _mixed(marks: Any) -> int:
    """Return one number of 52 bits for several, which depends on their order."""
    mixed = 0
    for mark in marks:
        mixed = (mixed * 0x9E3779B1 + mark) % 2**52
    return mixed or 1
