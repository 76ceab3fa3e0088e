"""What a sweep is before it runs: its members, and which of them can run together."""

import inspect
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engines import Member
from ..errors import UsageError
from ..maps import Training, TrainingMap
from ..maps._settings import Settings
from ..maps.training import untouched_randomness
from .choices import Cell, Zipped, cells, label_of
from .places import Place, offered, place_of, refuse_conflicts
from .variants import REQUIRED_ARGUMENTS, Changes, accepted_keywords


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of a sweep.

    Attributes:
        row: Its number, from 0, in the order of the factors' values.
        member: What an engine is told of it.
        perturbation: Largest change of each initial parameter.
    """

    row: int
    member: Member
    perturbation: float = 0.0


@dataclass(frozen=True, slots=True)
class Design:
    """The members of a sweep, grouped by what they are made of.

    Attributes:
        training: What is varied.
        cells: The factors' values of each member.
        places: What each factor means.
        structures: Different trainings of which members differ only in numbers.
        entries: The members of each structure.
    """

    training: Training
    cells: tuple[Cell, ...]
    places: Mapping[str, Place]
    structures: tuple[Changes, ...]
    entries: tuple[tuple[Entry, ...], ...]
    labels: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The factors, in the order in which they were given."""
        return tuple(self.places)

    def has_field(self, name: str) -> bool:
        """Return whether a field of the training is a factor."""
        return any(place.kind == "field" and place.name == name for place in self.places.values())


def designed(training: Training, groups: Sequence[Mapping[str, Any] | Zipped]) -> Design:
    """Return the design of a sweep over ``groups`` of factors.

    Raises:
        UsageError: A factor means nothing, or two things, or contradicts another one; a training needs an argument that nobody gives.
    """
    if not isinstance(training, Training):
        raise UsageError(f"A sweep needs a kazami.Training, but it was given a {type(training).__name__}.")
    found_cells = cells(groups)
    values = {name: list({_key(cell[name]): cell[name] for cell in found_cells}.values()) for name in found_cells[0]}
    found = offered(training, _needed(training, values))
    places = {name: place_of(name, found, given, training) for name, given in values.items()}
    refuse_conflicts(places)
    structures, entries = _grouped(training, found_cells, places)
    labels = _labels(found_cells, values)
    design = Design(training, tuple(found_cells), places, structures, entries, labels)
    _refuse_missing_settings(design)
    _refuse_idle_seed(design)
    return design


def _key(value: Any) -> Any:
    return id(value) if callable(value) else (type(value), label_of(value))


def _labels(found: Sequence[Cell], values: Mapping[str, Sequence[Any]]) -> dict[str, tuple[Any, ...]]:
    """Return each factor's column; two functions of the same name are told apart by a number."""
    columns = {}
    for name, given in values.items():
        said: dict[Any, Any] = {}
        times: Counter[str] = Counter()
        for value in given:
            label = label_of(value)
            times[str(label)] += 1
            said[_key(value)] = f"{label} #{times[str(label)]}" if times[str(label)] > 1 and callable(value) else label
        columns[name] = tuple(said[_key(cell[name])] for cell in found)
    return columns


def _needed(training: Training, values: Mapping[str, Sequence[Any]]) -> dict[str, dict[str, Any]]:
    """Return values for the arguments that factories need and that only factors give.

    Raises:
        UsageError: Nobody gives one.
    """
    given: dict[str, dict[str, Any]] = {}
    for factory in ("model", "optimizer"):
        named, _ = accepted_keywords(getattr(training, factory), REQUIRED_ARGUMENTS[factory])
        for name, default in named.items():
            source = next((values[key] for key in (f"{factory}.{name}", name) if key in values), None)
            if default is _EMPTY and source is None:
                raise UsageError(f"The {factory} factory needs {name}, and no factor is called so. Give it a default, or make it a factor.")
            if default is _EMPTY and source is not None:
                given.setdefault(factory, {})[name] = source[0]
    return given


_EMPTY = inspect.Parameter.empty


def _grouped(training: Training, found: Sequence[Cell], places: Mapping[str, Place]) -> tuple[tuple[Changes, ...], tuple[tuple[Entry, ...], ...]]:
    forks = _forking(training, found, places)
    groups: dict[Any, tuple[Changes, list[Entry]]] = {}
    for row, cell in enumerate(found):
        structural = {name: value for name, value in cell.items() if not places[name].is_number}
        key = (*(_key(value) for value in structural.values()), *(cell[name] == 0.0 for name in forks))
        if key not in groups:
            groups[key] = _changes({places[name]: value for name, value in structural.items()}), []
        groups[key][1].append(_entry(row, cell, places))
    return tuple(changes for changes, _ in groups.values()), tuple(tuple(entries) for _, entries in groups.values())


