"""The JSON document of a run: what ``--json`` prints."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..records.finding import Finding
from ..records.run_info import RunInfo
from ..records.trace import Trace
from .outcome import not_the_cause, run_wind, verdict
from .plain import plain
from .stability_view import dynamics

SCHEMA = 1


def document(info: RunInfo, findings: Sequence[Finding], report: str | None, *, trace: Trace | None = None, language: str = "en") -> dict[str, Any]:
    """Return one run as strict JSON data.

    Args:
        info: Head of the run.
        findings: Most important first.
        report: Path of the HTML report, ``None`` where none was written.
        trace: What was seen, for ``"dynamics"``, which is left out where neither sharpness nor growth was measured.
        language: Language of ``"verdict"``; sentences of findings are in both.

    Returns:
        ``{"schema", "verdict", "wind", "findings", "not_the_cause", "run", "report", "steps", "blind", "suppressed"}`` and, where measured,
        ``"dynamics"``. Numbers that JSON cannot say are the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``.
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
    measured = dynamics(trace) if trace is not None else {}
    data: dict[str, Any] = plain({**content, "dynamics": measured} if measured else content)
    return data
