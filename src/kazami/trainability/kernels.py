"""Pixels trained by the kernels: one pixel in each lane of a vector register, its whole training in the cache."""

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ._base import CLIP, AbstractRunner, Floats, Sums
from .problem import Problem

BLOCK_BYTES = 2**25  # of losses that wait to be summed up
SCALES = {"tanh": math.sqrt(2.0), "relu": math.sqrt(2.0), "identity": 1.0}  # the factor behind a ReLU may as well stand before it


class Kernels(AbstractRunner):
    """Trains pixels in machine code made for the problem (extra ``fast``).

    Limits:
        With mini-batches every step is two: one over all points with the learning rate 0, whose loss counts, and one over the batch. A pixel whose gradient
        over all points overflows is then over at once, even where its batch would not have.
    """

    name: ClassVar[str] = "kernels"
    part: ClassVar[int] = 1024

    def refusal(self, problem: Problem, dtype: str) -> str | None:
        """Return why not: nothing can be compiled here, or weights are moved between steps."""
        del dtype
        if problem.offset == "every_step":
            return "an offset before every step is no optimizer step."
        from ..kernels import why_not

        return why_not()

    def run(self, problem: Problem, settings: Floats, dtype: str, *, is_retiring: bool = True) -> Sums:
        """Train all pixels, as many at a time as their losses fit into memory; those that are over are always retired."""
        del is_retiring
        steps = problem.steps * (1 if problem.batches is None else 2)
        size = max(16, BLOCK_BYTES // (8 * steps))
        parts = [self._part(problem, settings[start : start + size], dtype) for start in range(0, len(settings), size)]
        return Sums(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("total", "inverse", "tail", "stopped_at")))

    def _part(self, problem: Problem, settings: Floats, dtype: str) -> Sums:
        from ..kernels import Descent, Layer, Network, compiled

        before, units = problem.hidden.shape
        first = Layer(before, units, bias=False, activation=problem.activation, scale=SCALES[problem.activation] / math.sqrt(before), group=(0, 0))
        network = Network((first, Layer(units, 1, bias=False, scale=1.0 / units, group=(1, 1))), loss="mse")
        parameters = np.empty((len(settings), network.n_parameters))
        parameters[:, : problem.hidden.size] = problem.hidden.T.reshape(-1) + settings[:, 2:]
        parameters[:, problem.hidden.size :] = problem.output
        fed = _fed(problem)
        ended = compiled(network, Descent(), dtype).run(parameters.astype(dtype), settings={"learning_rate": settings[:, :2]}, record_every=1, **fed)
        return _summed(ended.losses[:: 1 if problem.batches is None else 2], problem)


def _fed(problem: Problem) -> dict[str, Any]:
    """Return samples, targets and what each step sees of them."""
    if problem.batches is None:
        return {"inputs": problem.inputs, "targets": problem.targets[:, None], "steps": problem.steps}
    rows = np.concatenate([np.arange(problem.points), problem.batches[: problem.steps].reshape(-1)])
    size, points = problem.batches.shape[1], problem.points
    ranges: NDArray[np.int64] = np.empty((2 * problem.steps, 2), dtype=np.int64)
    ranges[::2] = (0, points)
    ranges[1::2, 0], ranges[1::2, 1] = points + size * np.arange(problem.steps), size
    factors = np.tile([0.0, 1.0], problem.steps)
    return {"inputs": problem.inputs[rows], "targets": problem.targets[rows, None], "steps": 2 * problem.steps, "batches": ranges, "factors": factors}


def _summed(losses: NDArray[Any], problem: Problem) -> Sums:
    """Return the sums of losses of shape ``(steps, pixels)``."""
    total, inverse, tail = np.zeros((3, losses.shape[1]))
    with np.errstate(all="ignore"):
        for step, row in enumerate(losses):  # one after another, so that a pixel's sum does not depend on its neighbours
            v = row.astype(np.float64) / losses[0]
            v[~(v <= CLIP)] = CLIP  # NaN too
            total += v
            inverse += 1.0 / v
            if step >= problem.steps - problem.counted:
                tail += v
    is_finite = np.isfinite(losses)
    last = np.where(is_finite.any(axis=0), problem.steps - np.argmax(is_finite[::-1], axis=0), 0)
    return Sums(total, inverse, tail / problem.counted, np.where(last < problem.steps, last, -1))
