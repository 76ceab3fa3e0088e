"""A training made of factories: everything needed to start the same training again, bit for bit."""

import inspect
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Batch = tuple[Any, Any]


@dataclass(slots=True)
class TrainingRun:
    """What one run of a `Training` left behind.

    Attributes:
        model: The trained module.
        optimizer: The optimizer with its state.
        losses: One loss per optimizer step, in the loss's own unit.
        score: ``evaluate(model)`` after the last step, higher is better; ``None`` without ``evaluate``.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    losses: list[float] = field(default_factory=list)
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training as factories; the plain loop over them is :meth:`run`.

    Args:
        model: ``make_model() -> nn.Module``.
        optimizer: ``make_optimizer(model) -> torch.optim.Optimizer``.
        loss: ``loss_fn(output, target) -> 0-d tensor``.
        batches: ``make_batches() -> iterable of (inputs, target)``, the same each time it is called. A tuple as inputs is one argument; the
            target may be ``None``. An iterable shorter than ``steps`` is started again.
        steps: Number of optimizer steps.
        scheduler: ``make_scheduler(optimizer)``, stepped after every optimizer step.
        evaluate: ``fn(model) -> float``, higher is better.
        seed: Seeds torch, numpy and random before the model is made.
        clip_grad_norm: Largest total gradient norm, or ``None``.
        zero_grad: ``False`` leaves the gradients of earlier steps in place.
        train_step: ``fn(model, optimizer, batch) -> loss``: the user's own step where it differs from the default one.

    Example:
        >>> t = Training(model=lambda: nn.Linear(1, 1), optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1), loss=nn.functional.mse_loss,
        ...              batches=lambda: [(torch.ones(4, 1), torch.zeros(4, 1))], steps=50)
        >>> t.run().losses[-1] < 1e-6
        True
    """

    model: Callable[..., nn.Module]
    optimizer: Callable[[nn.Module], torch.optim.Optimizer]
    loss: Callable[[Any, Any], Tensor]
    batches: Callable[[], Iterable[Batch]]
    steps: int
    scheduler: Callable[[torch.optim.Optimizer], Any] | None = None
    evaluate: Callable[[nn.Module], float] | None = None
    seed: int = 0
    clip_grad_norm: float | None = None
    zero_grad: bool = True
    train_step: Callable[[nn.Module, torch.optim.Optimizer, Batch], Tensor] | None = None

    def replaced(self, **changes: Any) -> "Training":
        """Return a copy with some arguments changed."""
        return replace(self, **changes)

    def start(self) -> TrainingRun:
        """Seed all generators, make model and optimizer, and return them before the first step."""
        random.seed(self.seed)
        np.random.seed(self.seed % 2**32)
        torch.manual_seed(self.seed)
        model = self.model()
        return TrainingRun(model=model, optimizer=self.optimizer(model))

    def run(self, *, steps: int | None = None, before: Callable[[TrainingRun], None] | None = None) -> TrainingRun:
        """Train from the factories.

        Args:
            steps: Number of optimizer steps; all of ``self.steps`` by default.
            before: Called with model and optimizer before the first step (to attach a watch).
        """
        state = self.start()
        scheduler = self.scheduler(state.optimizer) if self.scheduler else None
        if before is not None:
            before(state)
        for batch in islice(self.endless_batches(), self.steps if steps is None else steps):
            state.losses.append(float(self.step(state.model, state.optimizer, batch)))
            if scheduler is not None:
                scheduler.step()
        if self.evaluate is not None:
            state.score = float(self.evaluate(state.model))
        return state

    def step(self, model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        """Take one optimizer step and return the detached loss."""
        if self.train_step is not None:
            return self.train_step(model, optimizer, batch).detach()
        inputs, target = batch

        def closure() -> Any:
            if self.zero_grad:
                optimizer.zero_grad()
            loss = self.loss(model(inputs), target)
            loss.backward()
            if self.clip_grad_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), self.clip_grad_norm)
            return loss

        if needs_closure(optimizer):
            return torch.as_tensor(optimizer.step(closure)).detach()
        loss: Tensor = closure()
        optimizer.step()
        return loss.detach()

    def endless_batches(self) -> Iterator[Batch]:
        """Yield the batches, from the start again whenever they end.

        Raises:
            ValueError: ``batches()`` gave no batch at all.
        """
        while True:
            empty = True
            for batch in self.batches():
                empty = False
                yield batch
            if empty:
                raise ValueError("Training needs at least one batch, but batches() gave none. Return an iterable of (inputs, target).")


@contextmanager
def untouched_randomness() -> Iterator[None]:
    """Give the global generators of torch, numpy and random their states back at the end: starting a training seeds them."""
    states = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def needs_closure(optimizer: torch.optim.Optimizer) -> bool:
    """Return whether ``optimizer.step`` must be given a closure (LBFGS)."""
    closure = inspect.signature(type(optimizer).step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty
