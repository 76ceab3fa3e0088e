"""What the head of every report says: the word for the wind, the verdict sentence, what is excluded."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..diagnosis import all_rules
from ..records.finding import SEVERITIES, Finding, Sentence
from ..records.run_info import RunInfo
from ..records.wind import SCALE, Wind, wind_of
from .words import WORDS, both

UNSEEN = Wind("not seen", "観測なし", "?", 0)  # stands where a breeze would claim too much


def primary(findings: Sequence[Finding]) -> Finding | None:
    """Return the finding that explains the others: the one marked so, else the first that is more than a note."""
    for finding in findings:
        if finding.is_primary:
            return finding
    return next((finding for finding in findings if finding.severity != "info"), None)


def by_weight(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings with the primary one first, then by severity; the given order decides among equals."""
    first = primary(findings)
    return sorted(findings, key=lambda finding: (finding is not first, -SEVERITIES.index(finding.severity)))


def run_wind(info: RunInfo, findings: Sequence[Finding]) -> Wind:
    """Return the wind of the run: as stored, else that of the primary finding, else a breeze; a run that could not be seen has no word of the scale."""
    word = info.wind.get("word")
    for wind in SCALE:
        if wind.word == word:
            return wind
    if _is_unseen(info, findings):
        return UNSEEN
    first = primary(findings)
    return wind_of(first.wind if first is not None else 0.0)


def verdict(info: RunInfo, findings: Sequence[Finding], checks: Sequence[str] = ()) -> Sentence:
    """Return the one sentence above everything: as stored, else the primary finding's, else that nothing is wrong, or that nothing could be seen.

    Args:
        info: Head of the run.
        findings: Most important first.
        checks: Names of the checks that were made.
    """
    if info.verdict.get("en"):
        return Sentence(info.verdict["en"], info.verdict.get("ja") or info.verdict["en"])
    first = primary(findings)
    if first is not None:
        return first.sentence
    if not checks and _is_unseen(info, findings):
        return WORDS["no_steps" if info.steps == 0 else "could_not_see"]
    passed = [name for name in checks if name not in suppressed_names(info)]
    return both("checks_passed", n=len(passed)) if passed else WORDS["nothing_wrong"]


def _is_unseen(info: RunInfo, findings: Sequence[Finding]) -> bool:
    """Whether silence means blindness: no finding, and no step, or a gap in what was seen with neither layers nor checks."""
    if findings:
        return False
    return info.steps == 0 or bool(info.blind and not info.trace.get("layers") and not checks_of(info))


def not_the_cause(findings: Sequence[Finding]) -> tuple[Sentence, ...]:
    """Return what was excluded: by the primary finding, or by all of them together where none is primary."""
    first = primary(findings)
    if first is not None:
        return first.not_the_cause
    return tuple(dict.fromkeys(sentence for finding in findings for sentence in finding.not_the_cause))


def suppressed_names(info: RunInfo) -> list[str]:
    """Return the names of the findings that the user left out."""
    return [str(item.get("name", "")) for item in info.suppressed]


def suppressed_in_words(info: RunInfo) -> Sentence | None:
    """Return ``"1 finding suppressed (KZ104)"``, ``None`` where nothing was left out."""
    if not info.suppressed:
        return None
    ids = ", ".join(sorted({str(item.get("id", "")) for item in info.suppressed}))
    n = len(info.suppressed)
    return both("one_suppressed_said" if n == 1 else "suppressed_said", n=n, ids=ids)


def checks_in_words(names: Sequence[str]) -> list[Sentence]:
    """Return what the checks look for, as their rules say it; the name itself for a rule that is not installed here."""
    titles = {rule.name: rule.title for rule in all_rules()}
    return [titles.get(name) or Sentence(name.replace("_", " "), name.replace("_", " ")) for name in names]


def checks_of(info: RunInfo, facts: Mapping[str, Any] | None = None) -> list[str]:
    """Return the names of the checks that were made and count, as recorded under the fact ``"checks"``."""
    stored = info.trace.get("facts") or {}
    names = (facts or {}).get("checks") or stored.get("checks") or ()
    return [str(name) for name in names if name not in suppressed_names(info)]
