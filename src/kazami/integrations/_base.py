"""What all integrations stand on: one training's watch, opened and closed by the callbacks of a framework."""

import copy
import inspect
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from types import FrameType
from typing import Any

from ..errors import CannotWatch, RunTaken
from ..records import Finding
from ..sinks import AbstractSink
from ..watch import watch
from ..watch.watching import Watch, innermost

MOST_RUNS = 10_000


class Attachment:
    """The watch of one framework's training: opened when the training begins, closed when it ends, however it ends.

    What was found outlasts copying and pickling; the watching itself stays behind, as hooks belong to one process.

    Args:
        trains: The framework's functions inside which a training runs. Some frameworks tell nobody of an exception; then the watch is closed when someone asks
            for the findings and none of these is being run.
        run: A run directory to write; where it is taken, ``-2``, ``-3`` and so on are added: one callback may see several trainings.
        every: Record every so many steps; by default the measured cost decides.
        dynamics: Measure sharpness and local Lyapunov exponents at every step, whatever it costs.
        sinks: Loggers, as `kazami.watch` takes them. A sink of the user's own gets the first training; each later one gets a copy of it as it was before.
    """

    def __init__(
        self, *trains: Callable[..., Any], run: str | None = None, every: int | None = None, dynamics: bool = False, sinks: Iterable[str | AbstractSink] = ()
    ) -> None:
        self._trains = trains
        self._options: dict[str, Any] = {"every": every, "dynamics": dynamics}
        self._run = run
        self._sinks = sinks
        self._watch: Watch | None = None
        self._last: tuple[list[Finding], str] = [], ""
        self._watched: list[Any] = []
        self._thread = 0
        self._closing: Callable[[], object] = list

    def begin(self, *watched: Any) -> None:
        """Open the watch. Where the same optimizers go on training (another ``partial_fit``), the same watch goes on."""
        self._closing()
        things = [innermost(thing) for thing in watched if thing is not None]
        is_continued = self._run is None and self._watch is not None and _same(self._watched, things)
        if is_continued and self._watch is not None:
            self._watch.observer.attach()
        else:
            self._watch = self._opened(things)
        self._watched = [weakref.ref(thing) for thing in things]
        self._thread = threading.get_ident()
        self._closing = weakref.finalize(self, self._watch.close)

    def close(self) -> None:
        """End the watching; what was seen stays."""
        self._closing()

    @property
    def watch(self) -> Watch:
        """The newest watch.

        Raises:
            CannotWatch: There is none: no training has begun in this process.
        """
        self._close_what_ended()
        if self._watch is None:
            raise CannotWatch("There is no watch yet: it is opened when the training begins, in the process that trains.")
        return self._watch

    @property
    def findings(self) -> list[Finding]:
        """What is found so far, most important first; empty before the training."""
        self._close_what_ended()
        return self._watch.findings if self._watch is not None else self._last[0]

    @property
    def verdict(self) -> str:
        """One sentence on the training so far; empty before it."""
        self._close_what_ended()
        return self._watch.verdict if self._watch is not None else self._last[1]

    def __getstate__(self) -> dict[str, Any]:
        """Return the options and what was found so far."""
        found = (self._watch.findings, self._watch.verdict) if self._watch is not None else self._last
        return {"trains": self._trains, "options": self._options, "run": self._run, "sinks": self._sinks, "last": found}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin again with the same options."""
        self.__init__(*state["trains"], run=state["run"], sinks=state["sinks"], **state["options"])  # type: ignore[misc]  # the class is final
        self._last = state["last"]

    # -- pieces

    def _opened(self, things: list[Any]) -> Watch:
        sinks, self._sinks = self._sinks, _unused(self._sinks)
        for number in range(1, MOST_RUNS):
            place = self._run if self._run is None or number == 1 else f"{self._run.rstrip('/')}-{number}"
            try:
                return watch(*things, run=place, sinks=sinks, **self._options)
            except RunTaken:
                continue
        raise RunTaken(f"{self._run} and {MOST_RUNS} more beside it are taken. Name another run directory.")

    def _close_what_ended(self) -> None:
        if self._trains and threading.get_ident() == self._thread and not _is_running(self._trains):
            self._closing()


class AbstractCallback:
    """What all callbacks offer their users: the watch of the newest training, its findings and its verdict."""

    attachment_: Attachment  # by the convention of scikit-learn, whose clones must not take it for a setting

    @property
    def watch(self) -> Watch:
        """The watch of the newest training."""
        return self.attachment_.watch

    @property
    def findings(self) -> list[Finding]:
        """What is found so far, most important first."""
        return self.attachment_.findings

    @property
    def verdict(self) -> str:
        """One sentence on the training so far."""
        return self.attachment_.verdict

    def close(self) -> None:
        """End the watching before the training does."""
        self.attachment_.close()


def _unused(sinks: Iterable[str | AbstractSink]) -> Iterable[str | AbstractSink]:
    """Return the same for one more training, before anything is opened: a sink lives for one."""
    return sinks if isinstance(sinks, str | AbstractSink) else [copy.copy(sink) for sink in sinks]  # no list: `watch` says how it should be


def _same(before: list[Any], now: list[Any]) -> bool:
    return len(before) == len(now) and all(known() is thing for known, thing in zip(before, now, strict=True))


def _is_running(functions: Sequence[Callable[..., Any]]) -> bool:
    code = {inspect.unwrap(function).__code__ for function in functions}
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code in code:
            return True
        frame = frame.f_back
    return False
