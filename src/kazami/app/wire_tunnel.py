"""What the wind tunnel's page and the server say to each other."""

from dataclasses import dataclass, field
from typing import Literal

from ..records.finding import Sentence
from ..reports.view_data import NO_NUMBERS, NO_ROWS, NO_STEPS, Matrix, Number, Steps, Vector

JobKind = Literal["diagram", "regimes", "orbit", "trainability", "tiles", "names"]


@dataclass(frozen=True, slots=True)
class TunnelPreset:
    """A training that can be put into the tunnel, with the numbers it begins with.

    Attributes:
        name: Its name.
        title: What it is.
        notice: What to look for.
        observable: What the diagram shows.
        weights: Number of its weights.
        low: Smallest learning rate.
        high: Largest.
        least: Smallest learning rate that can be asked for.
        most: Largest.
        members: Learning rates in a diagram.
        transient: Steps before those kept.
        keep: Steps kept.
        second: What the regime map varies upwards.
        second_low: From where.
        second_high: To where.
        is_whole: Whether it takes whole numbers only, as seeds do.
        rows: Rows of the regime map.
        columns: Its columns.
    """

    name: str
    title: Sentence
    notice: Sentence
    observable: Sentence
    weights: int
    low: float
    high: float
    least: float
    most: float
    members: int
    transient: int
    keep: int
    second: Sentence
    second_low: float
    second_high: float
    is_whole: bool
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class TileGrid:
    """How the map of trainability is cut: level z has 2^z tiles along each side of the whole window, both axes by equal factors.

    Attributes:
        low: Smallest learning rate of the whole window, of both layers.
        high: Largest.
        side: Pixels along a tile.
        deepest: The last level.
    """

    low: float
    high: float
    side: int
    deepest: int


@dataclass(frozen=True, slots=True)
class TunnelHome:
    """What the page begins with.

    Attributes:
        presets: What can be put into the tunnel.
        limits: The largest numbers that are taken, by name.
        letters: Names of the regimes by letter.
        colours: Their colours.
        tiles: How the map of trainability is cut into tiles.
    """

    presets: tuple[TunnelPreset, ...]
    limits: dict[str, int]
    letters: dict[str, Sentence]
    colours: dict[str, str]
    tiles: TileGrid


