"""What the playground's page and the server say to each other."""

from dataclasses import dataclass
from typing import Any, Literal

from ..playground.curves import ActivationCurve
from ..playground.landscape_sights import Landscape
from ..playground.presets import Preset
from ..playground.shapes import Misfit
from ..playground.sights import Frame


@dataclass(frozen=True, slots=True)
class Presets:
    """Sessions to begin with.

    Attributes:
        presets: The sessions.
        limits: The largest numbers that are taken, by name.
    """

    presets: tuple[Preset, ...]
    limits: dict[str, int]


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """A session that is wished for.

    Attributes:
        spec: A `Spec` as plain data; every word and number in it is checked.
        table: Name of a table that was sent before, for the task ``"table"``.
    """

    spec: Any
    table: str = ""


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A session, or why it cannot begin.

    Attributes:
        session: Its name; empty where widths do not fit.
        misfits: Where shortcuts do not fit, with what would.
        frame: How it begins, ``None`` where it cannot.
        points: Training examples on the picture: coordinates and class or target; at most 400.
        code: The network as PyTorch code.
    """

    session: str
    misfits: tuple[Misfit, ...]
    frame: Frame | None
    points: tuple[tuple[float, ...], ...]
    code: str


@dataclass(frozen=True, slots=True)
class AdvanceRequest:
    """How far to go.

    Attributes:
        steps: Steps to take at most; 0 only looks.
        milliseconds: Time after which to stop and answer.
    """

    steps: int
    milliseconds: int = 80


@dataclass(frozen=True, slots=True)
class TableRequest:
    """A user's own table as CSV text."""

    text: str


@dataclass(frozen=True, slots=True)
class TableTaken:
    """A table that was understood.

    Attributes:
        table: Its name for `SessionRequest`.
        columns: Names of the inputs.
        target: Name of the target.
        classes: Names of the classes, none where the target is a number.
        rows: Number of rows kept.
        n_dropped: Rows left out because something was missing.
    """

    table: str
    columns: tuple[str, ...]
    target: str
    classes: tuple[str, ...]
    rows: int
    n_dropped: int


@dataclass(frozen=True, slots=True)
class CurveSeen:
    """An activation of the playground."""

    curve: ActivationCurve


@dataclass(frozen=True, slots=True)
class SurfaceRequest:
    """A loss surface that is wished for.

    Attributes:
        plane: Along which directions: two at random, those of largest curvature, those along which the training moved.
    """

    plane: Literal["random", "hessian", "pca"]


@dataclass(frozen=True, slots=True)
class SurfaceSeen:
    """The loss surface around a session's weights."""

    landscape: Landscape
