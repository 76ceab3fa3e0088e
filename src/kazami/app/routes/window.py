"""A stretch of a run, finer than the whole."""

from dataclasses import replace
from typing import ClassVar

from ...records.trace import Series
from ...reports.columns import MAX_COLUMNS
from ...reports.view import view
from ..refusals import BadRequest
from ._base import AbstractRoute, Asked

PICTURES = ("loss", "layer_wind", "gradient_norm")


class Window(AbstractRoute):
    """``GET /api/runs/{run}/window?first=&last=``: the numbers of the map and the loss between two steps, as a `View` whose words are those of the stretch."""

    path: ClassVar[str] = "/api/runs/{run}/window"

    def answer(self, asked: Asked) -> object:
        """Read the stretch."""
        first, last = _step(asked, "first"), _step(asked, "last")
        if last < first:
            raise BadRequest("last should not be before first.", "last は first より前にできません。")
        stored = self.house.folder.open(asked.path["run"])
        trace = stored.trace(only=PICTURES)
        part = {name: _between(series, first, last) for name, series in trace.series.items()}
        return view(stored.info, replace(trace, series=part), stored.findings, columns=MAX_COLUMNS)


def _between(series: Series, first: int, last: int) -> Series:
    kept = (series.steps >= first) & (series.steps <= last)
    return Series(series.steps[kept], series.values[kept])


def _step(asked: Asked, name: str) -> int:
    text = asked.query.get(name, "")
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise BadRequest(f"{name} should be a step.", f"{name} にはステップ番号を指定してください。")
    return int(text)
