"""Tells a watched training to its sinks: rows as they are recorded, findings as they become certain, the report at the end."""

import atexit
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..records import Finding, Sentence
from ..sinks import AbstractSink, Broadcast
from .ranks import is_first_rank as is_first_rank

if TYPE_CHECKING:
    from .observer import Observer
    from .player import Player

LOOK_SECONDS = 2.0
LOOK_SHARE = 0.02  # of the time may go into examining what was seen so far
HURRY_S = 2.0  # after SIGTERM; the rescue of the script's runner kills after five seconds


def warned(sentence: Sentence) -> None:
    """Say what went wrong with a sink as a warning; on stderr where warnings are errors, for a training must not stop for it."""
    try:
        warnings.warn(sentence.en, RuntimeWarning, stacklevel=2)
    except RuntimeWarning:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"kazami: {sentence.en}\n")


class Telling:
    """Tells one training to its sinks; no method can hurt the training.

    Args:
        sinks: The sinks.
        warn: Gets one sentence for each sink that is in trouble.
    """

    def __init__(self, sinks: Sequence[AbstractSink], warn: Callable[[Sentence], None] = warned) -> None:
        self._broadcast = Broadcast(sinks, warn)
        self._observer: Observer | None = None
        self._looked_at = time.monotonic()
        self._look_cost = 0.0
        self._pid = os.getpid()
        self._looked: Sequence[Finding] = ()

    def follow(self, observer: "Observer") -> None:
        """Follow a training that is watched from Python: after whoever else listens to its steps, and until `close` or the end of the process."""
        former = observer.on_step
        self._observer = observer

        def step_ended(player: "Player", step: int, is_sampled: bool) -> None:
            if former is not None:
                former(player, step, is_sampled)
            if player is observer.players[0] and self._broadcast.is_open:
                is_time = time.monotonic() - self._looked_at > max(LOOK_SECONDS, self._look_cost / LOOK_SHARE)
                self.step(player, step, self._look(observer) if is_time else ())

        observer.on_step = step_ended
        atexit.register(self.close)

    def step(self, player: "Player", step: int, findings: Sequence[Finding]) -> None:
        """Tell one step of the training's first player, and what two looks in a row have found; remarks wait for the end, since many of them pass."""
        if not self._broadcast.is_open:
            return
        if findings and findings is not self._looked:
            former, self._looked = {finding.name for finding in self._looked}, findings
            self._broadcast.findings(step, [finding for finding in findings if finding.name in former and finding.severity != "info"])
        self._broadcast.row(step, player.row(step), [layer.name for layer in player.layers])

    def end(self, step: int, findings: Sequence[Finding], report: str | None, *, is_hurried: bool = False) -> None:
        """Tell the last findings and the report, and close the sinks, waiting for them for a limited time."""
        self._broadcast.findings(step, findings)
        if report is not None and os.path.isfile(report):
            self._broadcast.report(os.path.abspath(report))
        if is_hurried:
            self._broadcast.close(HURRY_S)
        else:
            self._broadcast.close()

    def close(self) -> None:
        """End the telling of a training that is watched from Python, with its report."""
        atexit.unregister(self.close)
        observer, self._observer = self._observer, None
        if observer is None or os.getpid() != self._pid:
            return
        folder = tempfile.mkdtemp(prefix="kazami-") if self._broadcast.is_open else ""
        try:
            findings, report = _report(observer, folder) if folder else ([], None)
            self.end(max(observer.clock - 1, 0), findings, report)
        except OSError as error:
            warned(Sentence(f"The report for the sinks cannot be written ({error.strerror or error}).", ""))
            self._broadcast.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _look(self, observer: "Observer") -> list[Finding]:
        from .watching import findings_of  # opened here: the watching room's door imports this file

        began = time.monotonic()
        findings = findings_of(observer)
        self._looked_at = time.monotonic()
        self._look_cost = self._looked_at - began
        return findings


def _report(observer: "Observer", folder: str) -> tuple[list[Finding], str | None]:
    """Return the last findings and the path of a report, ``None`` where no optimizer stepped."""
    from .page import page_of
    from .watching import findings_of

    findings = findings_of(observer)
    if not observer.players or not observer.players[0].steps:
        return findings, None
    path = os.path.join(folder, "report.html")
    with open(path, "w", encoding="utf-8") as file:
        file.write(page_of(observer, findings))
    return findings, path
