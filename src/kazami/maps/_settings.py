"""The optimizer's settings in every step, as its scheduler makes them, and as the user of a map changes them."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

import torch

from ..errors import UsageError
from ._base import parameter_named

WORDS = {"lr": "learning_rate"}  # the field's word for torch's
Group = dict[str, Any]


class Settings:
    """The parameter groups' settings as a function of the step's number.

    Args:
        make: Makes an optimizer of the training's kind, over which the scheduler can be run without a model being touched.
        scheduler: The training's scheduler factory.
    """

    def __init__(self, make: Callable[[], torch.optim.Optimizer], scheduler: Callable[[torch.optim.Optimizer], Any] | None) -> None:
        """Read the settings of the first step."""
        self._make = make
        self._schedule = scheduler
        self._changes: dict[str, float] = {}
        self._restart()

    def at(self, time: int) -> list[Group]:
        """Return the settings of each group in step number ``time``; without a scheduler always the same objects."""
        if self._scheduler is None:
            return self._snapshots[0]
        while len(self._snapshots) <= time:
            self._advance()
        return self._snapshots[time]

    @property
    def is_constant(self) -> bool:
        """Whether no scheduler changes them from step to step."""
        return self._schedule is None

    def changed(self, changes: Mapping[str, float]) -> "Settings":
        """Return the settings of the same training with these changes on top of those made here."""
        if self._schedule is not None:
            beside = Settings(self._make, self._schedule)
            for name, value in {**self._changes, **changes}.items():
                beside.change(name, value)
            return beside
        beside = copy(self)  # no optimizer is made: an ensemble asks once for each of thousands of members
        beside._changes, beside._snapshots = dict(self._changes), [[dict(group) for group in self._snapshots[0]]]
        for name, value in changes.items():
            beside._note(name, value)
            _write(beside._snapshots[0], name, float(value))
        return beside

    def current(self, time: int) -> dict[str, float]:
        """Return the numeric settings by name; those of the second group end in ``[1]`` and so on."""
        found = {}
        for index, group in enumerate(self.at(time)):
            for name, value in _numbers(group).items():
                found[name if index == 0 else f"{name}[{index}]"] = value
        return found

    def change(self, name: str, value: float) -> None:
        """Change a setting before the scheduler sees it: in every group, or in one if the name ends in ``[index]``."""
        self._note(name, value)
        self._restart()

    def _note(self, name: str, value: float) -> None:
        parameter_named(name, {**self.current(0), **{f"{known}[0]": 0 for known in _numbers(self._snapshots[0][0])}})
        if "[" not in name:
            self._changes = {known: old for known, old in self._changes.items() if known.partition("[")[0] != name}
        self._changes[name] = float(value)

    def _restart(self) -> None:
        self._optimizer = self._make()
        for name, value in self._changes.items():
            _write(self._optimizer.param_groups, name, value)
        self._scheduler = self._schedule(self._optimizer) if self._schedule is not None else None
        self._snapshots = [_copies(self._optimizer)]

    def _advance(self) -> None:
        scheduler: Any = self._scheduler
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch wants optimizer.step() first, which here would only cost time
            try:
                scheduler.step()
            except ValueError as reason:
                taken = len(self._snapshots)
                raise UsageError(f"The scheduler should go on for every step, but it ended after {taken}: {reason} Ask for fewer steps.") from None
        self._snapshots.append(_copies(self._optimizer))


def _copies(optimizer: torch.optim.Optimizer) -> list[Group]:
    return [{name: _plain(value) for name, value in group.items() if name != "params"} for group in optimizer.param_groups]


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, torch.Tensor) else value


def _numbers(group: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers in ``group`` by the field's words; pairs of betas as ``beta_1`` and ``beta_2``."""
    found = {}
    for name, value in group.items():
        if name == "betas":
            found.update({f"beta_{place}": float(beta) for place, beta in enumerate(value, 1)})
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and name not in ("initial_lr", "max_lr", "min_lr"):
            found[WORDS.get(name, name)] = float(value)
    return found


def _write(groups: Sequence[Group], name: str, value: float) -> None:
    """Write a setting into every group, or into one if the name ends in ``[index]``."""
    word, _, index = name.partition("[")
    for group in [groups[int(index[:-1])]] if index else groups:
        _write_into(group, word, value)


def _write_into(group: Group, word: str, value: float) -> None:
    if word.startswith("beta_"):
        betas = list(group["betas"])
        betas[int(word[5:]) - 1] = value
        group["betas"] = tuple(betas)
        return
    name = next((known for known, said in WORDS.items() if said == word), word)
    group[name] = value
    group.pop("initial_lr", None)
