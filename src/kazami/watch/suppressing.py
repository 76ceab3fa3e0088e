"""Where a session joins findings with the user's script: the line a finding points at, and what a comment or ``--ignore`` leaves out of the verdict."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..diagnosis import Script, asked_by_option, located, wishes_of, without_suppressed
from ..records import Finding, RunInfo, Sentence, Suppression


@dataclass(slots=True)
class Suppressing:
    """What one session leaves out.

    Attributes:
        script: The user's script.
        asked: What its comments and the command line ask for.
        warnings: One sentence for each comment that cannot be followed.
        suppressed: What was left out of the newest findings.
    """

    script: Script = field(default_factory=lambda: Script("", None))
    asked: tuple[Suppression, ...] = ()
    warnings: tuple[Sentence, ...] = ()
    suppressed: list[Finding] = field(default_factory=list)

    @classmethod
    def of_main(cls, ignore: str | None, base: str) -> "Suppressing":
        """Return the suppressing for the script that is ``__main__`` now; one that cannot be read asks for nothing.

        Args:
            ignore: What ``--ignore`` says.
            base: The directory that paths are named from.
        """
        by_option = asked_by_option(ignore or "")
        path = getattr(sys.modules.get("__main__"), "__file__", None)
        if not isinstance(path, str):
            return cls(asked=by_option)
        try:
            with open(path, "rb") as file:
                source = file.read()
        except OSError:  # a script on stdin, or within a zip file
            return cls(asked=by_option)
        name = as_named(path, base)
        wishes = wishes_of(source, name)
        return cls(Script.read(name, source), (*by_option, *wishes.suppressions), wishes.warnings)

    def counting(self, findings: Sequence[Finding], optimizer: str = "") -> list[Finding]:
        """Return the findings that count, each with its file and line; what is left out is kept in ``suppressed``.

        Args:
            findings: Most important first.
            optimizer: Name of the optimizer's class.
        """
        placed = located(findings, self.script, optimizer)
        counting, self.suppressed = without_suppressed(placed, self.asked)
        return counting

    def marked(self, info: RunInfo) -> RunInfo:
        """Return the head of the run with the script, what was asked for and what was left out."""
        return replace(info, suppressed=[finding.to_dict() for finding in self.suppressed], **self.head())

    def head(self) -> dict[str, Any]:
        """Return what is known of it before the run, as fields of a `RunInfo`."""
        return {"script": self.script.file, "suppressions": [one.to_dict() for one in self.asked]}


def as_named(path: str, base: str) -> str:
    """Return a path as people name it: relative where it lies below the directory ``base``."""
    if not base:
        return path
    try:
        relative = os.path.relpath(path, base)
    except (OSError, ValueError):  # on another drive
        return path
    return path if relative.startswith(os.pardir) else relative


def working_directory() -> str:
    """Return the working directory, empty where it is gone."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def of_stored(info: RunInfo, findings: Sequence[Finding]) -> tuple[RunInfo, list[Finding]]:
    """Return a stored run's head and its findings, examined anew, with what its user had asked to leave out left out again.

    The lines are those that were stored with the run: its script may have changed since.
    """
    lines = {item.get("name"): (item.get("file", ""), item.get("line")) for item in [*info.findings, *info.suppressed]}
    placed = [finding.replaced(file=lines.get(finding.name, ("", None))[0], line=lines.get(finding.name, ("", None))[1]) for finding in findings]
    counting, left_out = without_suppressed(placed, [Suppression.from_dict(item) for item in info.suppressions])
    return replace(info, findings=[one.to_dict() for one in counting], suppressed=[one.to_dict() for one in left_out]), counting
