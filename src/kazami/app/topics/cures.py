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
        now = self._curing.board(self._run)
        self._known = self._known or now  # what changed since is still news to those who came before
        return now

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
    if board is None:
        return None
    return replace(board, read_at=0.0, job=replace(board.job, elapsed=0.0) if board.job is not None else None)
