"""``sweep.toml``: a sweep written down."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UsageError, closest
from .choices import Zipped, linear, log, random, sobol, zipped

TABLES = ("training", "factors", "zipped", "engine")
TRAINING = ("script", "arguments", "factory", "steps", "record", "every")
ENGINE = ("name", "workers", "cluster", "dtype", "memory", "directory")
WAYS: Mapping[str, Callable[..., Any]] = {"log": log, "linear": linear, "random": random, "sobol": sobol}
MORE = ("scale", "whole", "seed")  # of what is drawn


@dataclass(frozen=True, slots=True)
class SweepFile:
    """What a sweep's file says.

    Attributes:
        path: The file.
        script: Path of the script whose training is varied, or ``None``.
        factory: ``"module:function"`` that returns a training, or ``None``.
        arguments: The script's own.
        steps: Optimizer steps of each training.
        record: What to record.
        every: A row of the table every so many steps.
        factors: The factors' values.
        zipped: Groups of factors that take their values together.
        engine: Options of :meth:`Sweep.run`.
        directory: Where the results go.
    """

    path: Path
    script: Path | None
    factory: str | None
    arguments: tuple[str, ...]
    steps: int | None
    record: tuple[str, ...]
    every: int | None
    factors: dict[str, Any]
    zipped: tuple[Zipped, ...] = ()
    engine: dict[str, Any] = field(default_factory=dict)
    directory: Path | None = None

    @property
    def groups(self) -> list[Mapping[str, Any] | Zipped]:
        """All factors, as :class:`Sweep` takes them."""
        return [*([self.factors] if self.factors else []), *self.zipped]


def read_sweep_file(path: str | Path) -> SweepFile:
    """Return what a file says; paths in it are relative to it.

    Raises:
        UsageError: It cannot be read, or something in it is not as it should be; the message names file and key.
    """
    place = Path(path)
    try:
        told = tomllib.loads(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The sweep {place} cannot be read ({getattr(error, 'strerror', None) or error}). Name a .toml file.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{place} should be TOML, but: {error}.") from None
    _must_be_known(place, told, TABLES, "")
    training = _table(place, told, "training")
    _must_be_known(place, training, TRAINING, "training.")
    engine = dict(_table(place, told, "engine", may_lack=True))
    _must_be_known(place, engine, ENGINE, "engine.")
    script, factory = _text(place, training, "script"), _text(place, training, "factory")
    if (script is None) == (factory is None):
        raise _wrong(place, "training", 'should have either script = "train.py" or factory = "module:function"', "has both" if script else "has neither")
    if script is not None and not (place.parent / script).is_file():
        raise _wrong(place, "training.script", "should be a file (relative to the sweep's own)", f"{place.parent / script} is none")
    if factory is not None and ":" not in factory:
        raise _wrong(place, "training.factory", 'should be "module:function"', repr(factory))
    directory = engine.pop("directory", None)
    factors = {name: _values(place, f"factors.{name}", given) for name, given in _flat(_table(place, told, "factors", may_lack=True)).items()}
    return SweepFile(
        path=place,
        script=None if script is None else place.parent / script,
        factory=factory,
        arguments=tuple(str(word) for word in training.get("arguments", ())),
        steps=_whole(place, training, "training", "steps"),
        record=_names(place, training.get("record", ["loss"])),
        every=_whole(place, training, "training", "every"),
        factors=factors,
        zipped=tuple(_zipped(place, told.get("zipped", []))),
        engine=_engine(place, engine),
        directory=None if directory is None else place.parent / str(directory),
    )


def _flat(told: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return dotted names as one: ``model.width = [8]`` reads as a table ``model``."""
    found: dict[str, Any] = {}
    for name, given in told.items():
        is_way = isinstance(given, dict) and set(given) & {*WAYS, "range", "grid", "values"}
        if isinstance(given, dict) and not is_way and before == "":
            found |= _flat(given, f"{name}.")
        else:
            found[before + name] = given
    return found


