"""A training with some of its parts changed: other fields, other keywords of its factories, other settings of its optimizer's groups, other batches."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError, unknown_name
from ..maps import Training
from ..maps._settings import Settings

FACTORIES = ("model", "optimizer", "batches", "loss", "scheduler", "evaluate", "train_step")
REQUIRED_ARGUMENTS = MappingProxyType({"model": 0, "optimizer": 1, "batches": 0, "loss": 2, "scheduler": 1, "evaluate": 1, "train_step": 3})
LOSSES = MappingProxyType({"mse": "mse_loss", "mae": "l1_loss", "bce": "binary_cross_entropy_with_logits", "huber": "huber_loss", "nll": "nll_loss"})


@dataclass(frozen=True, slots=True)
class Bound:
    """A factory with some of its keyword arguments given.

    Attributes:
        factory: The user's own.
        keywords: What it is given beside its arguments.
    """

    factory: Callable[..., Any]
    keywords: Mapping[str, Any]

    def __call__(self, *arguments: Any) -> Any:
        """Call the factory."""
        return self.factory(*arguments, **self.keywords)


@dataclass(frozen=True, slots=True)
class WithSettings:
    """An optimizer factory whose groups get other settings, numbers or not.

    Attributes:
        factory: The user's own.
        settings: By torch's names (``"nesterov"``), or with the group's number behind (``"nesterov[1]"``).
    """

    factory: Callable[[nn.Module], torch.optim.Optimizer]
    settings: Mapping[str, Any]

    def __call__(self, model: nn.Module) -> torch.optim.Optimizer:
        """Make the optimizer and write the settings."""
        optimizer = self.factory(model)
        for name, value in self.settings.items():
            word, _, index = name.partition("[")
            for group in [optimizer.param_groups[int(index[:-1])]] if index else optimizer.param_groups:
                group[word] = value
        return optimizer


@dataclass(frozen=True, slots=True)
class Preset:
    """An optimizer factory whose groups begin with other numbers, in `TrainingMap`'s words: those of a block whose members all keep another memory.

    Attributes:
        factory: The user's own.
        numbers: ``{"momentum": 0.9}``, ``{"learning_rate[1]": 0.1}`` …
    """

    factory: Callable[[nn.Module], torch.optim.Optimizer]
    numbers: Mapping[str, float]

    def __call__(self, model: nn.Module) -> torch.optim.Optimizer:
        """Make the optimizer and write the numbers."""
        optimizer = self.factory(model)
        settings = Settings(lambda: optimizer, None)
        for name, value in self.numbers.items():
            settings.change(name, value)
        return optimizer


@dataclass(frozen=True, slots=True)
class Rebatched:
    """The same examples in batches of another size: one pass over the training's own batches, in their order, cut anew.

    Attributes:
        batches: The user's own factory.
        size: Examples a batch; the last one of a pass may be smaller.
    """

    batches: Callable[[], Any]
    size: int

    def __call__(self) -> Iterator[tuple[Any, Any]]:
        """Yield the batches.

        Raises:
            UsageError: The batches are no tensors of examples.
        """
        kept: list[tuple[Tensor, Tensor | None]] = []
        for inputs, target in self.batches():
            if not isinstance(inputs, Tensor) or not (target is None or (isinstance(target, Tensor) and len(target) == len(inputs))):
                raise UsageError(
                    "batch_size should cut batches of one tensor of inputs and one of targets anew, but these batches are of another kind. Give the batches "
                    "factory a keyword batch_size of its own."
                )
            kept.append((inputs, target))
        inputs = torch.cat([one for one, _ in kept])
        targets = None if kept[0][1] is None else torch.cat([one for _, one in kept if one is not None])
        for begin in range(0, len(inputs), self.size):
            place = slice(begin, begin + self.size)
            yield inputs[place], None if targets is None else targets[place]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a variant changes in a training; hashable by `key`.

    Attributes:
        fields: Fields of the training: ``clip_grad_norm``, ``loss`` …
        keywords: Of each factory, by the factory's name.
        settings: Settings of the optimizer's groups that are no numbers, or change what it remembers.
        batch_size: Of batches cut anew.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    keywords: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int | None = None

    def of(self, training: Training) -> Training:
        """Return the training with the changes.

        Raises:
            UsageError: A value is of the wrong kind.
        """
        changed = training.replaced(**{name: field_value(name, value, training) for name, value in self.fields.items()})
        bound = {name: Bound(getattr(changed, name), dict(keywords)) for name, keywords in self.keywords.items() if keywords}
        changed = changed.replaced(**bound)
        if self.settings:
            changed = changed.replaced(optimizer=WithSettings(changed.optimizer, dict(self.settings)))
        if self.batch_size is not None:
            changed = changed.replaced(batches=Rebatched(changed.batches, self.batch_size))
        return changed


def field_value(name: str, value: Any, training: Training) -> Any:
    """Return the value of a training's field, where a name may stand for a loss or an optimizer of torch.

    Raises:
        UsageError: It is of another kind than the field.
    """
    if name == "loss" and isinstance(value, str):
        return _loss_named(value)
    if name == "optimizer" and isinstance(value, str):
        return NamedOptimizer(_optimizer_named(value), training.optimizer)
    if name in FACTORIES and value is not None and not callable(value):
        raise UsageError(f"The values of {name} should be functions, as the {name} of a kazami.Training is, but one of them is {value!r}.")
    if name == "steps" and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise UsageError(f"The values of steps should be whole numbers from 1 on, but one of them is {value!r}.")
    return value


@dataclass(frozen=True, slots=True)
class NamedOptimizer:
    """An optimizer of torch over the parameters and learning rates of the training's own groups, its other settings torch's defaults.

    Attributes:
        kind: The class.
        factory: The user's own, whose groups are taken.
    """

    kind: type[torch.optim.Optimizer]
    factory: Callable[[nn.Module], torch.optim.Optimizer]

    def __call__(self, model: nn.Module) -> torch.optim.Optimizer:
        """Make the optimizer."""
        own = self.factory(model)
        groups = [{"params": group["params"], "lr": group["lr"]} for group in own.param_groups]
        made: Any = self.kind
        optimizer: torch.optim.Optimizer = made(groups, lr=groups[0]["lr"])
        return optimizer


def accepted_keywords(factory: Any, own_arguments: int) -> tuple[dict[str, Any], bool]:
    """Return the keywords that ``factory`` takes beside its own arguments, with their defaults, and whether it takes any others (``**keywords``).

    >>> accepted_keywords(lambda model, width=8, *, depth=2: None, 1)
    ({'width': 8, 'depth': 2}, False)
    """
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (ValueError, TypeError):  # a builtin without a signature
        return {}, False
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    taken = {one.name for one in positional[:own_arguments]}
    named = {one.name: one.default for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) and one.name not in taken}
    return named, any(one.kind is one.VAR_KEYWORD for one in parameters)


def _loss_named(name: str) -> Any:
    word = LOSSES.get(name, name)
    known = {each for each in dir(nn.functional) if each.endswith(("_loss", "_entropy", "_with_logits", "_div"))}
    if word not in known:
        raise unknown_name("loss in torch.nn.functional", name, {*known, *LOSSES})
    return getattr(nn.functional, word)


def _optimizer_named(name: str) -> type[torch.optim.Optimizer]:
    known = {key: kind for key, kind in vars(torch.optim).items() if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)}
    by_folded = {key.casefold(): kind for key, kind in known.items()}
    if name.casefold() not in by_folded:
        raise unknown_name("optimizer in torch.optim", name, known)
    return by_folded[name.casefold()]