def _forking(training: Training, found: Sequence[Cell], places: Mapping[str, Place]) -> list[str]:
    """Return the settings, zero for some members, that then leave the optimizer another memory (momentum)."""
    mixed = [name for name, place in places.items() if place.kind == "setting" and len({cell[name] == 0.0 for cell in found}) == 2]
    return mixed if any(not place.is_number for place in places.values()) else [name for name in mixed if _changes_memory(training, places[name].name)]


def _changes_memory(training: Training, setting: str) -> bool:
    try:
        m = TrainingMap(training)
        sizes = []
        for value in (0.0, 0.5):
            m.set_parameter(setting, value)
            sizes.append(m.dimension)
    except Exception:  # an optimizer that no map knows, a factory that needs an argument: then each runs by itself anyway
        return True
    return sizes[0] != sizes[1]


def _changes(given: Mapping[Place, Any]) -> Changes:
    fields = {place.name: value for place, value in given.items() if place.kind == "field"}
    settings = {place.name: value for place, value in given.items() if place.kind == "group"}
    size = next((value for place, value in given.items() if place.kind == "batch_size"), None)
    if size is not None and (not isinstance(size, int) or size < 1):
        raise UsageError(f"The values of batch_size should be whole numbers from 1 on, but one of them is {size!r}.")
    keywords: dict[str, dict[str, Any]] = {}
    for place, value in given.items():
        if place.kind == "keyword":
            keywords.setdefault(place.factory, {})[place.name] = value
    return Changes(fields, keywords, settings, size)


def _entry(row: int, cell: Cell, places: Mapping[str, Place]) -> Entry:
    settings = {places[name].name: float(value) for name, value in cell.items() if places[name].kind == "setting"}
    by_kind = {places[name].kind: value for name, value in cell.items()}
    seed = by_kind.get("seed")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool) or seed < 0):
        raise UsageError(f"The values of seed should be whole numbers from 0 on, but one of them is {seed!r}.")
    epsilon = by_kind.get("perturbation", 0.0)
    if not isinstance(epsilon, (int, float)) or not 0.0 <= epsilon < float("inf"):
        raise UsageError(f"The values of perturbation should be numbers from 0 on, but one of them is {epsilon!r}.")
    return Entry(row, Member(seed, settings), float(epsilon))


def _refuse_missing_settings(design: Design) -> None:
    """Refuse a setting that one of the structures' optimizers does not have (momentum, where Adam is a choice)."""
    if not design.has_field("optimizer") and not any(place.factory == "optimizer" for place in design.places.values()):
        for changes in design.structures:
            changes.of(design.training)  # whose values may be of a wrong kind
        return
    settings = {place.name: name for name, place in design.places.items() if place.kind in ("setting", "group")}
    for changes in design.structures:
        made = changes.of(design.training)
        with untouched_randomness():
            optimizer = made.start().optimizer
        known = {*Settings(lambda it=optimizer: it, None).current(0), *optimizer.param_groups[0]}  # type: ignore[misc]
        missing = [name for setting, name in settings.items() if setting.partition("[")[0] not in known]
        if missing:
            kind = type(optimizer).__name__
            raise UsageError(
                f"Every optimizer of a sweep should have the settings that are varied, but {kind} has no {missing[0]}. Sweep {kind} by itself, or use "
                "the settings' own optimizer only."
            )


def _refuse_idle_seed(design: Design) -> None:
    """Refuse a seed that changes nothing: its members would be the same training again and again, and every band over seeds would be too narrow."""
    name = next((name for name, place in design.places.items() if place.kind == "seed"), None)
    seeds = list(dict.fromkeys(entry.member.seed for entries in design.entries for entry in entries))
    if name is None or len(seeds) < 2:
        return
    training = design.structures[0].of(design.training)
    try:
        with untouched_randomness():
            first, second = (list(training.replaced(seed=int(seed or 0)).start().model.parameters()) for seed in seeds[:2])
    except Exception:  # what raises is recorded when it runs
        return
    if all(one.shape == other.shape and bool((one == other).all()) for one, other in zip(first, second, strict=True)):
        raise UsageError(
            f"Different values of {name} should give different initial weights, but with {seeds[0]} and {seeds[1]} they are the same: the model factory seeds "
            "itself, or returns the same weights each time. Drop the factor, or let the factory draw from torch's generator, or take a seed (model.seed)."
        )
