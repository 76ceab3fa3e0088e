"""The loss surface around a session's weights: a plane at random, towards the steepest curvature, or along its own path."""

import math
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn

from ..records import Sentence
from ..surfaces import surface
from .landscape_sights import Landscape
from .refusals import Refused
from .sessions import Session

PlaneName = Literal["random", "hessian", "pca"]
BUDGET: Final = 2e9  # multiplications for one surface: a second or two of one core
FINEST, COARSEST = 41, 13  # points along a side
LEAST_SAMPLES = 50


@dataclass(frozen=True, slots=True)
class Ground:
    """What a landscape is computed from, detached from the session: it goes on while the landscape is computed.

    Attributes:
        model: A copy.
        inputs: The training examples.
        targets: Their classes or numbers.
        path: Flat weights that the session went through, shape ``(moments, weights)``.
        step: Its step.
        seed: Of random directions.
    """

    model: nn.Module
    inputs: Tensor
    targets: Tensor
    path: Tensor
    step: int
    seed: int


def ground_of(session: Session) -> Ground:
    """Return a copy of all that a landscape needs."""
    import copy

    return Ground(copy.deepcopy(session.model), session.inputs, session.targets, session.trail.weights(), session.step, session.spec.seed)


def landscape(ground: Ground, plane: PlaneName) -> Landscape:
    """Compute the loss on a plane through the session's weights.

    The grid is as fine as the budget allows; where even the coarsest is too much, fewer examples are taken, and it is said.

    Args:
        ground: Of a session.
        plane: ``"random"`` (filter-normalised), ``"hessian"`` (its two leading eigenvectors) or ``"pca"`` (the two directions of most variance of the path).

    Raises:
        UsageError: A weight is not finite; the session has not moved enough to have a path; there is no such plane.
    """
    if not all(bool(torch.isfinite(weight).all()) for weight in ground.model.parameters()):
        raise Refused(
            "A weight is no longer a number, so there is no surface around it. Press reset.",
            "数でなくなった重みがあるため、その周りの地形は描けません。リセットしてください。",
        )
    if plane == "pca" and len(ground.path) < 3:
        raise Refused(
            "A plane along the path needs a training of some steps. Press Run, then ask again.",
            "経路に沿う平面には、数ステップの学習が必要です。実行してから、もう一度お試しください。",
        )
    weights = sum(weight.numel() for weight in ground.model.parameters())
    taken, side = _within_budget(weights, len(ground.inputs))
    loss = nn.functional.mse_loss if ground.targets.is_floating_point() else nn.functional.cross_entropy
    path = ground.path if plane == "pca" else None  # on other planes it would hang in the air
    found = surface(ground.model, loss, (ground.inputs[:taken], ground.targets[:taken]), plane, resolution=side, seed=ground.seed, trajectory=path)
    fewer = Sentence(
        f"Of {len(ground.inputs)} examples {taken} are counted, for speed.", f"速さのため、{len(ground.inputs)} 件のうち {taken} 件で計算しています。"
    )
    return Landscape(
        plane=plane,
        step=ground.step,
        a=tuple(found.a.tolist()),
        b=tuple(found.b.tolist()),
        values=tuple(value if math.isfinite(value) else None for value in found.values.reshape(-1).tolist()),
        labels=found.labels,
        path=tuple((a, b, height if math.isfinite(height) else None) for (a, b), height in zip(found.path.tolist(), found.path_losses.tolist(), strict=True)),
        finding=found.finding,
        hidden=found.hidden,
        said=(*found.said, *((fewer,) if taken < len(ground.inputs) else ())),
    )


def _within_budget(weights: int, samples: int) -> tuple[int, int]:
    """Return how many examples are taken, and how many points a side has.

    Example:
        >>> _within_budget(100, 200), _within_budget(1_000_000, 2000)
        ((200, 41), (50, 13))
    """
    taken = min(samples, max(LEAST_SAMPLES, int(BUDGET / (weights * COARSEST**2))))
    return taken, max(COARSEST, min(FINEST, math.isqrt(int(BUDGET / (weights * taken)))))
