"""How activations, gradients and weights of each layer are distributed: histograms at a few tens of steps, ever further apart, within a budget of time."""

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..storage import BINS, RunWriter
from .graph import saved
from .layers import Sight
from .observables import sample
from .player import Player

if TYPE_CHECKING:
    from .observer import Observer
    from .reading import Reading

MOST_NUMBERS = 1024  # of each layer: a share of one in thirty-two is then known to a sixth of itself
A_DOUBLING = 4  # histograms at most while the number of steps doubles: 57 in 20 000 steps, 80 in a million
MANY_LAYERS = 128  # beyond, the more layers the fewer histograms, so that a run stores about a megabyte of them
SECONDS, SHARE = 0.1, 0.001  # that they may take: at once, and of the time of the run
DOUBLINGS = 14  # over so many, 16 000 steps, what may be spent at once is spread
WORDS = "activation", "gradient", "weight"
# Activations for which autograd keeps what they read, not what they gave.
APPLIED: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "silu": F.silu,
    "mish": F.mish,
    "softplus": F.softplus,
    "hardtanh": F.hardtanh,
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "sin": torch.sin,
    "abs": torch.abs,
    "log_sigmoid": F.logsigmoid,
}
Row = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


class DistributionReader:
    """Takes histograms of the layers of the first optimizer's weights and hands them to the writer.

    What it costs is measured: it keeps to a tenth of a second of processor time, or a thousandth of the run's time, whichever is more, and it counts as a
    part of what all watching costs (`Sampling.spend`).

    Args:
        writer: Of the run directory.

    Limits:
        Of each tensor a thousand numbers are looked at. A layer shows its output behind its activation, or, where autograd keeps none, what it reads.
    """

    def __init__(self, writer: RunWriter) -> None:
        self.is_off = False
        self.spent = 0.0
        self._writer = writer
        self._next = 1
        self._n = 0
        self._activations: dict[int, Tensor] = {}
        self._seen_at = 0

    def forward(self, reading: "Reading", observer: "Observer") -> None:
        """Look at the activations of a step that is due, while the graph still holds them."""
        if self._is_due(observer):
            self._contained(lambda: self._look(reading, observer.moment), observer)

    def step_begins(self, player: Player, sights: Sequence[Sight], observer: "Observer") -> None:
        """Look at gradients and weights of a step that is due, and store the three."""
        if player is not observer.players[0] or not self._is_due(observer):
            return
        step = observer.moment
        self._contained(lambda: self._store(player, sights, step), observer)
        self._n += 1
        self._next = max(step + 1, math.ceil(step * 2.0 ** (1 / self._pace(len(player.layers)))))

    def _is_due(self, observer: "Observer") -> bool:
        elapsed = time.perf_counter() - observer.began
        return not self.is_off and observer.moment >= self._next and self.spent <= max(SECONDS, SHARE * elapsed)

    def _contained(self, task: Callable[[], None], observer: "Observer") -> None:
        """Keep a mistake made here away from the training and from the rest of the watching."""
        began, is_first = time.thread_time(), self._n == 0  # the first one also gets everything ready
        try:
            task()
        except Exception as error:
            self.is_off = True
            self._activations = {}
            observer.blind["distributions"] = f"Distributions are not followed any further, because of {type(error).__name__}: {error}."
        if not is_first:
            self.spent += time.thread_time() - began

    def _look(self, reading: "Reading", step: int) -> None:
        if step != self._seen_at:
            self._activations, self._seen_at = {}, step
        for sight in reading.sights:
            seen = activation_of(sight)
            if seen is not None:
                self._activations.setdefault(Player.key_of(sight), _few(seen).clone())  # a view would keep all of it alive

    def _store(self, player: Player, sights: Sequence[Sight], step: int) -> None:
        columns = [player.column(sight) for sight in sights]
        n = len(player.layers)
        own = self._activations if self._seen_at == step else {}
        found: dict[str, list[Tensor | None]] = {name: [None] * n for name in WORDS}
        for column, sight in zip(columns, sights, strict=True):
            found["activation"][column] = own.get(Player.key_of(sight))
            found["gradient"][column] = _few(sight.gradient) if sight.gradient is not None else None
            found["weight"][column] = _few(sight.weight)
        tensors: dict[str, np.ndarray[Any, Any]] = {}
        for name, samples in found.items():
            tensors[f"{name}/shares"], tensors[f"{name}/range"] = histograms(samples, is_logarithmic=name == "gradient")
        self._writer.append_distributions(step, tensors)
        self._activations = {}

    def _pace(self, n_layers: int) -> float:
        """Return how many histograms there may be while the number of steps doubles: fewer where one is large, or costs much."""
        affordable = SECONDS / max(self.spent / max(self._n - 1, 1), 1e-9) / DOUBLINGS if self._n > 1 else A_DOUBLING
        return max(min(A_DOUBLING, affordable, A_DOUBLING * MANY_LAYERS / max(n_layers, 1)), 0.25)


