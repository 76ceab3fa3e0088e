"""Which cures a finding gets, and in which order."""

from functools import cache

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ..registry import plugins
from ._base import AbstractCure

MOST = 4


@cache
def all_cures() -> tuple[AbstractCure, ...]:
    """Return one instance of every cure, the least change first; of equal changes that first which treats fewer findings."""
    cures = tuple(kind() for kind in plugins("kazami.cures", AbstractCure))
    return tuple(sorted(cures, key=lambda cure: (cure.order, len(cure.treats), cure.name)))


def prescriptions_for(finding: Finding, trace: Trace) -> tuple[Prescription, ...]:
    """Return at most four prescriptions: those first that the evidence singles out, then the least change first.

    Args:
        finding: Any finding; one that no cure treats gets none.
        trace: What was seen of the training.
    """
    given = [cure.prescribe(finding, trace) for cure in all_cures() if finding.name in cure.treats]
    return tuple(sorted((one for one in given if one is not None), key=lambda one: one.order)[:MOST])
