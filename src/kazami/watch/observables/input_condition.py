"""How unequal the directions are along which the batch varies, for the layer that reads it."""

import math
from typing import ClassVar, cast

import torch
from torch import Tensor

from ..layers import Sight
from ._base import AbstractObservable, Moment, signal

MOST_FEATURES = 256
MOST_ROWS = 1024
LOOKS = 8
LIVE = 1e-9  # of the largest eigenvalue: below it float32 inputs have none


class InputCondition(AbstractObservable):
    r"""Largest over smallest eigenvalue of the second moment :math:`E[xx^T]` of the inputs, over the first eight looks.

    The curvature of a linear layer is this matrix times that of its output (LeCun et al. 1998): a step that is stable along the largest eigenvalue needs so
    many times as many along the smallest.
    """

    name: ClassVar = "input_condition"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "forward"
    every: ClassVar = 16

    def measure(self, sight: Sight) -> float:
        """Return the ratio, NaN for layers that do not read the batch as rows of at most 256 features, and where the looks are over."""
        data, n = sight.first_input, int(sight.memory.get("moment_looks", 0))
        if not sight.reads_data or sight.layer.kind != "linear" or data is None or not data.is_floating_point() or data.dim() < 2:
            return math.nan
        if data.shape[-1] > MOST_FEATURES or data.shape[-1] != sight.weight.shape[-1]:
            return math.nan
        sight.memory["moment_rows"] = data.numel() // max(data.shape[-1], 1)
        table = signal(data, most_rows=MOST_ROWS).double()
        if n >= LOOKS:
            keep_energy(sight, table)
            return math.nan
        moment = table.T @ table / max(table.shape[0], 1)
        if not bool(torch.isfinite(moment).all()):
            return math.nan
        moment = moment if n == 0 else sight.memory["moment"] + (moment - sight.memory["moment"]) / (n + 1)
        sight.memory["moment"], sight.memory["moment_looks"] = moment, n + 1
        if n + 1 not in (1, 2, 4, LOOKS):
            keep_energy(sight, table)
            return math.nan
        values, vectors = torch.linalg.eigh(moment)
        live = values > LIVE * values[-1]
        sight.memory["moment_eigen"], sight.memory["moment_held"] = (values[live], vectors[:, live]), 0
        keep_energy(sight, table)
        return float(values[-1] / values[live][0]) if bool(live.any()) else math.nan


def keep_energy(sight: Sight, table: Tensor) -> None:
    """Keep the mean square of a batch along the known directions, and its mean over the batches from which the directions were not taken.

    The eigenvalues of a sample are too small where they are small, the more so the fewer its rows; those of batches that came later are not.
    """
    known = sight.memory.get("moment_eigen")
    if known is None:
        return
    values, vectors = cast(tuple[Tensor, Tensor], known)
    held = int(sight.memory.get("moment_held", 0))
    energy = (table @ vectors).square().mean(0)
    sight.memory["moment_energy"] = energy
    if held:
        sight.memory["moment_eigen"] = values + (energy - values) / held if held > 1 else energy, vectors
    sight.memory["moment_held"] = held + 1
