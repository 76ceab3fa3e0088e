"""Samples that come again: one may ask for another value, because the target is made of the model's own weights, or for another class, because inputs and
targets have come apart.
"""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .layers import Sight
from .losses import CLASSES, LossCall

ROWS = 64  # of each batch
MOST = 8192  # samples remembered
NEWEST = 256  # repetitions looked at
FEWEST = 16
COHERENT = 0.5  # mean change over its root mean square: 1 where all targets move one way, near 0 where values are only noisy (n = 16: 0.25 for noise)
KINDS = ("mse", "l1", "smooth_l1", "huber")


class TargetMemory:
    """Remembers what was asked for the first samples of each batch, by the bytes of the sample.

    A data set asks the same of the same sample each time. Where repeated samples come with targets whose size has moved one way, the targets are made by
    something that learns. Random labels for one input move to and fro instead.

    Limits:
        A sample must come again, bit for bit; where inputs are always new, or augmented, it cannot tell.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[int, int], float] = {}
        self._changes: dict[int, deque[float]] = {}
        self._class_of: dict[tuple[int, int], int] = {}
        self._classes: dict[int, deque[tuple[int, int]]] = {}
        self._ambiguous: set[int] = set()
        self._batches: dict[int, list[tuple[int, int]]] = {}

    def read(self, sights: Sequence[Sight], calls: Sequence[LossCall]) -> dict[str, Any]:
        """Compare the samples of this step with what is remembered, remember those that are new, and return the fact ``moving_targets``.

        It is absent where targets were the same again, or nothing was repeated. Of classes the facts are ``torn_targets`` and ``sorted_batches``;
        ``batch_rows`` tells how many samples the first layer was given.
        """
        readers = [sight for sight in sights if sight.reads_data and sight.first_input is not None]
        reader = readers[0] if readers else None
        data = reader.first_input if reader is not None else None
        if reader is None or data is None or data.dim() == 0:
            return {}
        rows = {"batch_rows": int(data.shape[0])}
        if len(readers) == 1 and len(reader.uses) == 1 and len(calls) == 1 and calls[0].kind in CLASSES:
            return rows | self._read_classes(reader, data, calls[0])
        return rows | self._read_values(reader, data, [call for call in calls if call.kind in KINDS])

    def _read_classes(self, reader: Sight, data: Tensor, call: LossCall) -> dict[str, Any]:
        target = call.target
        is_plain = call.options.get("reduction") == "mean" and not call.options.get("handwritten") and not target.is_floating_point() and target.dim() == 1
        if not is_plain or data.dim() < 2 or not data.is_floating_point() or data.shape[0] != len(target) or data.device.type != "cpu":
            return {}
        if target.unique().numel() == len(target):
            return {}  # each sample its own class: partners are looked for among the samples
        network = id(reader.weight)
        batches = self._batches.setdefault(network, [])
        batches.append((int(target[0]), int(target.unique().numel())))
        del batches[:-NEWEST]
        seen = self._classes.setdefault(network, deque(maxlen=NEWEST))
        asked = list(zip(_marks_of(data), target[:ROWS].tolist(), strict=True))
        if len(dict.fromkeys(asked)) > len(dict(asked)):
            self._ambiguous.add(network)  # one batch asks two things of one input: inputs do not tell samples apart
        for row, wanted in asked:
            known = self._class_of.get((network, row))
            if known is not None:
                seen.append((known, wanted))
            elif len(self._class_of) < MOST:
                self._class_of[network, row] = wanted
        return ({} if network in self._ambiguous else _torn(seen)) | _sorted(batches, len(target))

    def _read_values(self, reader: Sight, data: Tensor, values: Sequence[LossCall]) -> dict[str, Any]:
        if len(values) != 1 or data.dim() < 2 or data.shape[0] != values[0].target.shape[0] or data.device.type != "cpu":
            return {}
        network = id(reader.weight)
        changes = self._changes.setdefault(network, deque(maxlen=NEWEST))
        sizes = values[0].target[:ROWS].reshape(min(ROWS, len(data)), -1).double().abs().mean(1).tolist()
        for row, size in zip(_marks_of(data), sizes, strict=True):
            key = network, row
            known = self._first.get(key)
            if known is not None:
                changes.append(size - known)
            elif len(self._first) < MOST:
                self._first[key] = size
        return _fact(changes)


def _marks_of(data: Tensor) -> list[int]:
    """Return a number for each of the first samples that tells it from others; of samples with very many numbers every so many count."""
    rows = data[:ROWS].reshape(min(ROWS, len(data)), -1)
    rows = rows[:, :: -(-rows.shape[1] // MOST) or 1].contiguous()
    return [hash(row.tobytes()) for row in (rows.view(torch.uint8).numpy() if rows.dtype != torch.bool else rows.numpy())]


def _torn(seen: deque[tuple[int, int]]) -> dict[str, Any]:
    if len(seen) < FEWEST:
        return {}
    changed = sum(before != now for before, now in seen) / len(seen)
    befores, nows = Counter(before for before, _ in seen), Counter(now for _, now in seen)
    by_chance = 1 - sum(count * nows[one] for one, count in befores.items()) / len(seen) ** 2
    return {"torn_targets": {"repeated": len(seen), "changed": changed, "by_chance": by_chance}} if changed > 0 else {}


def _sorted(batches: list[tuple[int, int]], size: int) -> dict[str, Any]:
    single = [first for first, n in batches if n == 1]
    if len(batches) < FEWEST or size < FEWEST or len(set(single)) < 2:
        return {}
    return {"sorted_batches": {"single": len(single), "of": len(batches), "classes": len(set(single)), "size": size}}


def _fact(changes: deque[float]) -> dict[str, Any]:
    n = len(changes)
    power = sum(change * change for change in changes)
    if n < FEWEST or not power > 0:
        return {}
    changed = sum(change != 0 for change in changes) / n
    coherence = abs(sum(changes)) / n / (power / n) ** 0.5
    return {"moving_targets": {"repeated": n, "changed": changed, "coherence": coherence}} if changed > COHERENT and coherence > COHERENT else {}
