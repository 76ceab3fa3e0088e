"""What a cure leaves behind: a run directory with the proof, its report and the diff, and on request the user's files with the change written into them."""

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..edits import encoded
from ..errors import CannotWrite, UsageError
from ..records import Launch, Proof, Trace
from ..reports.proof_html import render_proof_html
from ..storage import StoredProof, default_location, trace_head, write_proof
from ..watch.writing import RunDirectory, now, weather, write_whole

BACKUP = ".orig"  # as patch(1) names it


def kept(
    proof: Proof, command: str, *, stem: str, location: str | None, diff: str, patch: bytes, lines: str, language: str, launch: Launch | None = None
) -> str:
    """Write a run directory for a cure, and return its place.

    Args:
        proof: What was found.
        command: The command line.
        stem: Name of what was cured, for the directory's.
        location: The directory; ``None``: ``runs/<date>-<stem>-cure-<n>``.
        diff: The change of the user's files, to be read.
        patch: The same as bytes, each file's lines in its own encoding.
        lines: What is to be written by hand.
        language: Of the report.
        launch: How the script is started, ``None`` for what is no script.

    Raises:
        RunTaken: The directory already holds a run.
        CannotWrite: It cannot be written.
    """
    place = location or default_location(f"{stem}-cure")
    directory = RunDirectory(place, command, launch=launch)
    before = proof.trace_before if isinstance(proof.trace_before, Trace) else None
    after = proof.trace_after if isinstance(proof.trace_after, Trace) else None
    findings = [finding.to_dict() for finding in proof.findings]
    verdict = {"en": proof.verdict.en, "ja": proof.verdict.ja}
    head = {"trace": trace_head(before)} if before is not None else {}
    steps = len(proof.losses_before[0]) if proof.losses_before else 0
    info = replace(directory.info, ended=now(), reason="finished", exit_code=0, steps=steps, verdict=verdict, findings=findings, **weather(proof.findings))
    try:
        write_proof(place, StoredProof(proof, diff, lines, before, after))
        if patch:
            write_whole(f"{place}/cure.diff", patch)
        write_whole(f"{place}/report.html", render_proof_html(info, proof, diff=diff, lines=lines, before=before, after=after, language=language))
    except OSError as error:
        raise CannotWrite(f"The proof cannot be written to {place}: {error.strerror or error}.") from None
    if directory.writer is not None:
        names = ("ended", "reason", "exit_code", "steps", "verdict", "findings", "wind")
        directory.writer.close(**{name: getattr(info, name) for name in names}, **head)
    return place


def applied(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str]]:
    """Write changed files in place of the user's, each with a backup beside it; return the pairs of file and backup.

    Raises:
        UsageError: A file is no longer what was tried; nothing is written then.
        CannotWrite: A file cannot be written; those before it are changed, with their backups.
    """
    changed = {path: text for path, text in after.items() if before.get(path) != text}
    for path in changed:
        with open(path, "rb") as file:
            if file.read() != encoded(before[path]):
                raise UsageError(f"{path} has changed since the trials began, so the change was not written. Run kazami cure again.")
    done: list[tuple[str, str]] = []
    for path, text in changed.items():
        backup = _free(path + BACKUP)
        try:
            with open(backup, "xb") as file:
                file.write(encoded(before[path]))
            temporary = f"{path}.{os.getpid()}.tmp"
            with open(temporary, "wb") as file:
                file.write(encoded(text))
            os.chmod(temporary, os.stat(path).st_mode)
            os.replace(temporary, os.path.realpath(path))
        except OSError as error:
            raise CannotWrite(f"{path} cannot be changed: {error.strerror or error}.") from None
        done.append((path, backup))
    return done


def _free(path: str) -> str:
    number, free = 2, path
    while os.path.lexists(free):
        number, free = number + 1, f"{path}{number}"
    return free


def finite(value: Any) -> Any:
    """Return plain data in which numbers that JSON does not know are ``null``."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
