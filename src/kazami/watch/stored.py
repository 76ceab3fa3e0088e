"""A stored run examined anew: its findings with prescriptions, and its report in every form."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from ..diagnosis import examine
from ..records import Finding, RunInfo, Trace
from ..reports import document, render_html, verdict, verdict_block
from ..storage import open_run
from .joined import joined
from .writing import weather, write_whole


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A stored run with today's findings.

    Attributes:
        info: Head of the run, verdict and wind renewed.
        trace: What was seen.
        findings: Most important first.
        location: Where the run lies.
    """

    info: RunInfo
    trace: Trace
    findings: list[Finding]
    location: str

    def write_html(self, place: str, language: str) -> str:
        """Write the HTML report, whole or not at all, and return its place."""
        return write_whole(place, render_html(self.info, self.trace, self.findings, language=language))

    def text(self, language: str, *, width: int) -> str:
        """Return the verdict block for a terminal without colours."""
        return verdict_block(self.info, self.findings, language=language, width=width)

    def document(self, language: str) -> dict[str, Any]:
        """Return the JSON document."""
        return {**document(self.info, self.findings, None, language=language), "run": self.location}


def stored_report(location: str) -> StoredReport:
    """Read a run and examine it with today's rules.

    Raises:
        RunNotFound: There is no run at this place.
        RunUnreadable: Its files cannot be read.
        NewerFormat: A newer kazami wrote it.
    """
    stored = open_run(location)
    trace = stored.trace()
    findings = joined(examine(trace), trace)
    info = dataclasses.replace(stored.info, verdict={}, findings=[f.to_dict() for f in findings], **weather(findings))
    sentence = verdict(info, findings, trace.facts.get("checks", ()))
    return StoredReport(dataclasses.replace(info, verdict={"en": sentence.en, "ja": sentence.ja}), trace, findings, location)


def diagnose(run: str) -> list[Finding]:
    """Return the findings of a stored run, examined anew with today's rules.

    Raises:
        RunNotFound: There is no run at this place.
        RunUnreadable: Its files cannot be read.
    """
    return stored_report(run).findings
