"""Folding: equal parts that follow one another (12 transformer layers, 20 time steps) become one part drawn once, "× 12".

Two parts are equal if they hold the same operations with the same shapes, wired in the same way among themselves, to the part before, and to the rest.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .tape import Operation, Ref
from .units import Unit, Wiring
from .vocabulary import PICKS

LEAST_SAVED = 2  # folding two small boxes into one would hide more than it saves
LONG_PART = 4  # from this many units on, two equal parts are worth folding; shorter ones from three on
Wires = list[tuple[str, int, int]]  # into one unit: from where, from which unit or operation, from which of its outputs
Exits = tuple[tuple[int, int], ...]  # out of one part: which unit of it, read by which operation
MOST_TRIED = 64  # periods looked at closely, most promising first


@dataclass(frozen=True, slots=True)
class Fold:
    """Where equal parts lie in a row of units: ``times`` parts of ``period`` units from ``start`` on; ``rank`` orders competing folds."""

    start: int
    period: int
    times: int
    rank: tuple[int, ...]


def folded(wiring: Wiring, units: list[Unit]) -> list[Unit]:
    """Return the units with equal neighbouring parts put into units of the kind ``"repeat"``; parts may hold repeats themselves."""
    sources = [unit for unit in units if unit.kind == "source"]
    top = [unit for unit in units if unit.kind != "source"]
    waiting = [top]
    while waiting:
        row = waiting.pop()
        while (fold := best_fold(wiring, row)) is not None:
            end = fold.start + fold.period * fold.times
            parts = [row[start : start + fold.period] for start in range(fold.start, end, fold.period)]
            members = sorted(place for unit in row[fold.start : end] for place in unit.members)
            row[fold.start : end] = [Unit("repeat", parts[0][0].main, members, repetitions=parts)]
        waiting += [unit.repetitions[0] for unit in row if unit.kind == "repeat" and len(unit.repetitions[0]) > 1]
    return sorted([*sources, *top], key=lambda unit: unit.members[-1])


def best_fold(wiring: Wiring, row: list[Unit]) -> Fold | None:
    """Return the fold that saves most units, ``None`` where nothing is worth folding."""
    known: dict[Hashable, int] = {}
    looks = np.array([known.setdefault(signature(unit, wiring), len(known)) for unit in row], dtype=np.int64)
    candidates = sorted(_runs(looks), reverse=True)[:MOST_TRIED]
    rows = _Row(wiring, row)
    best: Fold | None = None
    for saved, period, start, length in candidates:
        if best is not None and saved < best.rank[0]:
            break
        for shift in range(min(period, length + period - 2 * period + 1)):
            found = rows.fold_at(start + shift, period, (length + period - shift) // period)
            if found is not None and (best is None or found.rank > best.rank):
                best = found
    return best


def _runs(looks: NDArray[np.int64]) -> list[tuple[int, int, int, int]]:
    """Return for each period the stretches in which every unit looks like the one a period later: (units saved, period, start, length)."""
    found = []
    for period in range(1, len(looks) // 2 + 1):
        is_same = np.concatenate([[False], looks[period:] == looks[:-period], [False]])
        edges = np.flatnonzero(is_same[1:] != is_same[:-1])
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            saved = (int(end - start) // period) * period
            if saved >= LEAST_SAVED:
                found.append((saved, -period, -int(start), int(end - start)))
    return [(saved, -period, -start, length) for saved, period, start, length in sorted(found, reverse=True)]


def signature(unit: Unit, wiring: Wiring) -> Hashable:
    """Return what equal units have in common: operations, shapes, dtypes, whole-number constants and the wires inside."""
    position = {place: number for number, place in enumerate(unit.members)}
    lines: list[Hashable] = [unit.kind, len(unit.repetitions)]
    for place in unit.members:
        operation = wiring.operations[place]
        wires = tuple((position.get(source, -1), slot if source in position else 0) for source, slot in operation.inputs)
        outside = tuple(_looks(wiring.operations, ref) for ref in operation.inputs if ref[0] not in position)
        lines.append((operation.op, tuple((value.shape, value.dtype) for value in operation.values), _whole_numbers(operation), wires, outside))
    return tuple(lines)


def _looks(operations: list[Operation], ref: Ref) -> Hashable:
    values = operations[ref[0]].values
    value = values[min(ref[1], len(values) - 1)] if values else None
    return (value.shape, value.dtype) if value is not None else ()


def _whole_numbers(operation: Operation) -> tuple[Hashable, ...]:
    if operation.op in PICKS:
        return ()
    return tuple(one for one in operation.constants if isinstance(one, int | str))


class _Row:
    """A row of units, and who reads whom in it."""

    def __init__(self, wiring: Wiring, row: list[Unit]) -> None:
        self._row = row
        self._wiring = wiring
        self._place_of = {place: number for number, unit in enumerate(row) for place in unit.members}
        self._wires = [self._outer_wires(unit) for unit in row]
        self._readers = [self._outer_readers(number) for number in range(len(row))]

    def _outer_wires(self, unit: Unit) -> list[tuple[Ref, int]]:
        own = set(unit.members)
        refs = [ref for place in unit.members for ref in self._wiring.operations[place].inputs if ref[0] not in own]
        return [(ref, self._place_of.get(ref[0], -1)) for ref in refs]

    def _outer_readers(self, number: int) -> list[tuple[int, int]]:
        """Return (unit of the row or -1, operation) for everything that reads the unit."""
        own = set(self._row[number].members)
        readers = {reader for place in own for reader in self._wiring.readers[place] if reader not in own}
        return sorted((self._place_of.get(reader, -1), reader) for reader in readers)

    def fold_at(self, start: int, period: int, count: int) -> Fold | None:
        """Return the longest row of equally wired parts among those that begin at ``start``, ``None`` if too short to be worth it."""
        parts = [range(start + number * period, start + (number + 1) * period) for number in range(count)]
        wires = [[self._described(number, part) for number in part] for part in parts]
        exits = [self._exits(part, range(part.start, part.stop + period)) for part in parts]
        all_exits = [self._exits(part, part) for part in parts]
        first, times, begin = 0, 1, 0
        for number in range(1, len(parts)):
            if not _follows(number, first, wires, exits, all_exits):
                first = number - 1 if _follows(number, number - 1, wires, exits, all_exits) else number
            if number - first + 1 > times:
                times, begin = number - first + 1, first
        saved = (times - 1) * period
        if saved < LEAST_SAVED or (times < 3 and period < LONG_PART):
            return None
        carried = {wire for line in wires[begin + 1] for wire in line if wire[0] == "before"}
        begin = start + begin * period
        return Fold(begin, period, times, (saved, -len(carried), self._module_depth(begin, period), -begin))

    def _described(self, number: int, part: range) -> Wires:
        """Say where each wire into a unit comes from: the same part, the part before, or elsewhere."""
        described = []
        for (place, slot), source in self._wires[number]:
            if source in part:
                described.append(("same", source - part.start, self._number_in(source, place) * 64 + slot))
            elif source >= 0 and part.start - len(part) <= source < part.start:
                described.append(("before", source - part.start, self._number_in(source, place) * 64 + slot))
            else:
                described.append(("else", place, 0 if self._wiring.operations[place].op in PICKS else slot))
        return described

    def _number_in(self, unit: int, place: int) -> int:
        return self._row[unit].members.index(place)

    def _exits(self, part: range, near: range) -> Exits:
        """Return (unit of the part, reader) for what is read outside the units ``near``."""
        readers = ((number, unit, reader) for number in part for unit, reader in self._readers[number])
        return tuple((number - part.start, reader if reader >= 0 else -2 - number) for number, unit, reader in readers if unit not in near)

    def _module_depth(self, begin: int, period: int) -> int:
        """Return how deep the module lies that holds the first part as a whole: parts that are modules are better than others."""
        paths = [self._wiring.operations[unit.main].path.split(".") for unit in self._row[begin : begin + period]]
        depth = 0
        while all(len(path) > depth and path[depth] == paths[0][depth] for path in paths):
            depth += 1
        return depth


def _follows(number: int, first: int, wires: list[list[Wires]], exits: list[Exits], all_exits: list[Exits]) -> bool:
    """Return whether part ``number`` goes on with the repetition that began at part ``first``.

    Either nothing but the last part is read from outside, or every part is read by the same (a concatenation of all).
    """
    is_read_alike = exits[number - 1] == exits[first] and set(exits[number - 1]) <= set(all_exits[number])
    return is_read_alike and _fit(wires[number - 1], wires[number], number - 1 == first)


def _fit(one: list[Wires], two: list[Wires], is_first: bool) -> bool:
    """Return whether two neighbouring parts are wired alike; what the first part gets from elsewhere, the second may get from the first."""
    for line, other in zip(one, two, strict=True):
        for wire, later in zip(line, other, strict=True):
            if wire != later and not (is_first and wire[0] != "same" and later[0] == "before"):
                return False
    return True
