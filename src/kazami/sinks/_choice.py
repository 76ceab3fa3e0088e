"""From what a user writes, ``tensorboard`` or ``jsonl:metrics.jsonl``, to a sink."""

from collections.abc import Iterable
from importlib.util import find_spec

from ..errors import UsageError, unknown_name
from ..registry import plugins
from ._base import AbstractSink


def all_sinks() -> dict[str, type[AbstractSink]]:
    """Return every sink by its name, those of other packages included; no logger is imported for it."""
    return {kind.name: kind for kind in plugins("kazami.sinks", AbstractSink)}


def chosen(asked: Iterable[str | AbstractSink], run: str = "") -> list[AbstractSink]:
    """Return the sinks that were asked for.

    Args:
        asked: ``"name"``, ``"name:setting"``, or sinks.
        run: Name or place of the run.

    Raises:
        UnknownName: There is no such sink.
        UsageError: The package that it stands on is not installed, or it is no sink.

    Example:
        >>> chosen(["jsonl:metrics.jsonl"])[0].setting
        'metrics.jsonl'
    """
    if isinstance(asked, str | AbstractSink):
        raise UsageError(f"sinks should be a list, for example sinks=[{asked if isinstance(asked, AbstractSink) else repr(asked)}].")
    return [_one(one, run) for one in asked]


def _one(asked: str | AbstractSink, run: str) -> AbstractSink:
    if isinstance(asked, AbstractSink):
        return asked
    if not isinstance(asked, str):
        raise UsageError(f'A sink should be a name such as "tensorboard" or an AbstractSink, and is {type(asked).__name__}.')
    name, _, setting = asked.partition(":")
    known = all_sinks()
    if name not in known:
        raise unknown_name("sink", name, known)
    kind = known[name]
    if kind.package and not _is_installed(kind.package):
        what = f'"kazami[{kind.extra}]"' if kind.extra else kind.package
        raise UsageError(f'The sink "{name}" needs the package {kind.package}, which is not installed: pip install {what}')
    return kind(setting, run)


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # a parent package that does not import: then the sink will say so, once
        return True
