"""A model that answers with a slow copy of its weights while a step of the user's own asks it without gradients."""

from typing import Any

import torch
from torch import Tensor, nn

from ..maps import Training
from ._fresh import goes
from ._surgery import with_model, with_step


class SlowAnswers:
    """Two hooks: without gradients, and only inside of a step, a module's forward runs with the slow copy.

    Args:
        rate: By which share of the way the copy follows after each step.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._slow: dict[str, Tensor] = {}
        self._own: dict[str, Tensor] = {}
        self.is_open, self.answers = False, 0

    def attach(self, model: nn.Module) -> None:
        """Hang the hooks on a model."""
        self._slow = {name: p.detach().clone() for name, p in model.named_parameters()}
        model.register_forward_pre_hook(self.begin)
        model.register_forward_hook(self.finish, always_call=True)

    def begin(self, model: nn.Module, arguments: Any) -> None:
        """Put the copy in place."""
        del arguments
        if not self.is_open or torch.is_grad_enabled() or self._own:
            return
        self.answers += 1
        for name, parameter in model.named_parameters():
            self._own[name], parameter.data = parameter.data, self._slow[name]

    def finish(self, model: nn.Module, arguments: Any, output: Any) -> None:
        """Put the weights back."""
        del arguments, output
        if torch.is_grad_enabled():
            return
        for name, parameter in model.named_parameters():
            if name in self._own:
                parameter.data = self._own.pop(name)

    def follow(self, model: nn.Module) -> None:
        """Move the copy towards the weights."""
        for name, parameter in model.named_parameters():
            self._slow[name].lerp_(parameter.detach(), self._rate)


NAME = "kazami_slow_answers"


def with_slow_targets(training: Training, rate: float) -> Training | None:
    """Return the training whose targets are made by a slow copy; ``None`` without a step of its own, or where that never asks without gradients.

    Args:
        rate: By which share of the way the copy follows after each step.
    """
    if training.train_step is None:
        return None
    answered: list[int] = []

    def change(model: nn.Module) -> None:
        slow = SlowAnswers(rate)
        slow.attach(model)
        object.__setattr__(model, NAME, slow)

    def step(before: Training, model: nn.Module, optimizer: torch.optim.Optimizer, batch: Any) -> Tensor:
        slow: SlowAnswers = getattr(model, NAME)
        slow.is_open = True
        try:
            loss = before.step(model, optimizer, batch)
        finally:
            slow.is_open = False
        slow.follow(model)
        answered.append(slow.answers)
        return loss

    changed = with_step(with_model(training, change), step)
    return changed if goes(changed) and answered and answered[-1] > 0 else None
