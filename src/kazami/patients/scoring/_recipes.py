"""Short ways to write the parts of a scoring patient's training: optimizers, steps of the user's own, validation every so often."""

from collections.abc import Callable
from typing import Any, Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient

Optimizer = torch.optim.Optimizer
Loss = Callable[[Any, Any], Tensor]
Step = Callable[[nn.Module, Optimizer, Batch], Tensor]


def by(kind: Callable[..., Optimizer], **settings: Any) -> Callable[[nn.Module], Optimizer]:
    """Return a factory of an optimizer of this ``kind`` over all of a model's parameters."""
    return lambda model: kind(model.parameters(), **settings)


def sgd(lr: float, momentum: float = 0.0, **settings: Any) -> Callable[[nn.Module], Optimizer]:
    """Return a factory of plain or heavy-ball gradient descent."""
    return by(torch.optim.SGD, lr=lr, momentum=momentum, **settings)


def adam(lr: float, **settings: Any) -> Callable[[nn.Module], Optimizer]:
    """Return a factory of Adam."""
    return by(torch.optim.Adam, lr=lr, **settings)


def adamw(lr: float, **settings: Any) -> Callable[[nn.Module], Optimizer]:
    """Return a factory of AdamW."""
    return by(torch.optim.AdamW, lr=lr, **settings)


def step_on(objective: Callable[[nn.Module, Batch], Tensor], *, clip: float | None = None) -> Step:
    """Return an own step that descends on ``objective(model, batch)``."""

    def one_step(model: nn.Module, optimizer: Optimizer, batch: Batch) -> Tensor:
        optimizer.zero_grad()
        loss = objective(model, batch)
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        return loss

    return one_step


def with_validation(loss: Loss, x: Any, y: Any, *, every: int = 10, noise: float = 0.0) -> Step:
    """Return the usual step, followed every so often by a pass over held-out rows in eval mode without gradients.

    Args:
        loss: The training's loss.
        x: Held-out inputs.
        y: Held-out targets.
        every: Steps from one look to the next.
        noise: Standard deviation of the noise laid over the training inputs (augmentation).
    """
    taken: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()

    def one_step(model: nn.Module, optimizer: Optimizer, batch: Batch) -> Tensor:
        inputs, target = batch
        if noise > 0:
            inputs = inputs + noise * torch.randn_like(inputs)
        optimizer.zero_grad()
        value = loss(model(inputs), target)
        value.backward()
        optimizer.step()
        taken[model] = taken.get(model, 0) + 1
        if taken[model] % every == 0:
            model.eval()
            with torch.no_grad():
                loss(model(x), y)
            model.train()
        return value

    return one_step


def half_step(loss: Callable[[nn.Module, Batch], Tensor], *, scale: float = 1.0, guarded: bool = True) -> Step:
    """Return a step whose forward pass runs under fp16 autocast and whose loss is multiplied by a fixed ``scale``, undone before the update.

    Args:
        loss: The objective.
        scale: The loss scale.
        guarded: Whether a step with non-finite gradients is skipped.
    """

    def one_step(model: nn.Module, optimizer: Optimizer, batch: Batch) -> Tensor:
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16):
            value = loss(model, batch)
        (value * scale).backward()
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        for grad in grads:
            grad.div_(scale)
        if not guarded or all(bool(torch.isfinite(grad).all()) for grad in grads):
            optimizer.step()
        return value

    return one_step


def healthy(name: str, make: Callable[[], Training], good: float, family: str, task: Literal["classification", "regression"], *, near: bool = True) -> Patient:
    """Return a healthy patient; ``near``: it shows a symptom of the textbooks all the same."""
    return Patient(name=name, label=None, family=family, task=task, training=make, good=good, near_boundary=near)


def ill(name: str, label: str, family: str, task: Any, sick: Callable[[], Training], well: Callable[[], Training], good: float, *also: str) -> Patient:
    """Return an ill patient: ``sick`` and ``well`` make its training and the healed twin, ``also`` names what is true besides."""
    return Patient(name=name, label=label, family=family, task=task, training=sick, healed=well, good=good, also_true=frozenset(also))
