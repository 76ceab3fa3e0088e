"""The document of ``kazami lab trainability``."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from ...records.json_schema import MAY_BE_ABSENT
from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class WindowEntry:
    """What the axes are.

    Attributes:
        axes: What is varied along x and along y.
        x: From where to where.
        y: From where to where.
        fixed: The numbers that are on neither axis.
    """

    axes: tuple[str, str]
    x: tuple[float, float]
    y: tuple[float, float]
    fixed: dict[str, float]


@dataclass(frozen=True, slots=True)
class BoxDimensionEntry:
    """The box-counting dimension of the edge.

    Attributes:
        value: The slope over ``fit_range``; ``null`` where there is no edge, or too few sizes to fit.
        uncertainty: Its standard error: how straight the line is.
        r_squared: Share of the variance that the line explains.
        median_slope: Median of the local slopes in the fit range.
        fit_range: Smallest and largest box in the fit, in pixels.
        resolution: Pixels along the picture's shorter side.
        edge_pixels: Pixels of the edge.
        sizes: All box sizes, in pixels.
        counts: Boxes that hold a piece of the edge.
        local_slopes: Slope between neighbouring sizes.
    """

    value: float | None
    uncertainty: float | None
    r_squared: float | None
    median_slope: float | None
    fit_range: tuple[int, int]
    resolution: int
    edge_pixels: int
    sizes: list[int]
    counts: list[int]
    local_slopes: list[float]


@dataclass(frozen=True, slots=True)
class TilesEntry:
    """The pyramid of tiles.

    Attributes:
        directory: Where it lies.
        done: How many tiles are there.
        of: How many there will be.
    """

    directory: str
    done: int
    of: int


@dataclass(frozen=True, slots=True)
class TrainabilityDocument(AbstractDocument):
    """Which learning rates train a small network; the pixels themselves go into ``--data``.

    Attributes:
        schema: Version of the document's form.
        window: What the axes are.
        rows: Pixels along y.
        columns: Pixels along x.
        converged: Share of the pixels that train; ``null`` where none has a value.
        is_complete: Whether every pixel has one.
        computed: Share of the pixels that were trained; the others are filled in.
        miss_rate: Share of the filled pixels that a check found wrong; ``null`` where none was checked.
        miss_bound: Upper bound of that share, with a probability of 95 %.
        dimension: Of the edge; ``null`` for a map of one line.
        condition: The network and its data, by name.
        seed: Of data, weights and batches.
        dtype: In which precision.
        width: Of input and hidden layer.
        points: Data points.
        steps: Optimizer steps of each pixel.
        offset: When the weight offset is added.
        problem: A fingerprint of all that: maps with the same one belong together.
        trained: Pixels trained.
        retired: Of them decided before the last step.
        checked: Filled pixels that were trained to check them.
        missed: Of them wrong.
        islands_found: Patches that only the check found.
        engine: What computed it, and why.
        seconds: Wall time.
        figure: Path of the figure, ``null`` where none was asked for.
        data: Path of the values, likewise.
        tiles: Only with ``--tiles``.
    """

    document: ClassVar = "trainability"
    commands: ClassVar = ("kazami lab trainability --json",)

    schema: Literal[1]
    window: WindowEntry
    rows: int
    columns: int
    converged: float | None
    is_complete: bool
    computed: float
    miss_rate: float | None
    miss_bound: float
    dimension: BoxDimensionEntry | None
    condition: str
    seed: int
    dtype: str
    width: int
    points: int
    steps: int
    offset: str
    problem: str
    trained: int
    retired: int
    checked: int
    missed: int
    islands_found: int
    engine: str
    seconds: float
    figure: str | None
    data: str | None
    tiles: Annotated[TilesEntry, MAY_BE_ABSENT]
