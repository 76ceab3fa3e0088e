"""Runs with known ends: weights that follow a map of our own, so that the rate at which two of them part is known."""

import itertools

import numpy as np

from kazami.records import RunInfo
from kazami.storage import RunWriter

_NUMBERS = itertools.count()


def stored(weights, *, names=("a.weight", "b.weight"), steps=None, losses=None, rates=None, batches=None, reason="finished", rank=0, location=None, **info):
    """Store a run whose weights, shape ``(steps, parameters, size)``, are given, and return its location."""
    location = location or f"memory://comparison/{next(_NUMBERS)}"
    writer = RunWriter(location, RunInfo(id="run", **info), rank=rank)
    shape = list(weights[0][0].shape)
    kind = str(np.asarray(weights).dtype)
    parameters = [{"name": name, "shape": shape, "dtype": kind} for name in names]
    writer.event("trajectory", 0, {"rank": rank, "player": 0, "version": 1, "seed": 0, "parameters": parameters})
    steps = range(len(weights)) if steps is None else steps
    for step, row in zip(steps, weights, strict=True):
        writer.append_trajectory(step, {"weights/0": np.concatenate([np.ravel(one) for one in row])})
    for step in range(1, max(steps) + 1):
        numbers = {"loss": 1 / step if losses is None else losses[step - 1], "learning_rate": 0.1 if rates is None else rates[step - 1]}
        if batches is not None:
            numbers |= {"batch_inputs": batches[step - 1], "batch_targets": 7.0 * step}
        writer.append(step, numbers)
    writer.close(reason=reason)
    return location


def orbit(f, first, steps):
    """Return the orbit of a map as weights, the first included."""
    rows = [np.asarray(first)]
    for _ in range(steps):
        rows.append(f(rows[-1]))
    return np.stack(rows)
