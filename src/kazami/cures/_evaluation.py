"""What a model does when it is evaluated: other weights than those it is trained with, or statistics taken again. Training itself stays as it is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..maps import Training
from ..maps.training import Batch, needs_closure, untouched_randomness
from ._fresh import fresh, functions_called, if_it_goes
from ._surgery import Swap, with_model

MOST_BATCHES = 64
LOOKS = 20  # how often a run is evaluated to find the best weights


def is_evaluated(model: nn.Module) -> bool:
    """Return whether a forward that begins now is not one of training."""
    return not (model.training and torch.is_grad_enabled())


@dataclass(slots=True)
class OtherWeights:
    """Hooks that give a model other weights while it is evaluated.

    Args:
        change: Called with the model after each optimizer step; gives the weights to evaluate with, by name, or ``None`` for those before.
    """

    change: Callable[[nn.Module], dict[str, Tensor] | None]
    weights: dict[str, Tensor] = field(default_factory=dict)
    own: list[dict[str, Tensor]] = field(default_factory=list)
    is_off: bool = False

    def attach(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Hang the hooks on a model and its optimizer."""
        model.register_forward_pre_hook(self.begin)
        model.register_forward_hook(self.finish, always_call=True)
        optimizer.register_step_post_hook(lambda *_: self.look(model))

    def look(self, model: nn.Module) -> None:
        """Take up the weights after a step."""
        self.is_off = True
        try:
            self.weights = self.change(model) or self.weights
        finally:
            self.is_off = False

    def begin(self, model: nn.Module, arguments: Any) -> None:
        """Put the other weights in, if this is an evaluation."""
        del arguments
        used = self.weights if is_evaluated(model) and not self.is_off else {}
        self.own.append({name: tensor.detach().clone() for name, tensor in tensors_of(model).items() if name in used})
        _put(model, used)

    def finish(self, model: nn.Module, arguments: Any, output: Any) -> None:
        """Put the model's own weights back."""
        del arguments, output
        _put(model, self.own.pop())


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    """Return the floating-point parameters and buffers of a model by name."""
    named = (*model.named_parameters(), *model.named_buffers())
    return {name: tensor for name, tensor in named if tensor.is_floating_point()}


def _put(model: nn.Module, values: dict[str, Tensor]) -> None:
    tensors = tensors_of(model) if values else {}
    with torch.no_grad():
        for name in values.keys() & tensors.keys():
            tensors[name].copy_(values[name])


def with_other_weights(training: Training, make: Callable[[], Callable[[nn.Module], dict[str, Tensor] | None]]) -> Training | None:
    """Return the training whose model is evaluated with other weights; ``None`` for an optimizer that is not one of torch.

    Args:
        make: Makes the function that gives the weights after each step, anew for each model.
    """
    old = training.optimizer
    if not isinstance(fresh(training).optimizer, torch.optim.Optimizer):
        return None

    def changed(model: nn.Module) -> torch.optim.Optimizer:
        optimizer = old(model)
        OtherWeights(make()).attach(model, optimizer)
        return optimizer

    return if_it_goes(training.replaced(optimizer=changed))


@dataclass(slots=True)
class Averaged:
    r"""The exponential average :math:`\bar\theta_{t} = d\,\bar\theta_{t-1} + (1 - d)\,\theta_t` of parameters and buffers, begun at the first step.

    Args:
        decay: :math:`d`.
    """

    decay: float
    mean: dict[str, Tensor] = field(default_factory=dict)

    def __call__(self, model: nn.Module) -> dict[str, Tensor]:
        """Return the average with the weights of this step."""
        with torch.no_grad():
            for name, tensor in tensors_of(model).items():
                known = self.mean.get(name)
                self.mean[name] = tensor.detach().clone() if known is None else known.lerp_(tensor, 1 - self.decay)
        return self.mean


@dataclass(slots=True)
class Best:
    """The weights with the best score so far, looked for about twenty times in a run.

    Args:
        score: Of a model, higher is better.
        every: Steps between two looks.
    """

    score: Callable[[nn.Module], float]
    every: int
    best: float = float("-inf")
    n: int = 0

    def __call__(self, model: nn.Module) -> dict[str, Tensor] | None:
        """Return the weights of this step where they are the best ones."""
        self.n += 1
        if self.n % self.every:
            return None
        was_training = model.training
        with untouched_randomness():
            score = float(self.score(model))
        model.train(was_training)
        if not score > self.best:
            return None
        self.best = score
        return {name: tensor.detach().clone() for name, tensor in tensors_of(model).items()}


def with_best_weights(training: Training) -> Training | None:
    """Return the training whose model is evaluated with the weights that ``evaluate`` liked best; ``None`` without ``evaluate``."""
    score = training.evaluate
    if score is None or needs_closure(fresh(training).optimizer):
        return None
    return with_other_weights(training, lambda: Best(score, max(1, training.steps // LOOKS)))


@dataclass(slots=True)
class TakesStatisticsAgain:
    """A hook that takes the running statistics of batch normalisation again before an evaluation, if weights or statistics have moved since.

    Args:
        batches: As the training's own.
    """

    batches: Callable[[], Iterable[Batch]]
    seen: int = -1
    is_off: bool = False

    def __call__(self, model: nn.Module, arguments: Any) -> None:
        """Take them, as plain averages over at most 64 batches at the present weights."""
        del arguments
        if self.is_off or model.training or _version(model) == self.seen:
            self.seen = self.seen if self.is_off or not model.training else -1  # a pass in training moves the averages
            return
        self.is_off = True
        modes = [(module, module.training) for module in model.modules()]
        model.train()
        try:
            self._take(model)
        finally:
            for module, mode in modes:
                module.training = mode
            self.is_off, self.seen = False, _version(model)

    def _take(self, model: nn.Module) -> None:
        with untouched_randomness(), torch.no_grad():
            for number, (inputs, _) in enumerate(islice(self.batches(), MOST_BATCHES)):
                with Swap({F.batch_norm: _Averaging(1 / (number + 1))}):
                    model(inputs)


def _version(model: nn.Module) -> int:
    """Return a number that grows whenever a weight or a running average changes."""
    return sum(tensor._version for tensor in (*model.parameters(), *model.buffers()))


@dataclass(frozen=True, slots=True)
class _Averaging:
    """Batch normalisation that takes a batch into its running averages with a weight of its own."""

    weight: float

    def __call__(self, x: Tensor, mean: Tensor | None, variance: Tensor | None, *rest: Any, **keywords: Any) -> Tensor:
        """Normalise."""
        names = dict(zip(("weight", "bias", "training", "momentum", "eps"), rest, strict=False))
        return F.batch_norm(x, mean, variance, **{**names, **keywords, "momentum": self.weight})


def with_statistics_again(training: Training) -> Training | None:
    """Return the training whose model takes its running statistics again before evaluation; ``None`` where it normalises no batches."""
    if F.batch_norm not in functions_called(training):
        return None

    def change(model: nn.Module) -> None:
        model.register_forward_pre_hook(TakesStatisticsAgain(training.batches))

    return with_model(training, change)