def activation_of(sight: Sight) -> Tensor | None:
    """Return what a layer gives behind its activation, a part of it; what it reads where autograd kept neither that nor what the activation read."""
    node, kind = sight.activation, sight.activated()
    if node is not None and kind != "identity":
        result = saved(node, "result")
        if result is not None:
            return result
        before = saved(node, "self", "input")
        if before is not None and kind in APPLIED:
            return APPLIED[kind](_few(before))
    return sight.inputs if sight.inputs is not None and sight.inputs.is_floating_point() else None


def histograms(samples: Sequence[Tensor | None], *, is_logarithmic: bool = False) -> Row:
    """Return the histogram of each sample, all by a few calls.

    Args:
        samples: Flat; ``None`` for a layer that was not seen.
        is_logarithmic: Count the decimal logarithm of the sizes.

    Returns:
        Shares of the fullest bin in 255ths, shape ``(layers, BINS)``; and lowest number, highest number, share that is exactly zero and share that is not
        finite, shape ``(layers, 4)``, NaN where nothing could be counted.

    Example:
        >>> shares, ends = histograms([torch.tensor([0.0, 1.0, 1.0, 1.0])])
        >>> shares[0, 0].item(), shares[0, -1].item(), ends[0].tolist()
        (85, 255, [0.0, 1.0, 0.25, 0.0])
    """
    shares, ends = np.zeros((len(samples), BINS), dtype=np.uint8), np.full((len(samples), 4), np.nan, dtype=np.float32)
    rows = [row for row, one in enumerate(samples) if one is not None and one.numel()]
    if not rows:
        return shares, ends
    parts = [one for one in samples if one is not None and one.numel()]
    device = parts[0].device
    values = torch.cat([part.to(device, torch.float32) for part in parts]).cpu().numpy()
    sizes = np.array([len(part) for part in parts])
    starts = np.cumsum(sizes) - sizes
    is_zero, is_finite = values == 0, np.isfinite(values)
    ends[rows, 2], ends[rows, 3] = np.add.reduceat(is_zero, starts, dtype=np.int64) / sizes, 1 - np.add.reduceat(is_finite, starts, dtype=np.int64) / sizes
    counted = is_finite & ~is_zero if is_logarithmic else is_finite
    with np.errstate(divide="ignore"):
        seen = np.log10(np.abs(values)) if is_logarithmic else values
    low = np.minimum.reduceat(np.where(counted, seen, np.float32(np.inf)), starts)
    high = np.maximum.reduceat(np.where(counted, seen, np.float32(-np.inf)), starts)
    is_there = high >= low
    low, high = np.where(is_there, low, 0), np.where(is_there, high, 0)
    scale = BINS / np.maximum(high - low, np.float32(1e-30))
    place = np.where(counted, (seen - np.repeat(low, sizes)) * np.repeat(scale, sizes), 0).astype(np.int64).clip(0, BINS - 1)
    counts = np.bincount((place + np.repeat(np.arange(len(rows)) * BINS, sizes))[counted], minlength=len(rows) * BINS).reshape(len(rows), BINS)
    shares[rows] = np.ceil(counts * 255.0 / np.maximum(counts.max(1, keepdims=True), 1))
    ends[rows, 0], ends[rows, 1] = np.where(is_there, low, np.nan), np.where(is_there, high, np.nan)
    return shares, ends


def _few(tensor: Tensor) -> Tensor:
    own = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return sample(own, MOST_NUMBERS).reshape(-1)
