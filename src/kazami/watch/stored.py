"""A stored run examined anew: its findings with prescriptions, and its report in every form."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from ..diagnosis import examine
from ..records import Finding, Findings, RunInfo, Trace
from ..reports import document, proof_block, render_html, render_proof_html, verdict, verdict_block
from ..reports.case_sheet import case_sheet
from ..reports.plain import plain
from ..reports.sarif import sarif
from ..storage import StoredProof, open_run
from .among_ranks import newest_losses, with_other_ranks
from .joined import joined
from .suppressing import of_stored
from .writing import weather, write_whole


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A stored run with today's findings.

    Attributes:
        info: Head of the run, verdict and wind renewed.
        trace: What was seen.
        findings: Most important first.
        location: Where the run lies.
        report: Where its HTML report lies, ``None`` where there is none.
        proof: What ``kazami cure`` found, for a run of that command.
    """

    info: RunInfo
    trace: Trace
    findings: list[Finding]
    location: str
    report: str | None = None
    proof: StoredProof | None = None

    def write_html(self, place: str, language: str) -> str:
        """Write the HTML report, whole or not at all, and return its place."""
        proof = self.proof
        if proof is None:
            return write_whole(place, render_html(self.info, self.trace, self.findings, language=language))
        page = render_proof_html(self.info, proof.proof, diff=proof.diff, lines=proof.lines, before=proof.before, after=proof.after, language=language)
        return write_whole(place, page)

    def text(self, language: str, *, width: int) -> str:
        """Return the verdict block, or that of the proof, for a terminal without colours."""
        if self.proof is not None:
            return proof_block(self.proof.proof, language=language, width=width)
        return verdict_block(self.info, self.findings, language=language, width=width)

    def document(self, language: str) -> dict[str, Any]:
        """Return the JSON document: that of the run, and for a run of ``kazami cure`` what that command prints."""
        of_run = {**document(self.info, self.findings, self.report, language=language), "run": self.location}
        of_proof: dict[str, Any] = {} if self.proof is None else plain(self.proof.document())
        return {**of_run, **of_proof}

    def sarif(self, language: str) -> dict[str, Any]:
        """Return the SARIF log."""
        return sarif(self.info, self.findings, language=language)

    def markdown(self, language: str) -> str:
        """Return the case sheet."""
        return case_sheet(self.info, self.trace, self.findings, proof=self.proof.proof if self.proof is not None else None, language=language)


def stored_report(location: str) -> StoredReport:
    """Read a run and examine it with today's rules.

    Raises:
        RunNotFound: There is no run at this place.
        RunUnreadable: Its files cannot be read.
        NewerFormat: A newer kazami wrote it.
    """
    stored = open_run(location)
    proof, report = stored.proof(), stored.report()
    if proof is not None:
        said = proof.proof.verdict
        info = dataclasses.replace(stored.info, verdict={"en": said.en, "ja": said.ja})
        return StoredReport(info, proof.before or stored.trace(), list(proof.proof.findings), location, report, proof)
    trace = stored.trace()
    findings = joined(examine(trace), trace)
    info, findings = of_stored(stored.info, findings)
    heads = stored.heads()
    info, findings = with_other_ranks(info, findings, heads, newest_losses(stored, heads))
    info = dataclasses.replace(info, verdict={}, **weather(findings))
    sentence = verdict(info, findings, trace.facts.get("checks", ()))
    return StoredReport(dataclasses.replace(info, verdict={"en": sentence.en, "ja": sentence.ja}), trace, findings, location, report)


def diagnose(run: str) -> list[Finding]:
    """Return the findings of a stored run, examined anew with today's rules.

    Raises:
        RunNotFound: There is no run at this place.
        RunUnreadable: Its files cannot be read.
    """
    return Findings(stored_report(run).findings)
