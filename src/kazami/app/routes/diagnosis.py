"""A run examined now, with today's rules."""

from typing import ClassVar

from ...reports.view import view
from ...watch.stored import stored_report
from ._base import AbstractRoute, Asked


class Diagnosis(AbstractRoute):
    """``GET /api/runs/{run}/diagnosis``: the words of a `View`, without numbers of pictures."""

    path: ClassVar[str] = "/api/runs/{run}/diagnosis"

    def answer(self, asked: Asked) -> object:
        """Examine the run."""
        stored = stored_report(str(self.house.folder.place(asked.path["run"])))
        return view(stored.info, stored.trace, stored.findings, columns=0)
