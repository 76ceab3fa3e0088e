"""Sinks as strangers write them: one that keeps all, and some that go wrong in every way."""

import threading
from collections.abc import Callable
from typing import Any, ClassVar

from kazami.records import Finding
from kazami.sinks import AbstractSink


class Keeping(AbstractSink):
    """Keeps what it is told, in order, with the thread that told it."""

    name: ClassVar = "keeping"

    def __init__(self, setting: str = "", run: str = "", *, on_call: Callable[[str], None] = lambda what: None) -> None:
        super().__init__(setting, run)
        self.calls: list[tuple[str, Any]] = []
        self.threads: set[int] = set()
        self.on_call = on_call

    def log(self, step: int, values: dict[str, float]) -> None:
        """Keep."""
        self._keep("log", (step, values))

    def finding(self, step: int, finding: Finding) -> None:
        """Keep."""
        self._keep("finding", (step, finding))

    def artifact(self, path: str) -> None:
        """Keep what the file holds: it may go."""
        with open(path, encoding="utf-8") as file:
            self._keep("artifact", file.read())

    def close(self) -> None:
        """Keep."""
        self._keep("close", None)

    def _keep(self, what: str, about: Any) -> None:
        self.threads.add(threading.get_ident())
        self.on_call(what)
        self.calls.append((what, about))

    def of(self, what: str) -> list[Any]:
        """Return what came by one method."""
        return [about for name, about in self.calls if name == what]


class Impatient(Keeping):
    """The same, for tests that wait for it in vain."""

    name: ClassVar = "impatient"
    patience_s: ClassVar = 0.2


def hanging_at(where: str, until: threading.Event) -> Impatient:
    """Return a sink of which one method does not come back before an event that nobody sets."""

    def hang(what: str) -> None:
        if what == where:
            until.wait()

    return Impatient(on_call=hang)


def failing_at(where: str, error: BaseException) -> Keeping:
    """Return a sink of which one method raises."""

    def fail(what: str) -> None:
        if what == where:
            raise error

    return Keeping(on_call=fail)
