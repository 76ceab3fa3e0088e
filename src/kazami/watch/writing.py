"""Writes a run directory beside a training: rows as they are recorded, findings as they become certain, the head every few seconds."""

import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from ..errors import KazamiError
from ..records import Finding, Launch, RunInfo, Trace, wind_of
from ..storage import RunWriter, trace_head
from .ranks import this_rank

if TYPE_CHECKING:
    from .following import Follower
    from .observer import Observer
    from .player import Player

LOOK_SECONDS = 2.0
LOOK_SHARE = 0.02


class RunDirectory:
    """One run directory being written; trouble with the disk is kept as sentences and never reaches the training.

    Args:
        location: Path or fsspec URL.
        command: The command line, if any.
        launch: How the script was started.
        is_strict: Raise where the directory cannot be used, instead of watching without writing.
    """

    def __init__(self, location: str, command: str = "", *, launch: Launch | None = None, is_strict: bool = True) -> None:
        self.location = location
        self.info = RunInfo(
            id=os.path.basename(location.rstrip("/")) or location,
            command=command,
            started=now(),
            versions=versions(),
            environment=environment(),
            launch=launch.seen_from(location).to_dict() if launch is not None else {},
        )
        self.trouble: list[str] = []
        self.counting: Callable[[list[Finding]], list[Finding]] = lambda findings: findings  # a session leaves out what its user suppressed
        self.known: dict[str, int] = {}
        self.writer: RunWriter | None = None
        self.rank = this_rank()
        self._follower: Follower | None = None
        self._looked_at = time.monotonic()
        self._look_cost = 0.0
        try:
            self.writer = RunWriter(location, self.info, rank=self.rank)
        except KazamiError as error:
            if is_strict:
                raise
            self.trouble.append(str(error))

    def follow(self, observer: "Observer") -> None:
        """Have the weights of a training followed, if the directory can be written."""
        from .distributions import DistributionReader  # opened here: they need torch, which a script may never import
        from .following import Follower

        if self.writer is not None:
            observer.distributions = DistributionReader(self.writer) if not self.rank else None
            self._follower = observer.follower = Follower(observer, self.writer, self.rank)

    def unfollow(self) -> None:
        """Store the last weights."""
        if self._follower is not None:
            self._follower.finish()

    def on_step(self, observer: "Observer") -> Callable[["Player", int, bool], None]:
        """Return the callback for an observer."""

        def step_ended(player: "Player", step: int, is_sampled: bool) -> None:
            del is_sampled
            self.step_ended(observer, player, step)

        return step_ended

    def step_ended(self, observer: "Observer", player: "Player", step: int) -> list[Finding] | None:
        """Store the row of a step, and look at the whole if it is time; returns the findings then."""
        if self.writer is not None and player is observer.players[0]:
            self.writer.append(step, player.row(step))
        return self.look(observer, step)

    def look(self, observer: "Observer", step: int, *, at_once: bool = False) -> list[Finding] | None:
        """Examine what was seen so far, if it is time, and store what is new; ``None`` when it was not time."""
        began = time.monotonic()
        if not at_once and began - self._looked_at < max(LOOK_SECONDS, self._look_cost / LOOK_SHARE):
            return None
        from .watching import findings_of  # opened here: the watching room's door imports this file

        findings = self.counting(findings_of(observer))
        self.store(findings, step, observer)
        self._looked_at = time.monotonic()
        self._look_cost = self._looked_at - began
        return findings

    def store(self, findings: Sequence[Finding], step: int, observer: "Observer") -> None:
        """Write new findings as events and the newest head."""
        if self.writer is None:
            return
        for finding in findings:
            if finding.name not in self.known:
                self.known[finding.name] = step
                self.writer.event("finding", step, finding.to_dict())
        traces = observer.traces()
        self.writer.update(
            steps=max(observer.clock - 1, 0),
            findings=[f.to_dict() for f in findings],
            blind=list(observer.blind.values()),
            trace=trace_head(traces[0]) if traces else {},
            **weather(findings),
        )

    def close(self, observer: "Observer") -> None:
        """Store the last findings and weights, and close the directory of a training watched from Python."""
        self.unfollow()
        self.look(observer, observer.clock - 1, at_once=True)
        if self.writer is not None:
            self.writer.close(ended=now(), reason="finished")


def weather(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the run's wind as stored: from the primary finding, never from gradient size alone."""
    first = next((finding for finding in findings if finding.is_primary), None)
    value = first.wind if first is not None else 0.0
    return {"wind": {"word": wind_of(value).word, "value": value}}


def newest_trace(observer: "Observer") -> Trace:
    """Return the trace of the first player, an empty one where no optimizer stepped."""
    traces = observer.traces()
    return traces[0] if traces else Trace(step=0, blind=tuple(observer.blind.values()))


def now() -> str:
    """Return the time in ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Return the versions that matter for repeating a run, without importing anything."""
    found = {"python": platform.python_version()}
    for package in ("kazami", "torch", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def environment() -> dict[str, Any]:
    """Return platform and processor count."""
    return {"platform": platform.platform(), "processors": os.cpu_count(), "executable": os.path.basename(sys.executable)}


def write_whole(place: str, content: str | bytes) -> str:
    """Write a file to a path or fsspec URL, whole or not at all, and return its place."""
    import fsspec

    filesystem, path = fsspec.core.url_to_fs(place)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        filesystem.pipe_file(temporary, content.encode("utf-8") if isinstance(content, str) else content)
        filesystem.mv(temporary, path)
    except BaseException:
        with suppress(Exception):
            filesystem.rm_file(temporary)
        raise
    return place
