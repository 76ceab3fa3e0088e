"""Functions exchanged in a whole training: in the model's forward, in the loss, or in a step of the user's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..maps import Training
from ..maps.training import Batch
from ._fresh import functions_called
from ._layers import ModeWhileForward
from ._surgery import Swap, with_model

MakeMode = Callable[[], TorchFunctionMode]


@dataclass(frozen=True, slots=True)
class LossInMode:
    """A loss inside of which a mode is active.

    Args:
        loss: As it was.
        make: Makes the mode, anew for each call.
    """

    loss: Callable[[Any, Any], Tensor]
    make: MakeMode

    def __call__(self, output: Any, target: Any) -> Tensor:
        """Return the loss."""
        with self.make():
            return self.loss(output, target)


@dataclass(frozen=True, slots=True)
class StepInMode:
    """A step of the user's own inside of which a mode is active.

    Args:
        step: As it was.
        make: Makes the mode, anew for each step.
    """

    step: Callable[[nn.Module, torch.optim.Optimizer, Batch], Tensor]
    make: MakeMode

    def __call__(self, model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        """Return the loss."""
        with self.make():
            return self.step(model, optimizer, batch)


def with_mode(training: Training, make: MakeMode) -> Training:
    """Return the training in whose forward and loss a mode is active; where its step is its own, in that whole step.

    Args:
        make: Makes the mode. It is asked for each forward and each loss.
    """
    changed = with_model(training, ModeWhileForward(lambda running: make()).attach)
    if training.train_step is not None:
        return changed.replaced(train_step=StepInMode(training.train_step, make))
    return changed.replaced(loss=LossInMode(training.loss, make))


def with_swapped(training: Training, other: Mapping[Any, Callable[..., Any]]) -> Training | None:
    """Return the training that calls other functions in the place of some; ``None`` where its first step calls none of them."""
    if not functions_called(training) & set(other):
        return None
    return with_mode(training, lambda: Swap(other))
