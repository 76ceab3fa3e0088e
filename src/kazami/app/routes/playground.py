"""The playground: sessions are opened, advanced a little at a time, begun anew and written out."""

from dataclasses import asdict
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...playground import LIMITS, PRESETS, misfits, read_csv, read_spec
from ...playground.sights import Frame
from ...playground.tasks import TASKS
from ..playing import Playing, one_core
from ..wire_playground import AdvanceRequest, CurveSeen, Presets, SessionOpened, SessionRequest, SurfaceRequest, SurfaceSeen, TableRequest, TableTaken
from ._base import AbstractRoute, Asked, Attachment

if TYPE_CHECKING:
    from ...playground import Session

MOST_POINTS = 400


class PlaygroundPresets(AbstractRoute):
    """``GET /api/playground``: `Presets`."""

    path: ClassVar[str] = "/api/playground"

    def answer(self, asked: Asked) -> Presets:
        """List them."""
        del asked
        return Presets(PRESETS, asdict(LIMITS))


class PlaygroundOpen(AbstractRoute):
    """``POST /api/playground/sessions``: a `SessionRequest`, answered by `SessionOpened`."""

    path: ClassVar[str] = "/api/playground/sessions"
    method: ClassVar[str] = "POST"

    def answer(self, asked: Asked) -> SessionOpened:
        """Open a session, or say which widths do not fit."""
        wish = asked.body_as(SessionRequest)
        spec = read_spec(wish.spec)
        playing = self.house.of(Playing, Playing)
        table = playing.table(wish.table)
        task = table.task() if table is not None and spec.task == "table" else TASKS.get(spec.task)
        found = misfits(spec, task.n_inputs) if task is not None else []
        if found:
            return SessionOpened("", tuple(found), None, (), "")
        from ...playground import Session
        from ...playground.building import build

        with one_core():
            session = Session(spec, table)
            return SessionOpened(playing.keep(session), (), session.frame(), _points(session), build(spec, session.task).code)


class PlaygroundAdvance(AbstractRoute):
    """``POST /api/playground/sessions/{session}/advance``: an `AdvanceRequest`, answered by a `Frame`."""

    path: ClassVar[str] = "/api/playground/sessions/{session}/advance"
    method: ClassVar[str] = "POST"

    def answer(self, asked: Asked) -> Frame:
        """Train a little."""
        wish = asked.body_as(AdvanceRequest)
        return self.house.of(Playing, Playing).session(asked.path["session"]).advance(wish.steps, wish.milliseconds)


class PlaygroundReset(AbstractRoute):
    """``POST /api/playground/sessions/{session}/reset``: the first `Frame` again."""

    path: ClassVar[str] = "/api/playground/sessions/{session}/reset"
    method: ClassVar[str] = "POST"

    def answer(self, asked: Asked) -> Frame:
        """Begin anew."""
        return self.house.of(Playing, Playing).session(asked.path["session"]).reset()


class PlaygroundCurve(AbstractRoute):
    """``GET /api/playground/activations/{name}``: `CurveSeen`, from the catalogue."""

    path: ClassVar[str] = "/api/playground/activations/{name}"

    def answer(self, asked: Asked) -> CurveSeen:
        """Look it up."""
        from ...playground import activation_curve

        return CurveSeen(activation_curve(asked.path["name"]))


class PlaygroundSurface(AbstractRoute):
    """``POST /api/playground/sessions/{session}/surface``: a `SurfaceRequest`, answered by `SurfaceSeen`."""

    path: ClassVar[str] = "/api/playground/sessions/{session}/surface"
    method: ClassVar[str] = "POST"

    def answer(self, asked: Asked) -> SurfaceSeen:
        """Compute it."""
        wish = asked.body_as(SurfaceRequest)
        return SurfaceSeen(self.house.of(Playing, Playing).session(asked.path["session"]).landscape(wish.plane))


class PlaygroundExport(AbstractRoute):
    """``POST /api/playground/export``: a `SessionRequest`, answered by a PyTorch script."""

    path: ClassVar[str] = "/api/playground/export"
    method: ClassVar[str] = "POST"

    def answer(self, asked: Asked) -> Attachment:
        """Write the script."""
        from ...playground import exported

        spec = read_spec(asked.body_as(SessionRequest).spec)
        return Attachment("playground.py", exported(spec).encode(), "text/x-python; charset=utf-8")


class PlaygroundTable(AbstractRoute):
    """``POST /api/playground/tables``: a `TableRequest`, answered by `TableTaken`."""

    path: ClassVar[str] = "/api/playground/tables"
    method: ClassVar[str] = "POST"

    def answer(self, asked: Asked) -> TableTaken:
        """Read the table."""
        table = read_csv(asked.body_as(TableRequest).text)
        name = self.house.of(Playing, Playing).keep_table(table)
        return TableTaken(name, table.columns, table.target, table.classes, len(table.inputs), table.n_dropped)


def _points(session: "Session") -> tuple[tuple[float, ...], ...]:
    if session.task.n_inputs > 2:
        return ()
    both = np.column_stack([session.inputs.numpy(), session.targets.numpy()])[:MOST_POINTS]
    return tuple(tuple(round(float(value), 4) for value in row) for row in both)
