"""A note on a step of a run."""

from typing import ClassVar

from ..marks import add_mark
from ..refusals import BadRequest
from ..wire import Done, MarkRequest
from ._base import AbstractRoute, Asked


class Mark(AbstractRoute):
    """``POST /api/runs/{run}/marks``: a `MarkRequest`; the note is a line of ``marks.jsonl`` in the run directory."""

    path: ClassVar[str] = "/api/runs/{run}/marks"
    method: ClassVar[str] = "POST"

    def answer(self, asked: Asked) -> Done:
        """Write the note."""
        wish = asked.body_as(MarkRequest)
        place = self.house.folder.place(asked.path["run"])
        if wish.step < 0 or not wish.text.strip():
            raise BadRequest("A note needs a step and a text.", "メモにはステップと本文が必要です。")
        try:
            is_kept = add_mark(place, wish.step, wish.text.strip())
        except OSError as error:
            why = error.strerror or str(error)
            raise BadRequest(f"The note cannot be written into the run directory ({why}).", f"実行ディレクトリにメモを書き込めません（{why}）。") from None
        if not is_kept:
            raise BadRequest("This run has as many notes as it can hold.", "この実行のメモは上限に達しています。")
        return Done()
