"""The cures of a run, followed."""

from dataclasses import replace
from typing import ClassVar

from ..house import House
from ..routes.cures import curing_of
from ..wire_cures import CureBoard
from ._base import AbstractTopic


class CuresOfRun(AbstractTopic):
    """``cures:<run>``: a `CureBoard`; a delta is the whole again, sent when it changed in more than its age."""

    prefix: ClassVar[str] = "cures"
    period: ClassVar[float] = 1.0

    def __init__(self, house: House, name: str) -> None:
        self._curing = curing_of(house)
        self._run = name
        self._known: CureBoard | None = None

    def snapshot(self) -> CureBoard:
        """Return the board."""
        self._known = self._curing.board(self._run)
        return self._known

    def poll(self) -> CureBoard | None:
        """Return the board if it changed."""
        now = self._curing.board(self._run)
        if _ageless(now) == _ageless(self._known):
            return None
        self._known = now
        return now

    def close(self) -> None:
        """Nothing is held: a cure goes on though nobody looks."""


def _ageless(board: CureBoard | None) -> CureBoard | None:
    return board if board is None or board.job is None else replace(board, job=replace(board.job, elapsed=0.0))
