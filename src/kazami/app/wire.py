"""What the server and the page say to each other; the page's types are generated from these records and from those of ``reports.view_data``.

A route's answer is a record, a topic's snapshot and deltas are records; `encoded` makes strict JSON of them.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from ..records.finding import Sentence
from ..reports.plain import plain
from ..reports.view_data import EventFlag, Flow, Matrix, Steps, Vector, View, WindWord

RunState = Literal["live", "finished", "lost", "unreadable"]


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run in the list.

    Attributes:
        id: Name of its folder.
        state: ``"live"`` while it is written, ``"finished"``, ``"lost"`` where it stopped without saying so, ``"unreadable"``.
        started: Start, ISO 8601, UTC.
        changed: When its head was last written, seconds since 1970.
        steps: Optimizer steps.
        verdict: What was said of it last.
        wind: Its wind, ``None`` where nothing was seen.
        trouble: Why it cannot be read, and what to do; empty where it can.
        has_proof: Whether it is a run of ``kazami cure`` that left a proof.
    """

    id: str
    state: RunState
    started: str
    changed: float
    steps: int
    verdict: Sentence
    wind: WindWord | None
    trouble: Sentence | None = None
    has_proof: bool = False


@dataclass(frozen=True, slots=True)
class RunList:
    """All runs of the folder, the newest first.

    Attributes:
        folder: Name of the folder, without its path.
        runs: The runs.
    """

    folder: str
    runs: list[RunLine]


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A run as it is now, for a page that begins to look.

    Attributes:
        run: Its line of the list.
        view: Everything the page shows.
        events: What happened.
        flow: The graph.
        age: Seconds since anything new was seen of it.
        written: Whether the newest steps come within tenths of a second (``True``), or with the parts of the run, every few seconds.
    """

    run: RunLine
    view: View
    events: list[EventFlag]
    flow: Flow
    age: float
    written: bool


@dataclass(frozen=True, slots=True)
class RunDelta:
    """What is new in a run.

    Attributes:
        steps: New recorded steps; empty where only words changed.
        loss: Loss at each of them, NaN where unknown.
        wind: Layer wind, one row a layer.
        norm: Gradient norm, one row a layer.
        map_steps: Those of ``steps`` at which the layers were measured; columns of ``wind`` and ``norm``.
        view: The words anew, without the numbers of the map and the loss; ``None`` where they stay.
        run: The line of the list anew, ``None`` where it stays.
        events: All events anew, ``None`` where they stay.
        flow: The graph anew, ``None`` where it stays.
    """

    steps: Steps
    loss: Vector
    map_steps: Steps
    wind: Matrix
    norm: Matrix
    view: View | None = None
    run: RunLine | None = None
    events: list[EventFlag] | None = None
    flow: Flow | None = None


@dataclass(frozen=True, slots=True)
class LayerSeries:
    """One quantity of one layer, thinned: lowest and highest of each column."""

    name: str
    steps: Steps
    low: Vector
    high: Vector


@dataclass(frozen=True, slots=True)
class LayerDistribution:
    """How the numbers of one quantity of one layer are distributed, at a few tens of steps.

    Attributes:
        name: ``"activation"``, ``"gradient"`` or ``"weight"``.
        is_logarithmic: Whether ``low`` and ``high`` are decimal logarithms of sizes.
        low: Lowest number at each step, NaN where nothing was counted.
        high: Highest number.
        shares: One row a step: each bin between the two beside the fullest, 0 to 1.
        zeros: Share that is exactly zero.
        lost: Share that is not finite.
    """

    name: str
    is_logarithmic: bool
    steps: Steps
    low: Vector
    high: Vector
    shares: Matrix
    zeros: Vector
    lost: Vector


@dataclass(frozen=True, slots=True)
class LayerHistory:
    """All that was recorded of one layer; without distributions where the run directory holds none."""

    layer: int
    name: str
    series: list[LayerSeries]
    distributions: list[LayerDistribution] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request was refused: a sentence, and a machine-readable word.

    Attributes:
        problem: ``"not_found"``, ``"unreadable"``, ``"bad_request"``, ``"busy"``, ``"broken"``.
        say: In words.
    """

    problem: str
    say: Sentence


@dataclass(frozen=True, slots=True)
class Done:
    """An answer with nothing more to say than that it was done, and the name of what was made."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class MarkRequest:
    """A note on a step."""

    step: int
    text: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message of a topic as it stands in the stream.

    Attributes:
        topic: Which.
        kind: ``"snapshot"`` replaces what was there, ``"delta"`` adds, ``"problem"`` says why there is nothing.
        position: Where the topic now stands.
        data: A snapshot, a delta or a `Problem`.
    """

    topic: str
    kind: Literal["snapshot", "delta", "problem"]
    position: str
    data: Any = field(default=None)


def encoded(value: Any) -> bytes:
    r"""Return a record as strict JSON, UTF-8, in one line.

    >>> encoded(MarkRequest(3, "a"))
    b'{"step":3,"text":"a"}'
    >>> encoded({"a": [1.0, float("nan")]})
    b'{"a":[1.0,"NaN"]}'
    """
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")
