"""Verification: numbers that are known from closed forms or papers, measured on this machine with the estimators that users have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...records import Check
    from ._base import AbstractTruths, Measurement

__all__ = ["Verification", "all_truths", "truths", "verify"]


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification measured.

    Attributes:
        groups: For each group that was begun its name and its checks.
        is_complete: Whether everything was measured, or somebody interrupted.
    """

    groups: "tuple[tuple[str, tuple[Check, ...]], ...]"
    is_complete: bool

    @property
    def checks(self) -> "tuple[Check, ...]":
        """All checks, in their order."""
        return tuple(check for _, checks in self.groups for check in checks)

    @property
    def passed(self) -> bool:
        """Whether everything was measured and is within its tolerance."""
        return self.is_complete and bool(self.checks) and all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, the form of ``--json``."""
        from ...storage.strict_json import plain

        checks = [{"group": name, **plain(check.to_dict())} for name, found in self.groups for check in found]
        return {"schema": 1, "passed": self.passed, "complete": self.is_complete, "checks": checks}


def all_truths() -> "tuple[AbstractTruths, ...]":
    """Return every group of truths, in the order of their files' names."""
    from ...registry import plugins
    from ._base import AbstractTruths

    return tuple(found() for found in plugins(__name__, AbstractTruths))


def truths(name: str) -> "AbstractTruths":
    """Return the group called ``name``; underscores may stand for hyphens.

    Raises:
        UnknownName: There is no such group; the closest is proposed.
    """
    from ...errors import unknown_name

    known = {found.name: found for found in all_truths()}
    if name.replace("_", "-") not in known:
        raise unknown_name("group of truths", name, known)
    return known[name.replace("_", "-")]


def verify(names: Sequence[str] = (), *, quick: bool = False, progress: Callable[[int, int], None] | None = None) -> Verification:
    """Measure truths on one thread; Ctrl-C keeps what was measured so far.

    Args:
        names: Groups; all of them if none is given.
        quick: Only what takes a moment.
        progress: Called with the number of measurements done and their total.

    Returns:
        The checks. A measurement that ends with an error is a check that does not pass, and the others go on.

    Raises:
        UnknownName: There is no such group.

    Example:
        >>> verify(["thresholds"]).passed
        True
    """
    from ..experiments._base import undisturbed

    chosen = [truths(name) for name in dict.fromkeys(names)] or list(all_truths())
    planned = [(group.name, number, one) for group in chosen for number, one in enumerate(group.measurements(quick=quick))]
    found: dict[str, list[Check]] = {}
    done, report = 0, progress or (lambda done, total: None)
    try:
        with undisturbed():
            for name, number, measurement in planned:
                report(done, len(planned))
                found.setdefault(name, []).extend(_measured(name, number, measurement))
                done += 1
            report(done, len(planned))
    except KeyboardInterrupt:
        pass
    return Verification(tuple((name, tuple(checks)) for name, checks in found.items()), done == len(planned))


def _measured(name: str, number: int, measurement: "Measurement") -> "Sequence[Check]":
    from ._base import failed_to_measure

    try:
        return measurement()
    except Exception as error:  # whatever fails on this machine is told, and the rest is still worth knowing
        return [failed_to_measure(name, number, error)]
