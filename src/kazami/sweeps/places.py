"""What the name of a factor means: which setting, field or keyword of a training it changes."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import torch

from ..errors import UnknownName, UsageError, closest
from ..maps import Training
from ..maps._settings import Settings
from ..maps.training import untouched_randomness
from .variants import FACTORIES, REQUIRED_ARGUMENTS, Changes, accepted_keywords

Kind = Literal["setting", "group", "seed", "perturbation", "field", "keyword", "batch_size"]
FIELDS = ("clip_grad_norm", "steps", "zero_grad", *FACTORIES)
SHORT = {"lr": "learning_rate"}
NOT_SETTINGS = ("params", "initial_lr", "max_lr", "min_lr", "maximize", "foreach", "capturable", "differentiable", "fused")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a factor acts.

    Attributes:
        kind: ``"setting"``: a number of the optimizer; ``"group"``: another entry of its groups; ``"seed"`` and ``"perturbation"`` of the initial weights;
            ``"field"`` of the training; ``"keyword"`` of one of its factories; ``"batch_size"``: its batches cut anew.
        name: In the words of the place itself (``"learning_rate"`` for ``lr``).
        factory: Of a keyword, whose.
    """

    kind: Kind
    name: str
    factory: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it only changes numbers, so that members that differ in it run together."""
        return self.kind in ("setting", "seed", "perturbation")

    @property
    def full_name(self) -> str:
        """The name that leaves no doubt."""
        prefix = {"setting": "setting", "group": "setting", "keyword": self.factory}.get(self.kind, "training")
        return f"{prefix}.{self.name}"

    def said(self) -> str:
        """Return what it is, for an error."""
        words = {
            "setting": f"the setting {self.name} of the optimizer",
            "group": f"the setting {self.name} of the optimizer",
            "keyword": f"the keyword {self.name} of the {self.factory} factory" if self.factory != "loss" else f"the keyword {self.name} of the loss",
        }
        return words.get(self.kind, f"the training's {self.name}")


@dataclass(frozen=True, slots=True)
class Found:
    """What a training offers to be changed.

    Attributes:
        settings: Numbers of the optimizer, in `TrainingMap`'s words.
        groups: Entries of its groups that are no numbers.
        keywords: Of each factory those with a default or without.
        open: Factories that take any keyword.
    """

    settings: Mapping[str, float]
    groups: Mapping[str, Any]
    keywords: Mapping[str, Mapping[str, Any]]
    open: tuple[str, ...]


def offered(training: Training, keywords: Mapping[str, Mapping[str, Any]] | None = None) -> Found:
    """Return what a training offers, by making its optimizer once and reading the signatures of its factories.

    Args:
        training: The training.
        keywords: Arguments that the factories need because they have no defaults.
    """
    named, loose = {}, []
    for factory in FACTORIES:
        if getattr(training, factory) is not None:
            named[factory], is_open = accepted_keywords(getattr(training, factory), REQUIRED_ARGUMENTS[factory])
            loose += [factory] if is_open else []
    changes = Changes(keywords={factory: given for factory, given in (keywords or {}).items() if given})
    with untouched_randomness():
        optimizer = changes.of(training).start().optimizer
    settings = Settings(lambda: optimizer, None).current(0)
    indexed = {f"{name}[0]": value for name, value in settings.items() if "[" not in name} if len(optimizer.param_groups) > 1 else {}
    return Found({**settings, **indexed}, _others(optimizer), named, tuple(loose))


def _others(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index, group in enumerate(optimizer.param_groups):
        for name, value in group.items():
            if name not in NOT_SETTINGS and (isinstance(value, (bool, str, tuple)) or value is None):
                found |= {name: value} if index == 0 else {}
                found |= {f"{name}[{index}]": value} if len(optimizer.param_groups) > 1 else {}
    return found


def place_of(name: str, found: Found, values: Sequence[Any], training: Training) -> Place:
    """Return what ``name`` means for a training that offers ``found``.

    Args:
        training: The training.
        name: ``"learning_rate"``, or with the part before it where a name alone would mean several things: ``"model.width"``, ``"setting.momentum"``,
            ``"training.seed"``.
        found: What the training offers.
        values: The factor's values: what is to be a number of the optimizer has to be one.

    Raises:
        UnknownName: It means nothing; the closest names are proposed and all are listed.
        UsageError: It means several things.
    """
    part, dot, rest = name.partition(".")
    candidates = _qualified(part, rest, found) if dot else _candidates(name, found)
    candidates = [_as_number(place, values) for place in candidates]
    if not candidates:
        raise _unknown(name, found)
    if len(candidates) == 2 and candidates[0].kind == "setting" and candidates[1].factory == "optimizer" and means_the_same(training, name, values):
        return candidates[0]
    if len(candidates) > 1:
        said = ", and ".join(place.said() for place in candidates)
        names = " or ".join(place.full_name for place in candidates)
        raise UsageError(f"The factor {name} should mean one thing, but it may be {said}. Call it {names}.")
    return candidates[0]


def _as_number(place: Place, values: Sequence[Any]) -> Place:
    """Refuse a setting that is a number and is to become something else."""
    are_numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    if place.kind == "setting" and not are_numbers:
        raise UsageError(f"The values of {place.name} should be numbers, but they are {', '.join(repr(value) for value in values[:3])}.")
    return place


def _candidates(name: str, found: Found) -> list[Place]:
    keywords = [Place("keyword", name, factory) for factory, known in found.keywords.items() if name in known]
    own: list[Place] = []
    if name in ("seed", "perturbation"):
        own = [Place("seed" if name == "seed" else "perturbation", name)]
    elif name in FIELDS:
        own = [Place("field", name)]
    elif _word(name) in found.settings:
        own = [Place("setting", _word(name))]
    elif name in found.groups:
        own = [Place("group", name)]
    if name in SHORT and keywords:  # lr of a factory, where the factory calls it so
        own = []
    if name == "batch_size" and not keywords:
        own = [Place("batch_size", name)]
    found_all = [*own, *keywords]
    return found_all or [Place("keyword", name, factory) for factory in found.open if factory == "model" and len(found.open) == 1]


def _qualified(part: str, name: str, found: Found) -> list[Place]:
    if part == "setting":
        return [Place("setting", _word(name))] if _word(name) in found.settings else [Place("group", name)] if name in found.groups else []
    if part == "training":
        if name == "seed":
            return [Place("field", "seed")]
        return [Place("field", name)] if name in FIELDS else [Place("batch_size", name)] if name == "batch_size" else []
    if part in found.keywords and (name in found.keywords[part] or part in found.open):
        return [Place("keyword", name, part)]
    return []


def _word(name: str) -> str:
    word, bracket, index = name.partition("[")
    return SHORT.get(word, word) + bracket + index


def names_offered(found: Found) -> list[str]:
    """Return every name that a factor may have, most important first."""
    keywords = [name for factory in FACTORIES for name in found.keywords.get(factory, ())]
    return list(dict.fromkeys([*found.settings, *found.groups, "seed", "perturbation", "batch_size", *keywords, *FIELDS]))


def _unknown(name: str, found: Found) -> UnknownName:
    known = names_offered(found)
    bare = name.partition(".")[2] or name
    match = closest(bare, known)
    did = f' Did you mean "{match}"?' if match else ""
    index = re.fullmatch(r"(.+)\[(\d+)\]", bare)
    few = f" The optimizer has {_count_groups(found)} group(s), counted from 0." if index and index[1] in (*found.settings, *found.groups) else ""
    return UnknownName(
        f'There is no factor "{name}" of this training.{did}{few} There are: {", ".join(known)}. A property of the network becomes a factor when the model '
        "factory takes it as a keyword: def make_model(width=8)."
    )


def _count_groups(found: Found) -> int:
    return 1 + max((int(match[1]) for name in found.settings if (match := re.search(r"\[(\d+)\]$", name))), default=0)


def refuse_conflicts(places: Mapping[str, Place]) -> None:
    """Refuse factors that would change the same thing.

    Raises:
        UsageError: Two of them do.
    """
    for (first, one), (second, other) in combinations(places.items(), 2):
        if _clash(one, other):
            raise UsageError(f"Two factors should not change the same thing, but {first} and {second} both change {other.said()}. Drop one of them.")


def _clash(one: Place, other: Place) -> bool:
    if {one.kind, other.kind} <= {"setting", "group"}:
        (word, _, index), (other_word, _, other_index) = one.name.partition("["), other.name.partition("[")
        are_betas = {word, other_word} in ({"betas", "beta_1"}, {"betas", "beta_2"})
        return (word == other_word or are_betas) and (not index or not other_index or index == other_index)
    if one.name == other.name == "seed" and {one.kind, other.kind} <= {"seed", "field"}:
        return True
    if {(one.kind, one.name), (other.kind, other.name)} == {("batch_size", "batch_size"), ("field", "batches")}:
        return True
    return one == other


def means_the_same(training: Training, name: str, values: Sequence[Any]) -> bool:
    """Return whether a keyword of the optimizer factory does to its groups what the setting of the same name would do."""
    for value in (values[0], values[-1]):
        with untouched_randomness():
            groups = Settings(_made(Changes(keywords={"optimizer": {name: value}}).of(training)), None).current(0)
            plain = Settings(_made(training), None)
        plain.change(_word(name), float(value))
        if groups != plain.current(0):
            return False
    return True


def _made(training: Training) -> Callable[[], torch.optim.Optimizer]:
    optimizer = training.start().optimizer
    return lambda: optimizer
