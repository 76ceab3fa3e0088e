"""Claims: what texts say about deep learning, the conditions under which it is so, and the measured verdict."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._base import Claim, Judged

__all__ = ["all_claims", "judge"]


def all_claims() -> "tuple[Claim, ...]":
    """Return every claim, the contradictory ones first."""
    from . import depth, learning

    return (*depth.CLAIMS, *learning.CLAIMS)


def judge(names: Sequence[str] = (), *, progress: Callable[[int, int], None] | None = None) -> "tuple[tuple[Judged, ...], bool]":
    """Measure claims on one thread; Ctrl-C keeps those measured so far.

    Args:
        names: Which; all of them if none is given.
        progress: Called with the number of claims done and their total.

    Returns:
        The claims with their cases, and whether all were measured.

    Raises:
        UnknownName: There is no such claim.
    """
    from ...errors import unknown_name
    from ..experiments._base import undisturbed

    known = {claim.name: claim for claim in all_claims()}
    for name in names:
        if name not in known:
            raise unknown_name("claim", name, known)
    chosen = [known[name] for name in dict.fromkeys(names)] or list(known.values())
    found: list[Judged] = []
    report = progress or (lambda done, total: None)
    try:
        with undisturbed():
            for claim in chosen:
                report(len(found), len(chosen))
                found.append(claim.judged())
    except KeyboardInterrupt:
        pass
    return tuple(found), len(found) == len(chosen)
