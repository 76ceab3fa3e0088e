"""The course of the evidence behind the findings of a run."""

from typing import ClassVar

import numpy as np

from ...diagnosis import all_rules
from ...errors import KazamiError
from ...records import Evidence, Finding, Trace
from ...records.trace import Series
from ...reports.columns import extremes, rounded, starts
from ..wire_cures import EvidenceCurve, EvidenceCurves
from ._base import AbstractRoute, Asked

COLUMNS = 300


class EvidenceRoute(AbstractRoute):
    """``GET /api/runs/{run}/evidence``: an `EvidenceCurves`."""

    path: ClassVar[str] = "/api/runs/{run}/evidence"

    def answer(self, asked: Asked) -> EvidenceCurves:
        """Ask each rule for the series that its numbers follow."""
        stored = self.house.folder.open(asked.path["run"])
        findings, trace = stored.findings, stored.trace()
        return EvidenceCurves([curve for finding in findings for item in finding.evidence if (curve := _curve(finding, item, trace)) is not None])


def _curve(finding: Finding, item: Evidence, trace: Trace) -> EvidenceCurve | None:
    rule = next((one for one in all_rules() if one.name == finding.name), None)
    course = rule.curves.get(item.name) if rule is not None else None
    if course is None:
        return None
    try:
        series = course(trace, finding)
    except (KazamiError, ValueError, IndexError, TypeError):  # the series of an older version may have another form
        return None
    return _thin(finding, item, series) if len(series) else None


def _thin(finding: Finding, item: Evidence, series: Series) -> EvidenceCurve:
    first = starts(len(series), COLUMNS)
    low, high = extremes(np.asarray(series.values, dtype=np.float64), first)
    return EvidenceCurve(finding.name, finding.place, item.name, series.steps[first], rounded(low, 4), rounded(high, 4))
