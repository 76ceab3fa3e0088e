"""A training run with its path recorded, thinned while it goes so that it always fits in memory."""

from collections.abc import Sequence
from itertools import islice

import torch
from torch import Tensor, nn

from ..maps import Training
from ..maps.training import TrainingRun
from .weights import Batch, called, flat_weights

MOST_NUMBERS = 2**26  # of a path: 256 MiB in float32
MOST_BATCHES = 16


def recorded(training: Training, *, steps: int | None = None, most_numbers: int = MOST_NUMBERS) -> tuple[nn.Module, Tensor, list[int]]:
    """Run a training and return the trained model, its path and the steps of the path's rows.

    Args:
        training: What to run.
        steps: Optimizer steps, all of the training's by default.
        most_numbers: The largest path; a longer one keeps every second, fourth, … step, and always the first and the last.

    Returns:
        The model; flat weights, shape ``(recorded steps, weights)``, row 0 before the first step; the step of each row.
    """
    n_steps = training.steps if steps is None else steps
    rows: list[Tensor] = []
    at: list[int] = []

    def keep(state: TrainingRun) -> None:
        rows.append(flat_weights(state.model))
        at.append(0)
        stride = max(1, -(-n_steps * len(rows[0]) // most_numbers))

        def look(optimizer: torch.optim.Optimizer, args: object, kwargs: object) -> None:
            del optimizer, args, kwargs
            taken[0] += 1
            if taken[0] % stride == 0 or taken[0] == n_steps:
                rows.append(flat_weights(state.model))
                at.append(taken[0])

        taken = [0]
        state.optimizer.register_step_post_hook(look)

    run = training.run(steps=n_steps, before=keep)
    return run.model, torch.stack(rows), at


def calibrated(model: nn.Module, batches: Sequence[Batch]) -> bool:
    """Estimate the BatchNorm statistics of ``model``, in place, as the plain mean over ``batches``; return whether there was one."""
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.track_running_stats]
    kept = [(norm.momentum, norm.training) for norm in norms]
    if not norms:
        return False
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # None is torch's word for the plain mean
        norm.train()
    with torch.no_grad():
        for inputs, _ in batches:
            called(model, inputs)
    for norm, (momentum, is_training) in zip(norms, kept, strict=True):
        norm.momentum = momentum
        norm.train(is_training)
    return True


def evaluation_batches(training: Training) -> list[Batch]:
    """Return the training's first batches, at most 16, on which a surface is evaluated."""
    return list(islice(iter(training.batches()), MOST_BATCHES))
