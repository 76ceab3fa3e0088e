"""The loss at many points of a plane: exact at each, with the model left as it was, and as fast as the model's structure allows."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import UsageError
from .layers import Unstackable
from .stacking import StackedLosses
from .weights import Batch, as_batches, loss_on, moved_to, sizes_of, unflatten, working_copy

BatchNormMode = Literal["running", "batch", "recalibrate"]
DropoutMode = Literal["off", "frozen"]
BATCH_NORM = ("running", "batch", "recalibrate")
DROPOUT = ("off", "frozen")
# How far the fast engine may be from the plain one at the points where both are asked, in roundings of the dtype (a sum of thousands of products).
ROUNDINGS = 4000.0


@dataclass(slots=True)
class Evaluator:
    r"""The loss :math:`L(\theta + a\,d_1 + b\,d_2)` for many :math:`(a, b)`, the mean over batches weighted by their size.

    Attributes:
        model: The user's model; a copy of it is moved.
        loss: ``loss(output, target) -> 0-d tensor``.
        batches: ``(inputs, target)``, or several of them.
        centre: Flat weights, shape ``(weights,)``.
        first: First direction, same shape.
        second: Second direction, same shape.
        batch_norm: Which statistics normalise: ``"running"`` (stored ones), ``"batch"``, or ``"recalibrate"`` (estimated anew on the batches at each point).
        dropout: ``"off"``, or ``"frozen"``: the same masks at every point.
        dtype: Precision of the evaluation; the model's own by default.
        fast: ``False`` asks for the plain loop.
        buffers: Values of the buffers along the first direction, ``(at a = 0, at a = 1)`` by name; the model's own by default.
        engine: After :meth:`losses`: ``"stacked"`` or ``"pointwise"``.
        why_pointwise: Why it was not ``"stacked"``, one sentence.
    """

    model: nn.Module
    loss: Any
    batches: list[Batch]
    centre: Tensor
    first: Tensor
    second: Tensor
    batch_norm: BatchNormMode = "running"
    dropout: DropoutMode = "off"
    dtype: torch.dtype | None = None
    fast: bool = True
    buffers: tuple[dict[str, Tensor], dict[str, Tensor]] | None = None
    engine: str = ""
    why_pointwise: str = ""
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read the batches and refuse unknown modes."""
        self.batches = as_batches(self.batches)
        if self.batch_norm not in BATCH_NORM or self.dropout not in DROPOUT:
            raise UsageError(
                f"batch_norm should be one of {', '.join(BATCH_NORM)} and dropout one of {', '.join(DROPOUT)}; they are {self.batch_norm!r}, {self.dropout!r}."
            )
        if self.dtype is not None:
            self.batches = [moved_to(batch, self.dtype) for batch in self.batches]

    def losses(self, points: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Yield ``(start, losses)`` for runs of consecutive ``points``, shape ``(points, 2)``, until all are done."""
        with working_copy(self.model) as twin:
            if self.dtype is not None:
                twin.to(self.dtype)
            plain = Pointwise(self, twin)
            stacked = self._stacked(twin, plain, points) if self.fast else None
            self.engine = "pointwise" if stacked is None else "stacked"
            yield from plain.losses(points) if stacked is None else stacked.losses(points)

    def _stacked(self, twin: nn.Module, plain: "Pointwise", points: np.ndarray) -> StackedLosses | None:
        """Return the fast engine if it can take this model and agrees with the plain one at the corners and the middle."""
        plain.move_to(0.0, 0.0)
        slow = {
            "frozen dropout": self.dropout == "frozen",
            "recalibrated statistics": self.batch_norm == "recalibrate",
            "moving buffers": self.buffers is not None,
        }
        if any(slow.values()):
            self.why_pointwise = f"points with {next(name for name, is_so in slow.items() if is_so)} are not stacked"
            return None
        if plain.is_random:
            self.why_pointwise = "the model draws random numbers"
            return None
        chosen = points[sorted({0, len(points) // 3, len(points) // 2, len(points) - 1})]
        truth = np.concatenate([values for _, values in plain.losses(chosen)])
        try:
            engine = StackedLosses(twin, self.loss, self.batches, self.centre, self.first, self.second)
            found = np.concatenate([values for _, values in engine.losses(chosen)])
        except Unstackable as reason:
            self.why_pointwise = str(reason)
            return None
        except Exception as error:  # tracing and stacking run the user's code on stand-ins, which may fail in any way
            self.why_pointwise = f"the model cannot be followed ({type(error).__name__})"
            return None
        tolerance = ROUNDINGS * torch.finfo(plain.dtype).eps
        if not np.allclose(found, truth, rtol=tolerance, atol=tolerance, equal_nan=True):
            self.why_pointwise = "the fast engine and the plain one disagreed at a point where both were asked"
            return None
        return engine


class Pointwise:
    """One point after the other: one fused write of the weights, one forward pass per batch; works for every model.

    Args:
        task: What to evaluate.
        twin: The working copy; its parameters become views of one vector.
    """

    def __init__(self, task: Evaluator, twin: nn.Module) -> None:
        self.task, self.twin = task, twin
        self.dtype = task.dtype or task.centre.dtype
        self.centre, self.first, self.second = (flat.detach().to(self.dtype) for flat in (task.centre, task.first, task.second))
        self.now = self.centre.clone()
        self.row: tuple[float, Tensor] = (0.0, self.centre)
        sizes = sizes_of(task.batches)
        self.weights = [size / sum(sizes) for size in sizes]
        self.norms = [module for module in twin.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.track_running_stats]
        self._set_modes()
        self.needs_graph = False
        self.parameters = list(twin.parameters())
        self._take_over()
        self.buffers = [(buffer, buffer.clone()) for buffer in twin.buffers()]
        self.is_random = task.dropout == "frozen"
        self._look()

    def _take_over(self) -> None:
        """Make the parameters of the copy views of one vector; those of another precision than the vector are written one by one."""
        self.apart = []
        for parameter, part in zip(self.parameters, unflatten(self.now, self.twin), strict=True):
            parameter.requires_grad_(False)
            if parameter.dtype == part.dtype:
                parameter.data = part
            else:
                parameter.data = parameter.data.clone()
                self.apart.append((parameter, part))

    def _set_modes(self) -> None:
        self.twin.train(self.task.dropout == "frozen")
        for module in self.twin.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.train(self.task.batch_norm == "batch")

    def _look(self) -> None:
        """Evaluate the centre twice: does it need a graph (a derivative inside forward), do buffers move, is anything random?"""
        self.buffers_move = False
        with kept_randomness():
            try:
                before = self.loss_at(0.0, 0.0)
            except RuntimeError:
                self.needs_graph = True
                before = self.loss_at(0.0, 0.0)
            self.buffers_move = any(not _same(buffer, kept) for buffer, kept in self.buffers)
            if self.buffers_move:
                self._restore_buffers()
            again = self.loss_at(0.0, 0.0)
        if before != again and not (math.isnan(before) and math.isnan(again)):
            self.is_random = True
            self.task.said.append("The model draws random numbers: the same seed was set before every point.")

    def losses(self, points: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the losses of ``points``, shape ``(points, 2)``, one by one."""
        with kept_randomness():
            for index, (first, second) in enumerate(points.tolist()):
                yield index, np.array([self.loss_at(first, second)])

    def move_to(self, first: float, second: float) -> None:
        """Write the weights of one point into the copy."""
        if self.row[0] != second:  # a grid goes along its rows: what they share is added once
            self.row = (second, self.centre + second * self.second if second else self.centre)
        torch.add(self.row[1], self.first, alpha=first, out=self.now)
        for parameter, part in self.apart:
            parameter.copy_(part)
        if self.task.buffers is not None:
            start, end = self.task.buffers
            for name, buffer in self.twin.named_buffers():
                buffer.copy_(torch.lerp(start[name], end[name], first) if buffer.is_floating_point() else start[name])

    def loss_at(self, first: float, second: float) -> float:
        """Return the loss at one point; ``inf`` and ``nan`` are answers."""
        with torch.set_grad_enabled(self.needs_graph):
            with torch.no_grad():
                self.move_to(first, second)
            if self.is_random:
                torch.manual_seed(0)
            if self.task.batch_norm == "recalibrate":
                self._recalibrate()
            total = 0.0
            for batch, weight in zip(self.task.batches, self.weights, strict=True):
                total += weight * float(loss_on(self.twin, self.task.loss, batch).detach())
            if self.buffers_move:
                self._restore_buffers()
        return total

    def _restore_buffers(self) -> None:
        for buffer, kept in self.buffers:
            buffer.copy_(kept)

    def _recalibrate(self) -> None:
        """Estimate the statistics of every normalisation anew: the plain mean over the batches."""
        for norm in self.norms:
            norm.reset_running_stats()
            norm.momentum = None  # None is torch's word for the plain mean
            norm.train()
        for batch in self.task.batches:
            loss_on(self.twin, self.task.loss, batch)
        for norm in self.norms:
            norm.eval()


@contextlib.contextmanager
def kept_randomness() -> Iterator[None]:
    """Put torch's generators back at the end."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []):
        yield


def gradient_at(model: nn.Module, loss: Any, batches: Sequence[Batch], flat: Tensor) -> tuple[float, Tensor]:
    """Return loss and flat gradient at the weights ``flat``, dropout off and stored statistics; the model stays as it was."""
    sizes = sizes_of(batches)
    total, gradient = 0.0, torch.zeros_like(flat)
    with working_copy(model) as twin, torch.enable_grad(), kept_randomness():
        twin.eval()
        parameters = list(twin.parameters())
        for parameter, part in zip(parameters, unflatten(flat.detach().clone(), twin), strict=True):
            parameter.data = part.to(parameter.dtype)
            parameter.requires_grad_(True)
        for batch, size in zip(batches, sizes, strict=True):
            value = loss_on(twin, loss, batch)
            parts = torch.autograd.grad(value, parameters, allow_unused=True)
            zeros = [torch.zeros_like(parameter) if part is None else part for parameter, part in zip(parameters, parts, strict=True)]
            gradient.add_(torch.cat([part.reshape(-1) for part in zeros]), alpha=size / sum(sizes))
            total += float(value.detach()) * size / sum(sizes)
    return total, gradient


def losses_along(model: nn.Module, loss: Any, batches: Sequence[Batch], path: Tensor, *, batch_norm: BatchNormMode = "running", most: int = 200) -> np.ndarray:
    """Return the losses at the flat weights of each row of ``path``, at most at ``most`` rows spread over it; NaN at the others."""
    found = np.full(len(path), math.nan)
    centre = path[-1]
    task = Evaluator(model, loss, list(batches), centre, torch.zeros_like(centre), torch.zeros_like(centre), batch_norm=batch_norm)
    with working_copy(model) as twin, kept_randomness():
        plain = Pointwise(task, twin)
        for row in np.unique(np.linspace(0, len(path) - 1, min(most, len(path))).round().astype(int)).tolist():
            plain.row = (0.0, path[row].to(plain.dtype))
            found[row] = plain.loss_at(0.0, 0.0)
    return found


def _same(one: Tensor, other: Tensor) -> bool:
    return torch.equal(one, other) or bool(torch.equal(one.isnan(), other.isnan()) and torch.equal(one.nan_to_num(), other.nan_to_num()))
