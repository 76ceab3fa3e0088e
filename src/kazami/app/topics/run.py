"""One run, followed while it is written."""

from typing import ClassVar

from ..following import RunFollower
from ..house import House
from ..wire import RunDelta, RunSnapshot
from ._base import AbstractTopic


class Run(AbstractTopic):
    """``run:<id>``: a `RunSnapshot`, then `RunDelta`."""

    prefix: ClassVar[str] = "run"

    def __init__(self, house: House, name: str) -> None:
        self._follower = RunFollower(house.folder, name)

    def snapshot(self) -> RunSnapshot:
        """Return the run as it is."""
        return self._follower.snapshot()

    def poll(self) -> RunDelta | None:
        """Return what is new."""
        return self._follower.poll()

    def close(self) -> None:
        """Let the training write no live tail any more."""
        self._follower.close()
