"""What an optimizer step did to the weights, on a sample of each layer's."""

import torch

from .layers import Sight
from .observables import sample
from .sharded import part_of

MOST_WEIGHTS = 2048  # of each layer


def remember_weights(sights: list[Sight]) -> None:
    """Copy a sample of each layer's weights, all by one call."""
    for sight, before in zip(sights, torch._foreach_mul([sample(sight.weight, MOST_WEIGHTS) for sight in sights], 1.0) if sights else (), strict=True):
        sight.before = before


def compare_weights(sights: list[Sight]) -> list[Sight]:
    """Give each layer whose weights are remembered their change since, and return these layers."""
    pairs = [(sight, sight.before) for sight in sights if sight.before is not None]
    if pairs:
        now = [sample(sight.weight, MOST_WEIGHTS) for sight, _ in pairs]
        for (sight, _), update in zip(pairs, torch._foreach_sub(now, [before for _, before in pairs]), strict=True):
            sight.update = update
    return [sight for sight, _ in pairs]


def predicted_change(sight: Sight) -> float:
    """Return the change of the loss that gradient and update foretell, from the sampled weights."""
    if sight.gradient is None or sight.update is None or sight.gradient.shape != part_of(sight.weight).shape:
        return 0.0
    gradient = sample(sight.gradient, MOST_WEIGHTS)
    return float((gradient.float() * sight.update.float()).sum()) if gradient.shape == sight.update.shape else 0.0
