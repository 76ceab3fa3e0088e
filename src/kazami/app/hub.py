"""The hub: one stream of server-sent events a tab, each frame encoded once for all, slow tabs skip, nobody watching costs nothing."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ..errors import KazamiError, UsageError
from ..records.finding import Sentence
from ..registry import plugins
from .folder import trouble_of
from .house import House
from .topics._base import AbstractTopic
from .wire import Envelope, Problem, encoded

Result = TypeVar("Result")

FRAMES = 64  # kept of each topic: a tab that is further behind gets a snapshot
LINGER = 20.0  # seconds a topic outlives its last follower, so that a reload finds it warm
PING = 4.0
FASTEST = 0.1
BUSY = Problem("busy", Sentence("Too much is followed at once.", "同時に追跡できる数を超えています。"))
MOST_TOPICS, MOST_TOPICS_A_TAB, MOST_TABS = 48, 8, 64


class Hub:
    """All topics that are followed.

    Args:
        house: What topics are made of.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._lines: dict[str, _Line] = {}
        self._kinds: Mapping[str, type[AbstractTopic]] = {kind.prefix: kind for kind in plugins(f"{__package__}.topics", AbstractTopic)}
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="kazami-topic")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wakes: set[asyncio.Event] = set()
        self._is_ending = False
        self.n_tabs = 0
        self.last_seen = time.monotonic()

    async def stream(self, topics: Sequence[str], positions: Mapping[str, str]) -> AsyncIterator[bytes]:
        """Yield server-sent events on ``topics`` until the tab goes.

        Args:
            topics: At most 8.
            positions: Where the tab already stands, by topic.
        """
        if self.is_full:  # many came in the same moment
            return
        self.n_tabs += 1
        try:
            async for event in self._events(list(dict.fromkeys(topics))[:MOST_TOPICS_A_TAB], dict(positions)):
                yield event
        finally:
            self.n_tabs -= 1
            self.last_seen = time.monotonic()

    def end_streams(self) -> None:
        """End all streams: the server is about to stop. From any thread."""
        self._is_ending = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for wake in self._wakes:
            wake.set()

    @property
    def is_full(self) -> bool:
        """Whether no further tab is let in."""
        return self.n_tabs >= MOST_TABS

    def close(self) -> None:
        """End all topics."""
        for line in self._lines.values():
            line.end()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _events(self, topics: list[str], positions: dict[str, str]) -> AsyncIterator[bytes]:
        wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._wakes.add(wake)
        lines = {topic: line for topic in topics if (line := self._line(topic)) is not None}
        yield b"retry: 1000\n\n"
        for topic in set(topics) - set(lines):
            yield _event(Envelope(topic, "problem", "", BUSY), positions)
        try:
            for line in lines.values():
                line.enter(wake)
            while not self._is_ending:
                wake.clear()
                for topic, message in await _new(lines, positions):
                    positions[topic] = message.position
                    yield _framed(message.body, positions)
                if not await _is_woken(wake):
                    yield b"event: ping\ndata: {}\n\n"
        finally:
            self._wakes.discard(wake)
            for line in lines.values():
                line.leave(wake)

    def _line(self, topic: str) -> "_Line | None":
        for name in [name for name, line in self._lines.items() if line.is_over]:
            del self._lines[name]
        if topic not in self._lines:
            if len(self._lines) >= MOST_TOPICS:
                return None
            self._lines[topic] = _Line(topic, self._kinds, self._house, self._threads)
        return self._lines[topic]


async def _is_woken(wake: asyncio.Event) -> bool:
    """Wait until there is news, or until it is time to say that we are still there."""
    try:
        await asyncio.wait_for(wake.wait(), PING)
    except TimeoutError:
        return False
    return True


async def _new(lines: Mapping[str, "_Line"], positions: Mapping[str, str]) -> list[tuple[str, "_Message"]]:
    """Return what came on each topic after the tab's position."""
    return [(topic, message) for topic, line in lines.items() for message in await line.after(positions.get(topic, ""))]


class _Message:
    """One encoded message, and where the topic stands after it."""

    __slots__ = ("body", "position")

    def __init__(self, position: str, body: bytes) -> None:
        self.position = position
        self.body = body