@dataclass(frozen=True, slots=True)
class TunnelWish:
    """A computation that is wished for; which fields count depends on its kind.

    Attributes:
        client: Name of who wishes; each has one computation at a time.
        kind: ``"diagram"``, ``"regimes"``, ``"orbit"``, ``"trainability"`` (one window, with the dimension of its edge), ``"tiles"`` or ``"names"``.
        preset: Name of the training.
        low: Smallest learning rate; of a map of trainability, of the first layer.
        high: Largest.
        members: Columns.
        transient: Steps before those kept.
        keep: Steps kept.
        at: Learning rate of the orbit.
        y_low: Lower end of the other axis of a map.
        y_high: Upper end.
        rows: Rows of a map.
        second: Value of the regime map's other factor at which the orbit runs.
        tiles: Tiles as level, column from the left, row from the top.
        rates: Learning rates whose regime is to be named with all evidence.
    """

    client: str
    kind: JobKind
    preset: str = ""
    low: float = 0.0
    high: float = 1.0
    members: int = 200
    transient: int = 500
    keep: int = 100
    at: float = 1.0
    y_low: float = 0.0
    y_high: float = 1.0
    rows: int = 16
    second: float | None = None
    tiles: tuple[tuple[int, int, int], ...] = ()
    rates: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnsPart:
    """Some columns of a bifurcation diagram.

    Attributes:
        values: Learning rates.
        letters: Regime of each.
        exponents: Largest Lyapunov exponent per step; NaN where the orbit is lost.
        errors: One standard error of it.
        keep: Observations in a column.
        observed: Those of all columns, one after the other: float64, little-endian, base64; NaN where the orbit is lost.
    """

    values: Vector
    letters: str
    exponents: Vector
    errors: Vector
    keep: int
    observed: str


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where the motion changes."""

    kind: str
    say: Sentence
    low: float
    high: float
    before: int
    after: int
    estimate: float


@dataclass(frozen=True, slots=True)
class ChangesPart:
    """All changes of a diagram.

    Attributes:
        points: They, from left to right.
        threshold: 2/λmax of the minimum that was reached at ``reached_at``; NaN where none was.
        reached_at: The learning rate.
        how: How it was run.
    """

    points: tuple[ChangePoint, ...]
    threshold: Number
    reached_at: Number
    how: str


@dataclass(frozen=True, slots=True)
class CellsPart:
    """A row of the regime map, the lowest first.

    Attributes:
        row: Which.
        y: Its value.
        values: Learning rates.
        letters: Regime of each.
    """

    row: int
    y: float
    values: Vector
    letters: str


@dataclass(frozen=True, slots=True)
class OrbitPart:
    """One orbit.

    Attributes:
        at: Learning rate.
        second: Value of the map's other factor.
        letter: Its regime.
        sentence: In words.
        confidence: How sure that is.
        first: Step of the first observation.
        observed: The observable at each step.
        frequencies: Of the spectrum, per step.
        power: Share of the variance at each frequency.
        exponents: Lyapunov exponents, largest first.
        errors: One standard error of each.
        counts: Steps after which the next was noted.
        convergence: Estimate up to these steps, one row for each exponent.
        distances: Natural logarithm of the distance of two orbits that begin 1e-9 apart, step by step.
        window: First and last step between which the straight line was fitted; none where nothing grew.
        slope: Of the line, per step.
        warnings: What may be wrong with the exponents.
    """

    at: float
    second: Number
    letter: str
    sentence: Sentence
    confidence: float
    first: int
    observed: Vector
    frequencies: Vector = field(default_factory=lambda: NO_NUMBERS)
    power: Vector = field(default_factory=lambda: NO_NUMBERS)
    exponents: Vector = field(default_factory=lambda: NO_NUMBERS)
    errors: Vector = field(default_factory=lambda: NO_NUMBERS)
    counts: Steps = field(default_factory=lambda: NO_STEPS)
    convergence: Matrix = field(default_factory=lambda: NO_ROWS)
    distances: Vector = field(default_factory=lambda: NO_NUMBERS)
    window: tuple[int, ...] = ()
    slope: Number = float("nan")
    warnings: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainabilityPart:
    """A map of trainability at one resolution.

    Attributes:
        x: Learning rates of the first layer.
        y: Of the output layer.
        shades: From -1 to 1, one row after the other, the lowest first: float32, little-endian, base64; negative where training converged, NaN unknown.
        converged: Share of the pixels that converged.
        dimension: Box dimension of the edge, NaN where there is none.
        dimension_error: One standard error of the fit.
        engine: What trained.
    """

    x: Vector
    y: Vector
    shades: str
    converged: float
    dimension: Number
    dimension_error: Number
    engine: str


@dataclass(frozen=True, slots=True)
class TilePart:
    """A tile of the map of trainability.

    Attributes:
        z: Its level.
        x: Column from the left.
        y: Row from the top.
        shades: As in a `TrainabilityPart`, the first row at the top.
        trained: Share of its pixels that were trained; the others were filled in far from the edge.
    """

    z: int
    x: int
    y: int
    shades: str
    trained: float


@dataclass(frozen=True, slots=True)
class NamePart:
    """The regime at one learning rate, named with all evidence.

    Attributes:
        at: The learning rate.
        second: Value of the other factor.
        letter: The regime.
        sentence: In words.
        confidence: How sure that is.
    """

    at: float
    second: Number
    letter: str
    sentence: Sentence
    confidence: float


@dataclass(frozen=True, slots=True)
class JobPart:
    """One piece of a result; exactly one field is not ``None``."""

    columns: ColumnsPart | None = None
    changes: ChangesPart | None = None
    cells: CellsPart | None = None
    orbit: OrbitPart | None = None
    trainability: TrainabilityPart | None = None
    tile: TilePart | None = None
    name: NamePart | None = None


@dataclass(frozen=True, slots=True)
class JobState:
    """How far a computation is.

    Attributes:
        job: Its name.
        kind: What it computes.
        state: How it stands; what was computed is kept in each.
        done: Runs (orbits, pixels) finished.
        total: Runs in all.
        seconds: For how long it has worked.
        seconds_left: How long it will still work, NaN while that is unknown.
        position: Number of parts there are.
        parts: Those that were not seen before.
        problem: What went wrong.
    """

    job: str
    kind: JobKind
    state: Literal["starting", "running", "done", "cancelled", "failed"]
    done: int
    total: int
    seconds: float
    seconds_left: Number
    position: int
    parts: tuple[JobPart, ...] = ()
    problem: Sentence | None = None
