"""What the server has, as routes and topics see it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from .folder import RunFolder

Thing = TypeVar("Thing")


class AbstractClosing(ABC):
    """A thing that must be told when the server ends: it holds processes or threads."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything."""


@dataclass(frozen=True, slots=True)
class House:
    """What routes and topics share.

    Attributes:
        folder: The runs.
        is_local: Whether only this machine can reach the server.
        things: What a room of the house made for itself and keeps while the server lives, by its class.
    """

    folder: RunFolder
    is_local: bool = True
    things: dict[type, object] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, kind: type[Thing], make: Callable[[], Thing]) -> Thing:
        """Return the one object of ``kind``, made at the first call: a pool of workers, a table of sessions."""
        with self._lock:
            found = self.things.get(kind)
            if not isinstance(found, kind):
                found = make()
                self.things[kind] = found
            return found

    def close(self) -> None:
        """Close what must be closed; the server ends."""
        with self._lock:
            closing = [thing for thing in self.things.values() if isinstance(thing, AbstractClosing)]
        for thing in closing:
            thing.close()
