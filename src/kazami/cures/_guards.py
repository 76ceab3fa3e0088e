"""What stands between backward and the optimizer's step: gradients that are left out or shortened, in the default step and in one of the user's own alike."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..maps import Training
from ..maps.training import needs_closure
from ._fresh import fresh

Guard = Callable[[torch.optim.Optimizer], None]


def with_guard(training: Training, make: Callable[[], Guard]) -> Training | None:
    """Return the training whose optimizer calls a guard before each step; ``None`` for an optimizer that takes a closure, or is not one of torch.

    Args:
        make: Makes the guard, anew for each optimizer.
    """
    old = training.optimizer
    before = fresh(training).optimizer
    if not isinstance(before, torch.optim.Optimizer) or needs_closure(before):
        return None

    def guarded(model: nn.Module) -> torch.optim.Optimizer:
        optimizer, guard = old(model), make()

        def look(optimizer: torch.optim.Optimizer, arguments: Any, keywords: Any) -> None:
            del arguments, keywords
            guard(optimizer)

        optimizer.register_step_pre_hook(look)
        return optimizer

    return training.replaced(optimizer=guarded)


@dataclass(slots=True)
class SkipsBadSteps:
    """Leaves a step out: gradients that are ``None`` move neither weights nor momentum.

    Args:
        max_norm: Largest total gradient norm of a step that is made; ``None`` for any that is finite.
    """

    max_norm: float | None

    def __call__(self, optimizer: torch.optim.Optimizer) -> None:
        """Look at the gradients."""
        norm = total_norm(optimizer)
        if not math.isfinite(norm) or (self.max_norm is not None and norm >= self.max_norm):
            for parameter in parameters_of(optimizer):
                parameter.grad = None


@dataclass(frozen=True, slots=True)
class Clips:
    """Clips the total norm of the gradients at ``max_norm``."""

    max_norm: float

    def __call__(self, optimizer: torch.optim.Optimizer) -> None:
        """Clip."""
        nn.utils.clip_grad_norm_(parameters_of(optimizer), self.max_norm)


@dataclass(slots=True)
class ClipsOutliers:
    r"""Clips a gradient whose norm stands more than ``z`` deviations above its exponential average to :math:`\mu + (z^2/z_t)\sigma` (ZClip, equations 2 to 6).

    Args:
        z: Deviations.
        alpha: Memory of the averages.
        mean: Of the norm, at the start.
        variance: The same.
    """

    z: float
    alpha: float
    mean: float
    variance: float

    def __call__(self, optimizer: torch.optim.Optimizer) -> None:
        """Clip, and take the norm as it is then into the averages."""
        norm = total_norm(optimizer)
        if not math.isfinite(norm):
            return
        deviation = math.sqrt(self.variance)
        z = (norm - self.mean) / deviation if deviation > 0 else 0.0
        clipped = self.mean + self.z**2 / z * deviation if z > self.z else norm
        if clipped < norm:
            for parameter in parameters_of(optimizer):
                if parameter.grad is not None:
                    parameter.grad.mul_(clipped / norm)
        self.variance = self.alpha * self.variance + (1 - self.alpha) * (clipped - self.mean) ** 2
        self.mean = self.alpha * self.mean + (1 - self.alpha) * clipped


@dataclass(slots=True)
class ClipsTensors:
    r"""Clips each tensor's gradient at :math:`\lambda` times the average of its own clipped norms (AdaGC, algorithm 1).

    In the first steps the total norm is clipped at ``start_norm`` instead, and a tensor's average is the least of its norms. A tensor whose gradients were
    all zero is left alone.

    Args:
        ratio: :math:`\lambda`.
        memory: Of the averages.
        start_steps: Steps of the beginning.
        start_norm: Largest total norm in them.
        means: Average by parameter.
        n: Steps taken.
    """

    ratio: float
    memory: float
    start_steps: int
    start_norm: float
    means: dict[int, float] = field(default_factory=dict)
    n: int = 0

    def __call__(self, optimizer: torch.optim.Optimizer) -> None:
        """Clip, and take the norms as they are then into the averages."""
        total = total_norm(optimizer)
        if not math.isfinite(total):
            return
        self.n += 1
        is_start = self.n <= self.start_steps
        for parameter in parameters_of(optimizer):
            if parameter.grad is None:
                continue
            norm, mean = float(parameter.grad.norm()), self.means.get(id(parameter), 0.0)
            limit = norm * self.start_norm / total if is_start and total > self.start_norm else self.ratio * mean if mean > 0 and not is_start else norm
            kept = min(limit, norm)
            if kept < norm:
                parameter.grad.mul_(kept / norm)
            if mean == 0.0:
                self.means[id(parameter)] = kept
            else:
                self.means[id(parameter)] = min(mean, kept) if is_start else self.memory * mean + (1 - self.memory) * kept


def parameters_of(optimizer: torch.optim.Optimizer) -> Iterable[Tensor]:
    """Return all parameters of an optimizer."""
    return (parameter for group in optimizer.param_groups for parameter in group["params"])


def total_norm(optimizer: torch.optim.Optimizer) -> float:
    """Return the norm of all gradients together."""
    gradients = [parameter.grad for parameter in parameters_of(optimizer) if parameter.grad is not None]
    return float(nn.utils.get_total_norm(gradients)) if gradients else 0.0
