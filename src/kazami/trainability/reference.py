"""Pixels trained with torch, many at once: every machine can, in float64 or float32."""

import math
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ._base import CLIP, AbstractRunner, Floats, Sums
from .problem import Problem

CACHE = 2**19  # bytes of one layer's activations that stay near the core
WIDTH = 16  # pixels come in multiples of this: whole vectors
LOOKS = 8  # steps between two looks whether all pixels are over
ROOT = math.sqrt(2.0)


class Reference(AbstractRunner):
    """Trains pixels as columns of one tensor, with hand-written derivatives; the truth that faster runners are tested against."""

    name: ClassVar[str] = "reference"
    part: ClassVar[int] = 64

    def refusal(self, problem: Problem, dtype: str) -> str | None:
        """Return ``None``: it runs everything."""
        del problem, dtype
        return None

    def run(self, problem: Problem, settings: Floats, dtype: str, *, is_retiring: bool = True) -> Sums:
        """Train all pixels, a part that fits the cache after another.

        All parts are filled up to one size: torch orders its sums by the shapes of its tensors, and a pixel shall not depend on its neighbours.
        """
        kind = torch.float32 if dtype == "float32" else torch.float64
        lanes = max(WIDTH, CACHE // (problem.points * problem.hidden.shape[1] * kind.itemsize) // WIDTH * WIDTH)
        found = np.empty((len(settings), 4))
        with torch.no_grad():
            for start in range(0, len(settings), lanes):
                part = settings[start : start + lanes]
                padded = np.concatenate([part, np.repeat(part[-1:], lanes - len(part), axis=0)])
                found[start : start + len(part)] = _Pixels(problem, padded, kind).trained(is_retiring)[: len(part)]
        return Sums(found[:, 0], found[:, 1], found[:, 2], found[:, 3].astype(np.int64))


class _Pixels:
    """A few pixels on their way: weights with the pixel as the last axis, and sums that go on."""

    def __init__(self, problem: Problem, settings: Floats, kind: torch.dtype) -> None:
        self._problem = problem
        rates = torch.from_numpy(np.ascontiguousarray(settings.T)).to(kind)
        self._rates, self._offset = rates[:2], rates[2]
        self._x, self._y = torch.from_numpy(problem.inputs).to(kind), torch.from_numpy(problem.targets).to(kind)[:, None]
        n = settings.shape[0]
        self._hidden = torch.from_numpy(problem.hidden).to(kind)[:, :, None].repeat(1, 1, n)
        self._output = torch.from_numpy(problem.output).to(kind)[:, None].repeat(1, n)
        self._first: Tensor | None = None
        self._found = torch.zeros(n, 4, dtype=torch.float64)

    def trained(self, is_retiring: bool) -> Floats:
        """Take all steps and return the sums, one row a pixel."""
        problem = self._problem
        if problem.offset == "initial":
            self._hidden += self._offset
        for step in range(problem.steps):
            if problem.offset == "every_step":
                self._hidden += self._offset
            self._count(self._step(step), step)
            if is_retiring and step % LOOKS == LOOKS - 1 and not bool(torch.isfinite(self._output).all(0).any()):
                self._rest(step)
                break
        self._found[:, 2] /= problem.counted
        self._found[self._found[:, 3] >= problem.steps, 3] = -1
        return self._found.numpy()

    def _step(self, step: int) -> Tensor:
        """Take one step and return the losses before it."""
        problem = self._problem
        activations, slopes = self._forward(self._x)
        apart = (activations * self._output).sum(1).div_(len(self._output)).sub_(self._y)
        loss = (apart * apart).mean(0)
        x = self._x
        if problem.batches is not None:
            rows = torch.from_numpy(problem.batches[step])
            x, activations, apart = x[rows], activations[rows], apart[rows]
            slopes = None if slopes is None else slopes[rows]
        back = apart.mul_(2.0 / (len(x) * len(self._output)))[:, None]  # derivative of the loss by the output, before the mean over units
        change = (activations * back).sum(0)
        arriving = back * self._output if slopes is None else slopes.mul_(back).mul_(self._output)
        turned = (x.T @ arriving.reshape(len(x), -1)).reshape(self._hidden.shape).div_(math.sqrt(x.shape[1]))
        self._hidden -= self._rates[0] * turned
        self._output -= self._rates[1] * change
        return loss

    def _forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return activations and slopes of the hidden layer, shape ``(points, units, pixels)``; no slopes where they are 1."""
        units, pixels = self._output.shape
        z = (x @ self._hidden.reshape(x.shape[1], -1)).div_(math.sqrt(x.shape[1])).reshape(len(x), units, pixels)
        if self._problem.activation == "tanh":
            h = z.mul_(ROOT).tanh_()
            return h, (1.0 - h * h).mul_(ROOT)
        if self._problem.activation == "relu":
            return torch.relu(z) * ROOT, (z > 0.0).to(z).mul_(ROOT)
        return z, None

    def _count(self, loss: Tensor, step: int) -> None:
        losses = loss.double()
        if self._first is None:
            self._first = losses
        v = losses / self._first
        v = torch.where(torch.isfinite(v) & (v <= CLIP), v, CLIP)
        self._add(v, step)
        self._found[torch.isfinite(losses), 3] = step + 1

    def _add(self, v: Tensor, step: int) -> None:
        self._found[:, 0] += v
        self._found[:, 1] += 1.0 / v
        if step >= self._problem.steps - self._problem.counted:
            self._found[:, 2] += v

    def _rest(self, step: int) -> None:
        """Count what is left of pixels that are all over."""
        for later in range(step + 1, self._problem.steps):
            self._add(torch.tensor(CLIP, dtype=torch.float64), later)
