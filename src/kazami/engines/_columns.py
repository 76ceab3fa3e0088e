"""Settings of all members at once: what differs between them is a column, what does not stays one number."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..maps import TrainingMap
from ..maps._settings import Settings
from ..maps._updates import Move
from ._base import Member

Group = dict[str, Any]


class Columns:
    """The optimizer's coefficients for every member, by step number.

    Args:
        m: The map of the training, with none of the members' changes.
        members: Whose settings.

    Raises:
        UnknownName: A setting is not one of the optimizer's.
    """

    def __init__(self, m: TrainingMap, members: Sequence[Member]) -> None:
        """Make one optimizer, and one scheduler if there is one, for each distinct set of settings."""
        keys = {key: number for number, key in enumerate(dict.fromkeys(member.key for member in members))}
        self._update = m.update
        self._settings: list[Settings] = [m.settings.changed(dict(key)) if key else m.settings for key in keys]
        self._which = torch.tensor([keys[member.key] for member in members])
        self._is_constant = all(settings.is_constant for settings in self._settings)
        self._groups: list[Group] | None = None
        self._moves: tuple[int, list[Move]] | None = None

    @property
    def has_one_memory(self) -> bool:
        """Whether the optimizer keeps the same memory for every member."""
        slots = [[self._update.rule.slots(group) for group in settings.at(0)] for settings in self._settings]
        return all(each == slots[0] for each in slots)

    def memory(self, m: TrainingMap, in_state: int) -> Tensor:
        """Return what the optimizer's memory of each member begins with, shape ``(members, entries)``; the last ``in_state`` coordinates are not its."""
        rows = []
        for settings in self._settings:
            row = m.current_state()[: m.dimension - in_state]
            for block in m.layout.blocks:
                for slot, place in zip(block.slots, block.memory, strict=True):
                    row[place] = self._update.rule.start(slot, settings.at(0)[block.group])
            rows.append(row[m.n_parameters :])
        return torch.stack(rows)[self._which]

    def groups(self, time: int) -> list[Group]:
        """Return the parameter groups' settings in step number ``time``; columns have shape ``(members, 1)`` and are in float64."""
        if self._groups is not None and self._is_constant:
            return self._groups
        each = [settings.at(time) for settings in self._settings]
        self._groups = [self._merged([groups[index] for groups in each]) for index in range(len(each[0]))]
        return self._groups

    def at(self, time: int) -> list[Move]:
        """Return what the optimizer does in step number ``time``."""
        if self._moves is None or self._moves[0] != time:
            self._moves = time, self._update.moves(self.groups(time), time)
        return self._moves[1]

    def _merged(self, groups: list[Group]) -> Group:
        return {name: self._column([group[name] for group in groups]) for name in groups[0]}

    def _column(self, values: list[Any]) -> Any:
        first = values[0]
        if isinstance(first, tuple):
            return tuple(self._column([value[place] for value in values]) for place in range(len(first)))
        if isinstance(first, (int, float)) and not isinstance(first, bool) and any(value != first for value in values):
            column: Tensor = torch.tensor([float(value) for value in values], dtype=torch.float64)[self._which, None]
            return column
        return first


def numbers_of(moves: Sequence[Move]) -> tuple[list[Tensor | float], tuple[tuple[str, ...], ...]]:
    """Return the coefficients of all blocks in a row, and their names by block."""
    return [value for move in moves for value in move.numbers.values()], tuple(tuple(move.numbers) for move in moves)


def moves_of(values: Sequence[Tensor | float], names: Sequence[Sequence[str]], like: Sequence[Move]) -> list[Move]:
    """Return moves like ``like`` with other coefficients: the inverse of :func:`numbers_of`."""
    supply = iter(values)
    return [Move(move.group, {name: next(supply) for name in block}) for block, move in zip(names, like, strict=True)]
