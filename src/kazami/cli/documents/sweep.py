"""The document of ``kazami lab sweep``."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from ...records.json_schema import MAY_BE_ABSENT
from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """How a sweep is run.

    Attributes:
        members: Trainings.
        rows: Rows of the table.
        block_bytes: Memory of the largest block.
        table_bytes: Memory of the table.
        seconds: Foretold time, ``null`` where it is not known.
        workers: Processes.
        blocks: Blocks of members that run together.
        members_per_block: In the largest.
        structures: Different models.
    """

    members: int
    rows: int
    block_bytes: int
    table_bytes: int
    seconds: float | None
    workers: int
    blocks: int
    members_per_block: int
    structures: int


@dataclass(frozen=True, slots=True)
class FailureEntry:
    """A member that raised.

    Attributes:
        factors: Its factors.
        error: The exception's class.
        message: Its message.
        traceback: Its traceback.
    """

    factors: dict[str, Any]
    error: str
    message: str
    traceback: str


@dataclass(frozen=True, slots=True)
class SweepDocument(AbstractDocument):
    """A sweep: everything but its table, which lies in its directory. With ``--dry-run`` only ``sweep`` and ``plan``.

    Attributes:
        schema: Version of the document's form.
        sweep: The file that describes it.
        plan: How it is run.
        factors: The factors' names.
        recorded: What was recorded.
        units: The unit of each column that has one.
        members: Trainings.
        rows: Rows of the table.
        is_complete: Whether every member ran or failed, or somebody interrupted.
        engine: Which engine ran and why.
        directory: Where the table lies, ``null`` where it was not written.
        best: The rows of the members that ended best, by score or loss.
        regimes: How many members ended in each regime.
        failures: The members that raised.
        figure: Path of the figure, ``null`` where none was asked for.
    """

    document: ClassVar = "sweep"
    commands: ClassVar = ("kazami lab sweep --json",)

    schema: Literal[1]
    sweep: str
    plan: PlanEntry
    factors: Annotated[list[str], MAY_BE_ABSENT]
    recorded: Annotated[list[str], MAY_BE_ABSENT]
    units: Annotated[dict[str, str], MAY_BE_ABSENT]
    members: Annotated[int, MAY_BE_ABSENT]
    rows: Annotated[int, MAY_BE_ABSENT]
    is_complete: Annotated[bool, MAY_BE_ABSENT]
    engine: Annotated[str, MAY_BE_ABSENT]
    directory: Annotated[str | None, MAY_BE_ABSENT]
    best: Annotated[list[dict[str, Any]], MAY_BE_ABSENT]
    regimes: Annotated[dict[str, int], MAY_BE_ABSENT]
    failures: Annotated[list[FailureEntry], MAY_BE_ABSENT]
    figure: Annotated[str | None, MAY_BE_ABSENT]
