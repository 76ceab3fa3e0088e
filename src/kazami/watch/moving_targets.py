"""Targets that move: the same sample asks for another value than it did before, because the target is made of the model's own weights."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import torch

from .layers import Sight
from .losses import LossCall

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
        self._first: dict[tuple[int, bytes], float] = {}
        self._changes: dict[int, deque[float]] = {}

    def read(self, sights: Sequence[Sight], calls: Sequence[LossCall]) -> dict[str, Any]:
        """Compare the samples of this step with what is remembered, remember those that are new, and return the fact ``moving_targets``.

        It is absent where targets were the same again, or nothing was repeated.
        """
        values = [call for call in calls if call.kind in KINDS]
        reader = next((sight for sight in sights if sight.reads_data and sight.first_input is not None), None)
        data = reader.first_input if reader is not None else None
        if reader is None or data is None or len(values) != 1 or data.dim() < 2 or data.shape[0] != values[0].target.shape[0] or data.device.type != "cpu":
            return {}
        network = id(reader.weight)
        changes = self._changes.setdefault(network, deque(maxlen=NEWEST))
        rows = data[:ROWS].reshape(min(ROWS, len(data)), -1)[:, :MOST].contiguous()
        sizes = values[0].target[:ROWS].reshape(len(rows), -1).double().abs().mean(1).tolist()
        for row, size in zip(rows.view(torch.uint8).numpy() if rows.dtype != torch.bool else rows.numpy(), sizes, strict=True):
            key = network, row.tobytes()
            known = self._first.get(key)
            if known is not None:
                changes.append(size - known)
            elif len(self._first) < MOST:
                self._first[key] = size
        return _fact(changes)


def _fact(changes: deque[float]) -> dict[str, Any]:
    n = len(changes)
    power = sum(change * change for change in changes)
    if n < FEWEST or not power > 0:
        return {}
    changed = sum(change != 0 for change in changes) / n
    coherence = abs(sum(changes)) / n / (power / n) ** 0.5
    return {"moving_targets": {"repeated": n, "changed": changed, "coherence": coherence}} if changed > COHERENT and coherence > COHERENT else {}
