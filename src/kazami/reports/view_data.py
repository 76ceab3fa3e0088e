"""What a page is given to draw, as records: the report embeds them, the app sends them, and the page's own types are generated from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from ..records.finding import Sentence

# What stands behind the comma is the type in the page. Strict JSON says NaN and the infinities as strings: that is the page's `Num`.
Number = Annotated[float, "Num"]  # may be NaN or infinite; a plain `float` is finite
Steps = Annotated[NDArray[np.int64], "number[]"]  # shape (columns,), rising
Vector = Annotated[NDArray[np.float64], "Num[]"]  # shape (columns,)
Matrix = Annotated[NDArray[np.float64], "Num[][]"]  # shape (layers, columns), the input first

NO_STEPS: Steps = np.empty(0, dtype=np.int64)
NO_NUMBERS: Vector = np.empty(0)
NO_ROWS: Matrix = np.empty((0, 0))


@dataclass(frozen=True, slots=True)
class WindWord:
    """A place on the one scale of the wind.

    Attributes:
        word: Its word.
        symbol: Its sign.
        value: From -2, dead calm, over 0, breeze, to 3, hurricane.
    """

    word: Sentence
    symbol: str
    value: int


@dataclass(frozen=True, slots=True)
class MapPicture:
    """The weather map.

    Attributes:
        title: What it shows.
        names: Names of the layers.
        steps: First recorded step of each column.
        recorded: Recorded steps behind the columns.
        now: Typical newest wind of each layer.
        wind: The most remarkable wind of each cell; NaN where not seen, +Inf where lost, -Inf where exactly zero.
        norm: Highest gradient norm of each cell.
        wind_low: Lowest wind, empty where a column is one step, as are the next two.
        wind_high: Highest wind.
        norm_low: Lowest gradient norm.
    """

    title: Sentence
    names: list[str]
    steps: Steps = field(default_factory=lambda: NO_STEPS)
    recorded: int = 0
    now: Vector = field(default_factory=lambda: NO_NUMBERS)
    wind: Matrix = field(default_factory=lambda: NO_ROWS)
    norm: Matrix = field(default_factory=lambda: NO_ROWS)
    wind_low: Matrix = field(default_factory=lambda: NO_ROWS)
    wind_high: Matrix = field(default_factory=lambda: NO_ROWS)
    norm_low: Matrix = field(default_factory=lambda: NO_ROWS)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The loss on held-out data; without steps where the script computed none."""

    steps: Steps
    values: Vector
    say: Sentence


@dataclass(frozen=True, slots=True)
class LossPicture:
    """The loss.

    Attributes:
        title: What it shows.
        steps: First recorded step of each column.
        low: Lowest finite loss of each column, NaN where there is none.
        high: Highest finite loss.
        lost: Steps of columns with a loss that is not finite.
        trivial: Loss of the trivial predictor, ``None`` where unknown.
        validation: The same on held-out data.
    """

    title: Sentence
    steps: Steps = field(default_factory=lambda: NO_STEPS)
    low: Vector = field(default_factory=lambda: NO_NUMBERS)
    high: Vector = field(default_factory=lambda: NO_NUMBERS)
    lost: Steps = field(default_factory=lambda: NO_STEPS)
    trivial: float | None = None
    validation: HeldOut | None = None


@dataclass(frozen=True, slots=True)
class StabilityPicture:
    """η·λmax beside the optimizer's limit, the mean of two consecutive steps each; without steps where it was not measured."""

    title: Sentence
    steps: Steps
    value: Vector
    limit: Vector


@dataclass(frozen=True, slots=True)
class GrowthPicture:
    """How fast tiny differences grow, a step; without steps where it was not measured.

    Attributes:
        title: What it shows.
        steps: Measured steps.
        value: Local exponent, natural logarithm per step.
        mean: Running mean within a burst.
    """

    title: Sentence
    steps: Steps
    value: Vector
    mean: Vector


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A measured number beside its limit, as numbers and as people read them."""

    name: str
    value: Number
    limit: Number | None
    unit: str
    source: str
    name_ja: str
    source_ja: str
    shown: str
    shown_limit: str
    unit_ja: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change that treats a finding."""

    name: str
    code: str
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Card:
    """One finding.

    Attributes:
        certainty: ``"certain"``, ``"likely"`` or ``"not_sure"``.
        is_primary: Whether it is the cause.
        step: Since when; 0 is before the first step.
        place: Where, as names of layers.
        placed: Where, in words.
        changes: The smallest change first.
        excluded: What was checked and is not the cause.
    """

    id: str
    name: str
    severity: str
    confidence: float
    certainty: str
    is_primary: bool
    step: int
    place: str
    placed: Sentence
    sentence: Sentence
    evidence: list[EvidenceRow]
    changes: list[Change]
    excluded: list[Sentence]


@dataclass(frozen=True, slots=True)
class Shown:
    """A number, and how people read it."""

    value: Number
    shown: str


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer, with its newest numbers; ``None`` where a number was never recorded."""

    name: str
    kind: str
    shape: str
    activation: str
    letter: str
    wind: Shown | None = None
    gradient_norm: Shown | None = None
    weight_norm: Shown | None = None
    update_ratio: Shown | None = None
    dead_share: Shown | None = None
    saturated_share: Shown | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What the run is and how it ended; ``ended`` and ``reason`` are empty while it goes on."""

    id: str
    command: str
    started: str
    ended: str
    reason: str
    optimizer: Mapping[str, Any]
    loss_kind: str
    versions: Mapping[str, str]
    environment: Mapping[str, Any]
    seeds: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """Everything a page shows of one run, in both languages.

    Attributes:
        wind: The run's wind, from the diagnosis.
        verdict: One sentence on the run.
        last_step: Newest optimizer step.
        suppressed: What the user asked to leave out, in words.
        excluded: What is not the cause.
        checks: What was checked.
        blind: What could not be seen.
    """

    wind: WindWord
    verdict: Sentence
    last_step: int
    map: MapPicture
    loss: LossPicture
    stability: StabilityPicture
    growth: GrowthPicture
    findings: list[Card]
    suppressed: Sentence | None
    excluded: list[Sentence]
    checks: list[Sentence]
    layers: list[LayerRow]
    blind: list[str]
    setting: Setting


@dataclass(frozen=True, slots=True)
class EventFlag:
    """Something that happened at a step: a finding, a change of the learning rate, a note.

    Attributes:
        kind: ``"finding"``, ``"learning_rate"``, ``"mark"``, ``"end"``.
        step: When.
        say: What.
        severity: Of a finding, else empty.
    """

    kind: str
    step: int
    say: Sentence
    severity: str = ""


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node of the data-flow graph.

    Attributes:
        kind: ``"quantity"``, ``"operation"``, or ``"join"`` where signals meet (+, ×, concat …).
        layer: Its row in the weather map, -1 where it has none; a weight that is used twice has two nodes and one row.
    """

    id: str
    label: str
    kind: str
    layer: int = -1


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """An edge of the data-flow graph, with the shape of what flows."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """The data-flow graph.

    Attributes:
        why_not: Why there is none, or why it is only the layers in their order; ``None`` where it is the graph that autograd saw.
    """

    nodes: list[GraphNode]
    edges: list[GraphEdge]
    why_not: Sentence | None = None
