"""What every topic has in common."""

from abc import ABC, abstractmethod
from typing import ClassVar

from ..house import House


class AbstractTopic(ABC):
    """One thing that pages follow: a snapshot for who comes, deltas for who stays.

    All methods are called from one thread at a time, never from the server's own; while nobody follows, none is called.

    Args:
        house: What the server has.
        name: What stands behind the colon, empty where nothing does.

    Raises:
        KazamiError: There is nothing of this name; the page is told why.
    """

    prefix: ClassVar[str]
    period: ClassVar[float] = 0.1  # seconds between two looks, 0.1 at least

    @abstractmethod
    def __init__(self, house: House, name: str) -> None: ...

    @abstractmethod
    def snapshot(self) -> object:
        """Return the whole, as a record."""

    @abstractmethod
    def poll(self) -> object | None:
        """Return what is new since the last call, as a record, or ``None``."""

    @abstractmethod
    def close(self) -> None:
        """Let go: nobody follows any more."""
