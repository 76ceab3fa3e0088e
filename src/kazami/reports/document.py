"""The JSON document of a run: what ``--json`` prints."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..records.finding import Finding
from ..records.run_info import RunInfo
from .outcome import not_the_cause, run_wind, verdict
from .plain import plain

SCHEMA = 1


def document(info: RunInfo, findings: Sequence[Finding], report: str | None, *, language: str = "en") -> dict[str, Any]:
    """Return one run as strict JSON data.

    Args:
        info: Head of the run.
        findings: Most important first.
        report: Path of the HTML report, ``None`` where none was written.
        language: Language of ``"verdict"``; sentences of findings are in both.

    Returns:
        ``{"schema", "verdict", "wind", "findings", "not_the_cause", "run", "report", "steps", "blind", "suppressed"}``. Numbers that JSON
        cannot say are the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``.
    """
    wind = run_wind(info, findings)
    value = info.wind.get("value", wind.value)
    content = {
        "schema": SCHEMA,
        "verdict": verdict(info, findings).in_language(language),
        "wind": {"word": wind.word, "value": value},
        "findings": [finding.to_dict() for finding in findings],
        "not_the_cause": [asdict(sentence) for sentence in not_the_cause(findings)],
        "run": info.id,
        "report": report,
        "steps": info.steps,
        "blind": list(info.blind),
        "suppressed": list(info.suppressed),
    }
    data: dict[str, Any] = plain(content)
    return data