class _Line:
    """One topic with those who follow it."""

    def __init__(self, topic: str, kinds: Mapping[str, type[AbstractTopic]], house: House, threads: ThreadPoolExecutor) -> None:
        self._name = topic
        self._kinds = kinds
        self._house = house
        self._threads = threads
        self._epoch = secrets.token_hex(4)
        self._count = 0
        self._frames: deque[_Message] = deque(maxlen=FRAMES)
        self._whole: _Message | None = None
        self._topic: AbstractTopic | None = None
        self._problem: _Message | None = None
        self._followers: set[asyncio.Event] = set()
        self._left_at = time.monotonic()
        self._one_at_a_time = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.is_over = False

    def enter(self, wake: asyncio.Event) -> None:
        """Follow; ``wake`` is set when there is news."""
        self._followers.add(wake)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def leave(self, wake: asyncio.Event) -> None:
        """Follow no more."""
        self._followers.discard(wake)
        self._left_at = time.monotonic()

    def end(self) -> None:
        """Stop at once."""
        self.is_over = True
        if self._task is not None:
            self._task.cancel()

    async def after(self, position: str) -> list[_Message]:
        """Return what came after ``position``: the frames, or the whole where these are gone or the position is none of ours."""
        if self._problem is not None:
            return [] if position == self._problem.position else [self._problem]
        if self._topic is None:
            return []
        epoch, _, count = position.partition(".")
        behind = self._count - int(count) if epoch == self._epoch and count.isascii() and count.isdigit() and len(count) < 16 else -1
        if 0 <= behind <= len(self._frames):
            return list(self._frames)[len(self._frames) - behind :]
        async with self._one_at_a_time:
            if self._whole is None or self._whole.position != self._position():
                self._whole = _Message(self._position(), await self._in_thread(self._encoded_snapshot))
            return [self._whole]

    def _position(self) -> str:
        return f"{self._epoch}.{self._count}"

    async def _run(self) -> None:
        try:
            await self._open()
            while self._topic is not None and (self._followers or time.monotonic() - self._left_at < LINGER):
                await asyncio.sleep(max(self._topic.period, FASTEST))
                if self._followers:
                    await self._look()
        except Exception as error:  # the page is told; the server goes on
            self._say(_problem_of(error))
        finally:
            topic, self._topic = self._topic, None
            if topic is not None:
                topic.close()
            while self._followers and self._problem is not None:
                await asyncio.sleep(1.0)
            self.is_over = True

    async def _open(self) -> None:
        prefix, _, name = self._name.partition(":")
        kind = self._kinds.get(prefix)
        if kind is None:
            raise UsageError(f'There is no topic "{prefix[:40]}".')
        self._topic = await self._in_thread(lambda: kind(self._house, name))
        self._wake_all()

    async def _look(self) -> None:
        async with self._one_at_a_time:
            body = await self._in_thread(self._encoded_delta)
            if body is not None:
                self._count += 1
                self._frames.append(_Message(self._position(), body))
                self._whole = None
                self._wake_all()

    def _encoded_snapshot(self) -> bytes:
        if self._topic is None:
            raise UsageError("The topic is closed.")
        return encoded(Envelope(self._name, "snapshot", self._position(), self._topic.snapshot()))

    def _encoded_delta(self) -> bytes | None:
        news = self._topic.poll() if self._topic is not None else None
        return None if news is None else encoded(Envelope(self._name, "delta", f"{self._epoch}.{self._count + 1}", news))

    async def _in_thread(self, function: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    def _say(self, problem: Problem) -> None:
        self._problem = _Message("problem", encoded(Envelope(self._name, "problem", "problem", problem)))
        self._wake_all()

    def _wake_all(self) -> None:
        for wake in self._followers:
            wake.set()


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, KazamiError):
        return Problem(type(error).__name__, trouble_of(error))
    text = f"{type(error).__name__}: {error}"
    return Problem("mistake", Sentence(f"This is a mistake in kazami ({text}).", f"kazami 側の誤りです（{text}）。"))


def _event(envelope: Envelope, positions: Mapping[str, str]) -> bytes:
    return _framed(encoded(envelope), positions)


def _framed(body: bytes, positions: Mapping[str, str]) -> bytes:
    where = ",".join(f"{topic}@{position}" for topic, position in positions.items())
    return b"id: " + where.encode() + b"\ndata: " + body + b"\n\n"


def positions_in(text: str) -> dict[str, str]:
    """Return the positions that an event id names.

    >>> positions_in("run:a@1f.7,runs@2e.0")
    {'run:a': '1f.7', 'runs': '2e.0'}
    """
    pairs = (part.rpartition("@") for part in text.split(",") if "@" in part)
    return {topic: position for topic, _, position in pairs}
