"""The document of ``kazami bench``."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from ...records.json_schema import MAY_BE_ABSENT
from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class CeilingEntry:
    """What one core reached in one precision, per second.

    Attributes:
        dtype: ``"float32"`` or ``"float64"``.
        fma: Multiplications with addition.
        functions: Evaluations by name.
        bytes: Read plus written.
    """

    dtype: str
    fma: float
    functions: dict[str, float]
    bytes: float


@dataclass(frozen=True, slots=True)
class FloorEntry:
    """The most that one core could do.

    Attributes:
        training: What is trained.
        dtype: In which precision.
        n_tangents: Deviation vectors.
        per_cpu_second: Replica-steps.
    """

    training: str
    dtype: str
    n_tangents: int
    per_cpu_second: float


@dataclass(frozen=True, slots=True)
class RowEntry:
    """What one engine did with one case.

    Attributes:
        engine: Its name.
        training: What is trained.
        dtype: In which precision.
        n_tangents: Deviation vectors.
        members: Trainings at a time.
        start_seconds: From nothing to the end of the first steps.
        steps: Of each member.
        per_cpu_second: Replica-steps per second of CPU time, ``null`` where it cannot be read.
        per_wall_second: Replica-steps per second.
        fraction: Of the floor.
        difference: Largest relative difference from the plain loop.
    """

    engine: str
    training: str
    dtype: str
    n_tangents: int
    members: int
    start_seconds: float
    steps: int
    per_cpu_second: float | None
    per_wall_second: float
    fraction: float | None
    difference: float


@dataclass(frozen=True, slots=True)
class GapEntry:
    """What did not run.

    Attributes:
        engine: The engine.
        training: The case, absent where it holds for all.
        dtype: Likewise.
        n_tangents: Likewise.
        members: Likewise.
        reason: Why.
    """

    engine: str
    training: Annotated[str, MAY_BE_ABSENT]
    dtype: Annotated[str, MAY_BE_ABSENT]
    n_tangents: Annotated[int, MAY_BE_ABSENT]
    members: Annotated[int, MAY_BE_ABSENT]
    reason: str


@dataclass(frozen=True, slots=True)
class BenchDocument(AbstractDocument):
    """How quick the engines are on this machine.

    Attributes:
        schema: Version of the document's form.
        complete: Whether all was measured, or somebody interrupted.
        torch: PyTorch's version.
        threads: Threads that PyTorch uses.
        unit: Of the rates.
        ceilings: What one core reached; empty where nothing can be compiled.
        floors: The most that one core could do with each training.
        rows: One for each engine and case that ran.
        gaps: What did not run.
    """

    document: ClassVar = "bench"
    commands: ClassVar = ("kazami bench --json",)

    schema: Literal[1]
    complete: bool
    torch: str
    threads: int
    unit: str
    ceilings: list[CeilingEntry]
    floors: list[FloorEntry]
    rows: list[RowEntry]
    gaps: list[GapEntry]
