"""Changes at a training's loss, its data and its schedule."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..maps import Training
from ..maps.training import untouched_randomness
from ._fresh import if_it_goes
from ._order import FUNCTIONS
from ._surgery import ChangedInputs, ChangedOutput, SwapsWhileForward, with_model

LEAST_STD = 1e-8


def with_reshaped(training: Training, side: str, call: str) -> Training | None:
    """Return the training whose loss gets the output, or the target, in another shape.

    Args:
        side: ``"output"`` or ``"target"``.
        call: What is called on it, as a prescription writes it: ``squeeze(-1)``, ``view_as(output)``, ``expand_as(output)``.
    """
    if training.train_step is not None:
        return None
    name, _, argument = call.rstrip(")").partition("(")
    if name not in ("squeeze", "unsqueeze", "view_as", "expand_as"):
        return None
    loss = training.loss

    def reshaped(output: Tensor, target: Tensor) -> Tensor:
        changed, other = (output, target) if side == "output" else (target, output)
        changed = getattr(changed, name)(other if name.endswith("_as") else int(argument))
        return loss(changed, target) if side == "output" else loss(output, changed)

    return if_it_goes(training.replaced(loss=reshaped))


def with_standardised_inputs(training: Training, smallest_std: float) -> Training | None:
    """Return the training whose model standardises its floating-point inputs by mean and spread over one pass of the batches, per feature or channel.

    Args:
        smallest_std: Features that spread less are divided by this.
    """
    with untouched_randomness():
        inputs = [batch for batch, _ in training.batches()]
    if not inputs or not all(isinstance(one, Tensor) and one.is_floating_point() and one.dim() >= 2 for one in inputs):
        return None
    seen = torch.cat(inputs)
    # Images (N, C, H, W) have one mean per channel; rows (N, F) and sequences (N, T, F) one per feature.
    axes = [0, *range(2, seen.dim())] if seen.dim() >= 4 else list(range(seen.dim() - 1))
    mean, std = seen.mean(axes, keepdim=True), seen.std(axes, keepdim=True).clamp_min(max(smallest_std, LEAST_STD))
    if not bool(torch.isfinite(mean).all() & torch.isfinite(std).all()):
        return None

    def change(model: nn.Module) -> None:
        model.register_forward_pre_hook(ChangedInputs(lambda x: (x - mean) / std))

    return if_it_goes(with_model(training, change))


def with_standardised_targets(training: Training, mean: float, std: float) -> Training | None:
    """Return the training that learns (target − mean) / std; the model turns its outputs back, so that whoever evaluates it sees the old unit."""
    if training.train_step is not None or not std > 0:
        return None
    loss = training.loss

    def change(model: nn.Module) -> None:
        model.register_forward_hook(ChangedOutput(lambda output: output * std + mean))

    def standardised(output: Tensor, target: Tensor) -> Tensor:
        return loss((output - mean) / std, (target - mean) / std)

    return if_it_goes(with_model(training, change).replaced(loss=standardised))


def without_last_activation(training: Training, activation: str) -> Training | None:
    """Return the training whose model does not call its last ``activation``, where nothing with weights comes after it; ``None`` where it calls none."""
    functions = set(FUNCTIONS.get(activation, ()))
    calls = _calls_of(training, functions)
    if not calls:
        return None
    last = calls - 1
    return with_model(training, SwapsWhileForward(dict.fromkeys(functions, _unchanged), (last,)).attach)


def _unchanged(x: Any, *_: Any, **__: Any) -> Any:
    return x


def _calls_of(training: Training, functions: set[Any]) -> int:
    from ._order import layers_before

    return len(layers_before(training, functions))


class FlooredRates:
    """A schedule whose rates do not fall below a floor.

    Args:
        optimizer: Its rates are set.
        schedule: The schedule as it was.
        floor: Lowest rate of the first parameter group; the others keep their ratio to it.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, schedule: Any, floor: float) -> None:
        self._optimizer, self._schedule = optimizer, schedule
        first = optimizer.param_groups[0]["lr"] or 1.0
        self._floors = [floor * group["lr"] / first for group in optimizer.param_groups]
        self._rates = [group["lr"] for group in optimizer.param_groups]

    def step(self) -> None:
        """Go on by one optimizer step."""
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate  # the schedule shall see its own rate
        self._schedule.step()
        self._rates = [group["lr"] for group in self._optimizer.param_groups]
        for group, floor in zip(self._optimizer.param_groups, self._floors, strict=True):
            group["lr"] = max(group["lr"], floor)


class RareSteps:
    """A schedule that is stepped once for several optimizer steps.

    Args:
        schedule: The schedule as it was.
        every: Optimizer steps to one of its steps.
    """

    def __init__(self, schedule: Any, every: int) -> None:
        self._schedule, self._every, self._n = schedule, every, 0

    def step(self) -> None:
        """Go on by one optimizer step."""
        self._n += 1
        if self._n % self._every == 0:
            self._schedule.step()


def with_schedule_floor(training: Training, floor: float) -> Training | None:
    """Return the training whose schedule has a floor; ``None`` where it has no schedule."""
    make = training.scheduler
    return None if make is None else training.replaced(scheduler=lambda optimizer: FlooredRates(optimizer, make(optimizer), floor))


def with_rare_schedule(training: Training) -> Training | None:
    """Return the training whose schedule is stepped once a pass of its batches (at least once in ten steps); ``None`` where it has no schedule."""
    make = training.scheduler
    if make is None:
        return None
    every = max(sum(1 for _ in training.batches()), 10)
    return training.replaced(scheduler=lambda optimizer: RareSteps(make(optimizer), every))


FITTING_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "binary_cross_entropy(output, target)": lambda output, target: F.binary_cross_entropy(output, target),
    "nll_loss(torch.log(output.clamp_min(1e-7)), target)": lambda output, target: F.nll_loss(torch.log(output.clamp_min(1e-7)), target),
    "cross_entropy(output, target)": lambda output, target: F.cross_entropy(output, target),
    "nll_loss(F.log_softmax(logits, dim=-1), target)": lambda output, target: F.cross_entropy(output, target),
}
