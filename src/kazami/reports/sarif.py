"""The findings of a run as a SARIF 2.1.0 log: what code-review pages and editors read."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from ..diagnosis import all_rules, suppression_of
from ..records.finding import Finding
from ..records.run_info import RunInfo
from ..records.suppression import Suppression
from .outcome import run_wind, verdict
from .plain import plain

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "info": "note"}
ROOT = "WORKINGDIRECTORY"


def sarif(info: RunInfo, findings: Sequence[Finding], *, language: str = "en", exit_code: int | None = None) -> dict[str, Any]:
    """Return one run as a SARIF log of one run, as strict JSON data.

    Every rule of the catalogue stands under ``tool.driver.rules``; what kazami could not see is a notification of the invocation. Findings that the user
    suppressed are among the results, marked as suppressed. The finger-print of a result is made of its rule, its file and its place, so that it stays the same
    when lines move.

    Args:
        info: Head of the run, with the suppressed findings.
        findings: Those that count, most important first.
        language: Language of the messages; the rules are in English.
        exit_code: How kazami itself ended; the script's own exit code by default.

    Limits:
        ``helpUri`` would have to be an absolute address, and is left out; the page of a finding within the documentation stands under ``help``.

    References:
        OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0, errata 01, 2023.
    """
    suppressed = [Finding.from_dict(item) for item in info.suppressed]
    rules = _rules([*findings, *suppressed])
    places = {rule["id"]: place for place, rule in enumerate(rules)}
    asked = [Suppression.from_dict(item) for item in info.suppressions]
    shown = [(finding, None) for finding in findings] + [(finding, suppression_of(finding, asked) or Suppression("")) for finding in suppressed]
    wind = run_wind(info, findings)
    run = {
        "tool": {"driver": {**_driver(), "rules": rules}},
        "language": language,
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": f"kazami/{info.id}"},
        "originalUriBaseIds": {ROOT: {"description": {"text": "The directory in which kazami was started."}}},
        "artifacts": [{"location": _artifact(info.script), "roles": ["analysisTarget"]}] if info.script else [],
        "invocations": [_invocation(info, exit_code)],
        "results": [_result(finding, places[finding.id], language, info.script, asked_by) for finding, asked_by in shown],
        "properties": {"verdict": verdict(info, findings).in_language(language), "wind": wind.word, "steps": info.steps},
    }
    data: dict[str, Any] = plain({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})
    return data


@cache
def _driver() -> dict[str, Any]:
    try:
        number = version("kazami")
    except PackageNotFoundError:  # run from a source tree that is not installed
        number = "0"
    return {"name": "kazami", "fullName": f"kazami {number}", "version": number, "language": "en"}


def _rules(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return the catalogue, and after it what was found by rules that are not installed here."""
    rules = [(rule.id, rule.name, rule.title.en, rule.family) for rule in sorted(all_rules(), key=lambda rule: rule.id)]
    known = {identifier for identifier, *_ in rules}
    rules += sorted({(one.id, one.name, one.name.replace("_", " "), one.family) for one in findings if one.id not in known})
    return [_rule(*rule) for rule in rules]


def _rule(identifier: str, name: str, title: str, family: str) -> dict[str, Any]:
    page = f"docs/findings/{identifier}-{name}.md"
    return {
        "id": identifier,
        "name": "".join(part.capitalize() for part in name.split("_")),
        "shortDescription": {"text": f"{title[:1].upper()}{title[1:]}."},
        "help": {"text": f"See {page}.", "markdown": f"[{title}]({page})"},
        "properties": {"tags": ["training", family], "finding": name},
    }


def _result(finding: Finding, rule: int, language: str, script: str, asked_by: Suppression | None) -> dict[str, Any]:
    text = finding.sentence.in_language(language)
    return {
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": LEVELS[finding.severity],
        "message": {"text": text},
        "locations": _locations(finding, script),
        "partialFingerprints": {"kazami/v1": _fingerprint(finding, script)},
        "suppressions": [] if asked_by is None else [_suppression(asked_by)],
        "properties": {
            "name": finding.name,
            "confidence": finding.confidence,
            "step": finding.step,
            "primary": finding.is_primary,
            "evidence": [{"name": one.name, "value": one.value, "limit": one.limit, "unit": one.unit, "source": one.source} for one in finding.evidence],
            "prescriptions": [{"name": one.name, "code": one.code} for one in finding.prescriptions],
        },
    }


def _locations(finding: Finding, script: str) -> list[dict[str, Any]]:
    location: dict[str, Any] = {}
    if finding.file or script:
        location["physicalLocation"] = _physical(finding.file or script, finding.line)
    if finding.place:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.place, "kind": "member"}]
    return [location] if location else []


def _physical(file: str, line: int | None) -> dict[str, Any]:
    return {"artifactLocation": _artifact(file), "region": {"startLine": line or 1}}


def _artifact(file: str) -> dict[str, Any]:
    path = PurePath(file)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": ROOT}


def _fingerprint(finding: Finding, script: str) -> str:
    return hashlib.sha256("\n".join((finding.id, PurePath(finding.file or script).as_posix(), finding.place)).encode("utf-8", "replace")).hexdigest()[:32]


def _suppression(asked_by: Suppression) -> dict[str, Any]:
    described: dict[str, Any] = {"kind": "inSource" if asked_by.kind == "in_source" else "external", "status": "accepted"}
    if asked_by.reason:
        described["justification"] = asked_by.reason
    if asked_by.file and asked_by.line is not None:
        described["location"] = {"physicalLocation": _physical(asked_by.file, asked_by.line)}
    return described


def _invocation(info: RunInfo, exit_code: int | None) -> dict[str, Any]:
    code = info.exit_code if exit_code is None else exit_code
    described = {
        "commandLine": info.command or None,
        "executionSuccessful": info.reason in ("finished", "stopped", "exit", ""),
        "exitCode": code,
        "exitCodeDescription": info.reason or None,
        "startTimeUtc": _utc(info.started),
        "endTimeUtc": _utc(info.ended),
        "toolExecutionNotifications": [{"level": "warning", "message": {"text": sentence}} for sentence in info.blind],
    }
    return {key: value for key, value in described.items() if value is not None}


def _utc(time: str) -> str | None:
    """Return a time as SARIF wants it, in UTC with a ``Z``; ``None`` where it is not known."""
    try:
        return datetime.fromisoformat(time).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None
