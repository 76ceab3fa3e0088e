"""Cuts between parameters and loss inside of a model's forward: ``detach()``, ``.data`` and ``no_grad`` that let gradients through."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..maps import Training
from ._fresh import goes
from ._layers import ModeWhileForward
from ._surgery import with_model

DETACHING = (Tensor.detach, Tensor.detach_, torch.detach, torch.detach_, Tensor.data.__get__)  # type: ignore[attr-defined]
NO_GRAD = -1  # the number of what runs without gradients, as one cut
MOST_CUTS = 16  # looked at one by one


class LetsThrough(TorchFunctionMode):
    """Does not cut.

    Args:
        cuts: Numbers of the calls that do not detach, counted from 0 within one forward, and -1 for all that is computed under ``no_grad``.
        seen: Called with the number of each cut.
    """

    def __init__(self, cuts: Iterable[int], seen: Callable[[int], None] = lambda number: None) -> None:
        super().__init__()
        self._cuts, self._seen, self._n = frozenset(cuts), seen, 0
        self._is_training = torch.is_grad_enabled()

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Make the call, with gradients."""
        del types
        keywords = keywords or {}
        if not self._is_training:
            return function(*arguments, **keywords)
        if function in DETACHING:
            self._n += 1
            self._seen(self._n - 1)
            return arguments[0] if self._n - 1 in self._cuts else function(*arguments, **keywords)
        name = getattr(function, "__name__", "_")
        # In place: running averages, no signals. The switch itself is a call as well: leaving ``no_grad`` must not be undone.
        if torch.is_grad_enabled() or name.endswith(("_", "set_grad_enabled")) or "out" in keywords:
            return function(*arguments, **keywords)
        self._seen(NO_GRAD)
        with torch.set_grad_enabled(NO_GRAD in self._cuts):
            return function(*arguments, **keywords)


def reached(training: Training, names: Iterable[str], mode: Callable[[], TorchFunctionMode]) -> set[str]:
    """Return which parameters the first backward reaches with a mode in the model's forward."""
    found: set[str] = set()
    wanted = set(names)

    def listen(model: nn.Module) -> None:
        for name, parameter in model.named_parameters():
            if name in wanted and parameter.requires_grad:
                parameter.register_hook(lambda gradient, name=name: found.add(name))
        ModeWhileForward(lambda running: mode()).attach(model)

    loss = training.loss
    listening = with_model(training, listen)
    if training.train_step is None:
        listening = listening.replaced(loss=lambda output, target: loss(output, target).backward())
    goes(listening)
    return found


def with_gradients_let_through(training: Training, names: Iterable[str]) -> Training | None:
    """Return the training whose forward does not cut these parameters off from the loss; ``None`` where no cut of it does.

    Limits:
        Of several cuts those are taken away that alone bring a gradient to one of the parameters, or all where none alone does. Conversions to numpy or to
        numbers of Python stay cuts.
    """
    lost, cuts = set(names), set[int]()
    known = reached(training, lost, lambda: LetsThrough((), cuts.add))
    single = sorted(cuts) if len(cuts) <= MOST_CUTS else []
    helpful = {cut for cut in single if reached(training, lost, partial(LetsThrough, (cut,))) - known}
    chosen = frozenset(helpful or cuts)
    if not chosen or not reached(training, lost, lambda: LetsThrough(chosen)) - known:
        return None
    return with_model(training, ModeWhileForward(lambda running: LetsThrough(chosen)).attach)
