"""Findings joined with their prescriptions: rules never name cures, cures say what they treat."""

from collections.abc import Sequence

from ..cures import prescriptions_for
from ..records import Finding, Trace


def joined(findings: Sequence[Finding], trace: Trace) -> list[Finding]:
    """Return the findings, each with its prescriptions in order of least change."""
    return [finding.replaced(prescriptions=prescriptions_for(finding, trace)) for finding in findings]
