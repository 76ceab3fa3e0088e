"""What the server has, as routes and topics see it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from .folder import RunFolder

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class House:
    """What routes and topics share.

    Attributes:
        folder: The runs.
        things: What a room of the house made for itself and keeps while the server lives, by its class.
    """

    folder: RunFolder
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