def _values(place: Path, key: str, given: Any) -> Any:
    if not isinstance(given, dict):
        return given if isinstance(given, list) else [given]
    ways = [name for name in given if name in (*WAYS, "range", "grid", "values")]
    strangers = [name for name in given if name not in (*ways, *MORE)]
    if len(ways) != 1 or strangers:
        found = ", ".join(given) or "nothing"
        raise _wrong(place, key, "should be an array, or one of {log = [low, high, count]}, {linear = …}, {range = n}, {random = …}, {sobol = …}", found)
    way, numbers = ways[0], given[ways[0]]
    if way == "range":
        return _range(place, key, numbers)
    if way in ("grid", "values"):
        return numbers if isinstance(numbers, list) else [numbers]
    more = {name: given[name] for name in MORE if name in given}
    if more and way not in ("random", "sobol"):
        raise _wrong(place, key, f"should have no {next(iter(more))} beside {way}", ", ".join(given))
    if not isinstance(numbers, list) or len(numbers) != 3:
        raise _wrong(place, f"{key}.{way}", "should be [low, high, count]", repr(numbers))
    try:
        return WAYS[way](*numbers, **more)
    except (UsageError, TypeError) as reason:
        raise UsageError(f"{place}: {key}: {reason}") from None


def _range(place: Path, key: str, numbers: Any) -> Any:
    parts = numbers if isinstance(numbers, list) else [numbers]
    if not 1 <= len(parts) <= 3 or not all(isinstance(part, int) and not isinstance(part, bool) for part in parts) or (len(parts) == 3 and not parts[2]):
        raise _wrong(place, f"{key}.range", "should be a count, or [first, end] or [first, end, step] in whole numbers", repr(numbers))
    return range(*parts)


def _zipped(place: Path, told: Any) -> list[Zipped]:
    groups = told if isinstance(told, list) else [told]
    found = []
    for number, group in enumerate(groups):
        key = f"zipped[{number}]"
        if not isinstance(group, dict):
            raise _wrong(place, key, "should be a table of arrays", repr(group))
        try:
            found.append(zipped(**{name: _values(place, f"{key}.{name}", given) for name, given in _flat(group).items()}))
        except (UsageError, TypeError) as reason:
            raise UsageError(f"{place}: {key}: {reason}") from None
    return found


def _engine(place: Path, engine: dict[str, Any]) -> dict[str, Any]:
    found = {"engine" if name == "name" else name: value for name, value in engine.items()}
    for name in ("workers", "memory"):
        _whole(place, engine, "engine", name)
    for name in ("name", "cluster", "dtype"):
        _text(place, engine, name, "engine")
    return found


def _names(place: Path, given: Any) -> tuple[str, ...]:
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or not names:
        raise _wrong(place, "training.record", 'should be an array of names, such as ["loss", "max_lyapunov"]', repr(given))
    return tuple(names)


def _table(place: Path, told: Mapping[str, Any], name: str, *, may_lack: bool = False) -> dict[str, Any]:
    if name not in told and not may_lack:
        raise UsageError(f'{place} should have a table [{name}], for example with script = "train.py", and has none.')
    found = told.get(name, {})
    if not isinstance(found, dict):
        raise _wrong(place, name, "should be a table", repr(found))
    return found


def _text(place: Path, told: Mapping[str, Any], name: str, table: str = "training") -> str | None:
    found = told.get(name)
    if found is not None and not isinstance(found, str):
        raise _wrong(place, f"{table}.{name}", "should be text", repr(found))
    return found


def _whole(place: Path, told: Mapping[str, Any], table: str, name: str) -> int | None:
    found = told.get(name)
    if found is not None and (not isinstance(found, int) or isinstance(found, bool) or found < 1):
        raise _wrong(place, f"{table}.{name}", "should be a whole number from 1 on", repr(found))
    return found


def _must_be_known(place: Path, told: Mapping[str, Any], known: tuple[str, ...], before: str) -> None:
    for name in told:
        if name not in known:
            match = closest(name, known)
            did = f" Did you mean {before}{match}?" if match else ""
            raise UsageError(f"{place}: {before}{name} means nothing here.{did} There are: {', '.join(before + each for each in known)}.")


def _wrong(place: Path, key: str, should: str, found: str) -> UsageError:
    return UsageError(f"{place}: {key} {should}, but it is {found}." if not found.startswith(("has ", "/")) else f"{place}: {key} {should}, and it {found}.")
