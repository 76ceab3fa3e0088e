"""The list of runs."""

import time
from typing import ClassVar

from ..house import House
from ..wire import RunList
from ._base import AbstractTopic

FEWEST_SECONDS = 1.0
SHARE = 0.02  # of the time at most is spent on looking through the folder


class Runs(AbstractTopic):
    """All runs of the folder; a delta is the whole list again, sent when it changed."""

    prefix: ClassVar[str] = "runs"
    period: ClassVar[float] = FEWEST_SECONDS

    def __init__(self, house: House, name: str) -> None:
        del name
        self._folder = house.folder
        self._known: RunList | None = None
        self._next = 0.0

    def snapshot(self) -> RunList:
        """Return the list."""
        now = self._folder.list()
        self._known = self._known or now  # what changed since is still news to those who came before
        return now

    def poll(self) -> RunList | None:
        """Return the list if it changed; a long list is looked through less often."""
        if time.monotonic() < self._next:
            return None
        began = time.monotonic()
        now = self._folder.list()
        self._next = began + (time.monotonic() - began) / SHARE
        if now == self._known:
            return None
        self._known = now
        return now

    def close(self) -> None:
        """Nothing is held."""
