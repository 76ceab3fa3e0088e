"""Optimizer steps announced from outside: those of optimizers that are not torch's, so that no hook of torch tells of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import torch
from torch import Tensor

from ..errors import UsageError


class Announcements(Protocol):
    """Tells the listeners what hooks tell of torch's own optimizers."""

    def __call__(self, method: str, *arguments: Any) -> None:
        """Tell ``method`` of `~kazami.watch.hooks.Listener`, with its arguments."""


class AnnouncedOptimizer(torch.optim.Optimizer):
    """Stands for an optimizer that is not torch's; its class bears that one's name. It knows parameters, settings and state, and never steps itself.

    Args:
        parameters: What the optimizer moves.
        settings: Its settings under the names that torch has for them, ``lr`` at least.
    """

    def __init__(self, parameters: Iterable[Tensor], settings: Mapping[str, Any]) -> None:
        super().__init__(list(parameters), dict(settings))

    def step(self, closure: Any = None) -> Any:
        """Refuse: whoever announces the steps takes them.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f"{type(self).__name__} takes its steps elsewhere; this object only tells kazami of them.")


def announced_optimizer(name: str, parameters: Iterable[Tensor], settings: Mapping[str, Any]) -> AnnouncedOptimizer:
    """Return what stands for an optimizer of another library.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(2))
        >>> type(announced_optimizer("Ftrl", [weight], {"lr": 0.1})).__name__
        'Ftrl'
    """
    named: type[AnnouncedOptimizer] = type(name, (AnnouncedOptimizer,), {})
    return named(parameters, settings)


def announce_begin(tell: Announcements, optimizer: AnnouncedOptimizer, gradients: Mapping[Tensor, Tensor]) -> None:
    """Announce a step that is about to use ``gradients``; the parameters' own ``.grad`` may be others (before clipping, scaled), and stay what they are."""
    with _lent(gradients):
        tell("step_begins", optimizer)


def announce_end(tell: Announcements, optimizer: AnnouncedOptimizer) -> None:
    """Announce that the weights have moved."""
    tell("step_ended", optimizer)


def announce_clipping(tell: Announcements, before: Callable[[], Tensor], limit: float) -> None:
    """Announce that gradients were clipped.

    Args:
        before: Gives the total norm before; called only where it is recorded.
        limit: Of the total norm; NaN where it is not the total norm that is limited.
    """
    tell("clipped", before, limit)


@contextmanager
def _lent(gradients: Mapping[Tensor, Tensor]) -> Iterator[None]:
    """Have the parameters bear these gradients for as long as the context is open."""
    own = [(parameter, parameter.grad) for parameter, gradient in gradients.items() if parameter.grad is not gradient]
    try:
        for parameter, _ in own:
            with suppress(RuntimeError, TypeError):  # of another shape or device: then its own is the nearest there is
                parameter.grad = gradients[parameter].detach().to(parameter.dtype)
        yield
    finally:
        for parameter, gradient in own:
            parameter.grad = gradient
