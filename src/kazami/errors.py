"""Every error kazami raises, as one tree; ``exit_code`` is what the command line returns for it (``docs/exit-codes.md``).

::

    KazamiError                1  something in kazami went wrong
    ├── UsageError             2  what was asked for cannot be done as asked
    │   ├── UnknownName        2  no rule, cure, patient, run … has this name
    │   ├── CannotWatch        2  what was handed over is nothing kazami can watch
    │   ├── RunTaken           2  the run directory already belongs to another run
    │   └── TooShort           2  a series has too few steps for what was asked
    ├── RunError               5  a stored run cannot be used
    │   ├── RunNotFound        5  there is no run at this place
    │   ├── RunUnreadable      5  there is one, but its files cannot be read
    │   └── NewerFormat        5  it was written by a newer kazami
    └── CannotWrite            1  the run directory cannot be written (disk full, read-only …)

A message says what should be, what was found, where, and what to do, in the user's own words.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class KazamiError(Exception):
    """The root of the tree: catch this to catch everything kazami raises on purpose."""

    exit_code: ClassVar[int] = 1


class UsageError(KazamiError):
    """What was asked for cannot be done as asked: a wrong option, argument, type or shape."""

    exit_code: ClassVar[int] = 2


class UnknownName(UsageError):
    """No rule, cure, patient, command … has the name that was given."""


class CannotWatch(UsageError):
    """What was handed over is nothing kazami can watch, for example no ``nn.Module`` where a model should be."""


class RunTaken(UsageError):
    """The run directory already belongs to another run, finished or still being written."""


class TooShort(UsageError):
    """A series has too few steps for what was asked; the message says how many are needed."""


class RunError(KazamiError):
    """A stored run cannot be used."""

    exit_code: ClassVar[int] = 5


class RunNotFound(RunError):
    """There is no run at the place that was named."""


class RunUnreadable(RunError):
    """There is a run at that place, but its files cannot be read."""


class NewerFormat(RunError):
    """The run was written by a newer kazami, whose format this one does not know."""


class CannotWrite(KazamiError):
    """The run directory cannot be written: the disk is full, the directory is read-only, the store is gone."""


def closest(name: str, names: Iterable[str]) -> str | None:
    """Return the one of ``names`` that looks most like ``name``, upper and lower case alike, or ``None`` if none comes near.

    Example:
        >>> closest("Vanishing_Gradients", ["dead_units", "vanishing_gradient"])
        'vanishing_gradient'
        >>> closest("teapot", ["dead_units", "vanishing_gradient"]) is None
        True
    """
    by_folded = {known.casefold(): known for known in names}
    matches = get_close_matches(name.casefold(), by_folded, n=1)
    return by_folded[matches[0]] if matches else None


def unknown_name(kind: str, name: str, names: Iterable[str]) -> UnknownName:
    """Return the error to raise when no ``kind`` (say ``"rule"``) is called ``name``; it proposes the closest of ``names``, else lists them all.

    Example:
        >>> print(unknown_name("rule", "dead_unit", ["dead_units", "saturated"]))
        There is no rule "dead_unit". Did you mean "dead_units"?
    """
    known = sorted(names)
    match = closest(name, known)
    if match is not None:
        return UnknownName(f'There is no {kind} "{name}". Did you mean "{match}"?')
    if not known:
        return UnknownName(f'There is no {kind} "{name}", and there are no others either.')
    return UnknownName(f'There is no {kind} "{name}". There are: {", ".join(known)}.')
