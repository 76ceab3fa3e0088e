"""Which walks end at the same place."""

import numpy as np
import torch

from .two_weights import TwoWeights

LINK = 0.03  # ends nearer than this, in widths of the extent, belong to one place: single linkage, so that a valley is one
LEVEL = 1e-2  # a walk has come to rest where the gradient is below this share of a usual one


def destinations(ends: np.ndarray, function: TwoWeights) -> np.ndarray:
    """Return the number of each walk's destination, shape ``(walks,)``, from 0 in the order of the places; -1 for a walk that has not come to rest.

    Args:
        ends: Last weights, shape ``(walks, 2)``; NaN for an escaped walk.
        function: What was walked on.

    Limits:
        Two minima nearer than 3 % of the extent count as one. The minima of a valley count as one as long as walks end all along it.

    Example:
        >>> from kazami.surfaces.two_weights import two_weights
        >>> destinations(np.array([[1.0, 0.0], [-1.0, 0.0], [1.0001, 0.0], [0.5, 0.5]]), two_weights("double_well")).tolist()
        [1, 0, 1, -1]
    """
    box = function.extent
    widths = np.array([box[1] - box[0], box[3] - box[2]])
    owners = np.full(len(ends), -1)
    rests = np.flatnonzero(np.isfinite(ends).all(1))
    if len(rests):
        steepness = function.gradient(torch.as_tensor(ends[rests])).norm(dim=-1).numpy()
        rests = rests[steepness <= LEVEL * usual_steepness(function)]
    label = 0
    for first in rests[np.lexsort(np.round(ends[rests] / widths, 6).T[::-1])].tolist():
        if owners[first] >= 0:
            continue
        found = [first]
        owners[first] = label
        while found:
            here = found.pop()
            near = rests[(owners[rests] < 0) & (np.linalg.norm((ends[rests] - ends[here]) / widths, axis=1) < LINK)]
            owners[near] = label
            found += near.tolist()
        label += 1
    return owners


def usual_steepness(function: TwoWeights) -> float:
    """Return the median length of the gradient over the extent."""
    box = function.extent
    columns, rows = np.meshgrid(np.linspace(box[0], box[1], 15), np.linspace(box[2], box[3], 15))
    lengths = function.gradient(torch.as_tensor(np.stack([columns, rows], -1))).norm(dim=-1).numpy()
    return float(np.nanmedian(lengths[np.isfinite(lengths)])) if np.isfinite(lengths).any() else 0.0
