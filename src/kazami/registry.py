"""A file in a plug-in room is a plug-in: found by scanning the folder on first use, plus what other packages offer as entry points."""

import pkgutil
import warnings
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, TypeVar, cast

from .errors import UsageError

PluginBase = TypeVar("PluginBase")


def plugins(package: str, base: type[PluginBase]) -> tuple[type[PluginBase], ...]:
    """Return every final class derived from ``base`` in the files of ``package``, then those that other packages offer.

    Files whose name begins with an underscore are the room's own and hold no plug-ins. A class named ``Abstract…`` is not final.
    The answer is computed once per process.

    Args:
        package: Full name of the room, for example ``"kazami.diagnosis"``; also the name of its entry-point group.
        base: The room's abstract base class.

    Returns:
        The classes in the order of their files' names, and after them those of entry points in the order of the entry points' names.

    Raises:
        ImportError: A file of the room itself does not import: that is our own mistake, and is not hidden.

    Limits:
        An entry point that does not load, or gives no such class, is left out with one warning that names its package.
    """
    return cast("tuple[type[PluginBase], ...]", _scan(package, cast("type", base)))


@cache
def _scan(package: str, base: type) -> tuple[type, ...]:
    found = [*_in_folder(package, base), *_offered(package, base)]
    return tuple(dict.fromkeys(found))  # a plug-in that is offered twice counts once


def _in_folder(package: str, base: type) -> Iterator[type]:
    names = sorted(file.name for file in pkgutil.iter_modules(import_module(package).__path__))
    for name in names:
        if not name.startswith("_"):
            yield from _final_classes(import_module(f"{package}.{name}"), base)


def _final_classes(module: ModuleType, base: type) -> Iterator[type]:
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__ and _is_final(value, base):
            yield value


def _is_final(value: type, base: type) -> bool:
    return issubclass(value, base) and value is not base and not value.__name__.startswith("Abstract")


def _offered(group: str, base: type) -> Iterator[type]:
    for entry in sorted(entry_points(group=group), key=lambda entry: (entry.name, entry.value)):
        try:
            yield from _load(entry, base)
        except Exception as error:  # a stranger's package may fail in any way; ours goes on without it
            owner = entry.dist.name if entry.dist is not None else entry.module
            text = (
                f'The package "{owner}" offers "{entry.name}" to {group}, but it cannot be used ({type(error).__name__}: {error}). kazami goes on without it.'
            )
            warnings.warn(text, RuntimeWarning, stacklevel=2)


def _load(entry: EntryPoint, base: type) -> tuple[type, ...]:
    loaded: Any = entry.load()
    if isinstance(loaded, ModuleType):
        return tuple(_final_classes(loaded, base))
    if isinstance(loaded, type) and _is_final(loaded, base):
        return (loaded,)
    raise UsageError(f"{entry.value} should be a final subclass of {base.__name__}, or a module that holds one")
