"""A training that is watched from Python as a report: the same page that ``kazami run`` writes, of what was seen so far."""

import dataclasses
from collections.abc import Sequence

from ..records import Finding, RunInfo, Trace
from ..reports import render_html
from ..reports.case_sheet import case_sheet
from .observer import Observer
from .writing import environment, newest_trace, now, versions, weather


def page_of(observer: Observer, findings: Sequence[Finding], *, name: str = "watch", language: str = "en") -> str:
    """Return the report as the text of one HTML file."""
    info, trace = _head(observer, findings, name)
    return render_html(info, trace, findings, language=language)


def sheet_of(observer: Observer, findings: Sequence[Finding], *, name: str = "watch", language: str = "en") -> str:
    """Return the case sheet."""
    info, trace = _head(observer, findings, name)
    return case_sheet(info, trace, findings, language=language)


def _head(observer: Observer, findings: Sequence[Finding], name: str) -> tuple[RunInfo, Trace]:
    trace = newest_trace(observer)
    head = RunInfo(id=name, steps=trace.step, ended=now(), versions=versions(), environment=environment(), blind=list(observer.blind.values()))
    return dataclasses.replace(head, findings=[finding.to_dict() for finding in findings], **weather(findings)), trace
