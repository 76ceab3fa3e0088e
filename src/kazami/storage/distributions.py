"""Histograms of a layer over the recorded steps, as the run directory holds them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .trajectory import Trajectory

BINS = 32
SHARES, RANGE = "shares", "range"


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the numbers of one quantity of one layer are distributed, at each of a few tens of steps.

    Attributes:
        steps: Optimizer steps, shape ``(n,)``.
        low: Lowest number, shape ``(n,)``; of a logarithmic quantity its decimal logarithm; NaN where nothing was counted.
        high: Highest number.
        shares: Each of the bins between the two beside the fullest, 0 to 1, shape ``(n, bins)``.
        zeros: Share that is exactly zero.
        lost: Share that is not finite.
        is_logarithmic: Whether the sizes were counted by their decimal logarithm.
    """

    steps: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    shares: NDArray[np.float64]
    zeros: NDArray[np.float64]
    lost: NDArray[np.float64]
    is_logarithmic: bool


def distributions_of(stored: Trajectory, layer: int) -> dict[str, Distribution]:
    """Return the distributions of one layer by quantity (``"activation"``, ``"gradient"``, ``"weight"``); only those in which anything was counted."""
    rows: dict[str, list[tuple[int, Any, Any]]] = {}
    for step, tensors in stored:
        for name, shares in tensors.items():
            quantity, _, what = name.partition("/")
            ends = tensors.get(f"{quantity}/{RANGE}")
            if what == SHARES and ends is not None and layer < len(shares) == len(ends) and shares.ndim == ends.ndim == 2 and ends.shape[1] == 4:
                rows.setdefault(quantity, []).append((step, shares[layer], ends[layer]))
    counted = {name: [row for row in of if np.isfinite(row[2][2])] for name, of in rows.items()}
    return {name: _of(name, of) for name, of in counted.items() if of}


def _of(name: str, rows: list[tuple[int, Any, Any]]) -> Distribution:
    steps = np.array([step for step, _, _ in rows], dtype=np.int64)
    ends = np.array([ends for _, _, ends in rows], dtype=np.float64)
    shares = np.array([shares for _, shares, _ in rows], dtype=np.float64) / 255
    return Distribution(steps, ends[:, 0], ends[:, 1], shares, ends[:, 2], ends[:, 3], name == "gradient")
