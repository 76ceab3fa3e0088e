"""The document of a cure."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from ...records.finding import Finding, Prescription, Sentence
from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class ProofRowEntry:
    """One seed of a proof.

    Attributes:
        seed: The seed.
        before: Score of the unchanged training, ``null`` where it failed.
        after: Score of the changed one, likewise.
        gain: What the change is worth with this seed.
    """

    seed: int
    before: float | None
    after: float | None
    gain: float | None


@dataclass(frozen=True, slots=True)
class TriedEntry:
    """One candidate, and what became of the training with it.

    Attributes:
        changes: The changes.
        steps: Optimizer steps that the training was given.
        score: Its score after these steps, higher is better; ``null`` where it failed.
        gain: Score minus that of the unchanged training.
        why: What became of it.
        helped: Whether the gain counts.
        name: The names of its changes, joined.
    """

    changes: list[Prescription]
    steps: int
    score: float | None
    gain: float | None
    why: Sentence
    helped: bool
    name: str


@dataclass(frozen=True, slots=True)
class ProofEntry:
    """What was tried, what helped, and how that was shown.

    Attributes:
        verdict: One sentence.
        cause: What the trials say about the cause, ``null`` where nothing helped.
        cured: Whether a cure was found and proved.
        nothing_to_cure: Whether the training was well as it is.
        placebo: Scores of the unchanged training with other seeds.
        measure: What the scores are.
        losses_before: Loss curves of the unchanged training, one per seed.
        losses_after: Loss curves of the changed one.
        seconds: How long all trials took.
        on: What was trained: ``"training"``, ``"script"`` or ``"harvest"``.
        changes: The changes that are needed.
        table: One row per seed.
        tried: All candidates in the order they were tried.
        findings: What the diagnosis says of the unchanged training.
        not_the_cause: Causes that fitted and were excluded.
    """

    verdict: Sentence
    cause: Sentence | None
    cured: bool
    nothing_to_cure: bool
    placebo: list[float | None]
    measure: str
    losses_before: list[list[float | None]]
    losses_after: list[list[float | None]]
    seconds: float
    on: str
    changes: list[Prescription]
    table: list[ProofRowEntry]
    tried: list[TriedEntry]
    findings: list[Finding]
    not_the_cause: list[Sentence]


@dataclass(frozen=True, slots=True)
class CureDocument(AbstractDocument):
    """The change that cures a script, and its proof.

    Attributes:
        schema: Version of the document's form.
        cured: Whether a cure was found and proved.
        changes: The names of its changes.
        diff: The change as a unified diff of the user's files, ``null`` or empty where it cannot be written as one.
        lines_to_add: The lines to write where there is no diff, else empty.
        proof: The proof.
        run: The run directory.
        report: Path of the HTML report.
    """

    document: ClassVar = "cure"
    commands: ClassVar = ("kazami cure --json",)

    schema: Literal[1]
    cured: bool
    changes: list[str]
    diff: str | None
    lines_to_add: str
    proof: ProofEntry
    run: str
    report: str
