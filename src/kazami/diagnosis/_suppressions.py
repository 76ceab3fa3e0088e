"""Suppressions: ``# kazami: ignore[KZ104]`` in the user's source, ``--ignore KZ104`` on the command line, and what they do to a list of findings."""

import io
import re
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import UsageError, closest
from ..records.finding import Finding, Sentence
from ..records.suppression import Suppression
from ._examine import all_rules

# A comment may hold others before it ("# type: int  # kazami: ignore[KZ104] the last layer is sparse on purpose").
_COMMENT = re.compile(r"#\s*kazami\s*:\s*(?P<verb>[\w-]+)\s*(?P<list>\[[^\]]*\]?)?\s*(?P<reason>[^#]*)")
VERBS = ("ignore", "ignore-file")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the comments of one file ask for.

    Attributes:
        suppressions: In the order of their lines.
        warnings: One sentence for each comment that cannot be followed.
    """

    suppressions: tuple[Suppression, ...] = ()
    warnings: tuple[Sentence, ...] = ()


def wishes_of(source: bytes, file: str = "") -> Wishes:
    """Return what the comments of a Python file ask to leave out.

    - ``# kazami: ignore[KZ104]`` or ``ignore[dead_units, KZ201]``, on any line: these findings are left out of the run.
    - ``# kazami: ignore``: what is found at this very line is left out; where a finding points at no line, nothing.
    - ``# kazami: ignore-file[KZ104]``: as the first; ``# kazami: ignore-file``: everything is left out.

    Comments are what Python's own tokenizer calls comments, so the same words in a string ask for nothing.

    Args:
        source: The file's bytes; its encoding is found as Python finds it.
        file: Its name, for the suppressions and the warnings.

    Limits:
        A file that Python cannot read is followed up to where it stops being Python.

    Example:
        >>> [one.what for one in wishes_of(b"x = '# kazami: ignore[KZ201]'  # kazami: ignore[dead_units, kz105]").suppressions]
        ['dead_units', 'KZ105']
    """
    if b"kazami" not in source:
        return Wishes()
    asked: list[Suppression] = []
    warnings: list[Sentence] = []
    for line, comment in _comments(source):
        for match in _COMMENT.finditer(comment):
            suppressions, trouble = _one(match, file, line)
            asked += suppressions
            warnings += trouble
    return Wishes(tuple(asked), tuple(dict.fromkeys(warnings)))


def asked_by_option(text: str) -> tuple[Suppression, ...]:
    """Return what ``--ignore KZ104,dead_units`` asks for.

    Raises:
        UsageError: No finding has one of these identifiers or names.

    Example:
        >>> [one.what for one in asked_by_option("KZ104, lr_too_high")]
        ['KZ104', 'lr_too_high']
    """
    names = [_spelt(part) for part in text.split(",") if part.strip()]
    for name in names:
        if name not in known_names():
            raise UsageError(f"--ignore names {name!r}, which no finding is called.{_did_you_mean(name)}")
    return tuple(Suppression(name, "external") for name in names)


def without_suppressed(findings: Sequence[Finding], suppressions: Iterable[Suppression]) -> tuple[list[Finding], list[Finding]]:
    """Return the findings that count, the primary one first, and those that were left out.

    Where the primary finding is left out, the first of the others that is more than a remark becomes primary, and takes over what was excluded. What the
    left-out finding explained stays the remark that it had become.
    """
    asked = tuple(suppressions)
    left_out = [finding for finding in findings if suppression_of(finding, asked) is not None]
    if not left_out:
        return list(findings), []
    counting = [finding for finding in findings if finding not in left_out]
    former = next((finding for finding in left_out if finding.is_primary), None)
    place = next((place for place, finding in enumerate(counting) if finding.severity != "info"), None)
    if former is not None and place is not None:
        others = tuple(finding.name for finding in counting if finding.severity != "info")[1:]
        counting[place] = counting[place].replaced(is_primary=True, not_the_cause=former.not_the_cause, related=others)
    return counting, [finding.replaced(is_primary=False) for finding in left_out]


def suppression_of(finding: Finding, suppressions: Iterable[Suppression]) -> Suppression | None:
    """Return the first suppression that holds for a finding, ``None`` where none does."""
    return next((one for one in suppressions if _holds(one, finding)), None)


def _holds(one: Suppression, finding: Finding) -> bool:
    if one.what:
        return one.what in (finding.id, finding.name)
    return one.line is None or (one.line == finding.line and one.file == finding.file)


def known_names() -> frozenset[str]:
    """Return the identifiers and the names of all findings."""
    return frozenset(name for rule in all_rules() for name in (rule.id, rule.name))


def _comments(source: bytes) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    try:
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            if token.type == tokenize.COMMENT:
                found.append((token.start[0], token.string))
    except (tokenize.TokenError, SyntaxError, UnicodeDecodeError, ValueError):  # Python itself will say so
        pass
    return found


def _one(match: re.Match[str], file: str, line: int) -> tuple[list[Suppression], list[Sentence]]:
    verb, listed, reason = match["verb"].lower().replace("_", "-"), match["list"], match["reason"].strip(" \t-–—:,.")
    where = f"{file}:{line}" if file else str(line)
    if verb not in VERBS:
        near = closest(verb, VERBS)  # what comes near to none is a remark for people
        return [], [_not_followed(where, f"# kazami: {verb}", near)] if near else []
    if listed is None:
        return [Suppression("", "in_source", file, line if verb == "ignore" else None, reason)], []
    names = [_spelt(part) for part in listed.strip("[]").split(",") if part.strip()]
    if not listed.endswith("]") or not names:
        return [], [_not_followed(where, f"# kazami: {verb}{listed}", f"{verb}[KZ104]")]
    unknown = [name for name in names if name not in known_names()]
    known = [Suppression(name, "in_source", file, line, reason) for name in names if name not in unknown]
    return known, [_unknown(where, name) for name in unknown]


def _spelt(name: str) -> str:
    """Return an identifier in capitals and a name in small letters, as they are kept."""
    name = name.strip()
    return name.upper() if re.fullmatch(r"(?i)kz\d+", name) else name.lower().replace("-", "_")


def _unknown(where: str, name: str) -> Sentence:
    near = closest(name, sorted(known_names()))
    return Sentence(
        f"{where}: no finding is called {name}, so nothing is left out for it.{_did_you_mean(name)}",
        f"{where}：{name} という所見はないため、何も抑制しません。{f'もしかして {near}？' if near else ''}",
    )


def _not_followed(where: str, said: str, near: str) -> Sentence:
    return Sentence(
        f"{where}: the comment `{said}` cannot be followed. Did you mean `# kazami: {near}`?",
        f"{where}：コメント `{said}` は解釈できません。もしかして `# kazami: {near}`？",
    )


def _did_you_mean(name: str) -> str:
    near = closest(name, sorted(known_names()))
    return f" Did you mean {near}?" if near else ""
