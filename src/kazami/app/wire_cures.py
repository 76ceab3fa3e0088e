"""What the page of diagnosis and cure and the server say to each other."""

from dataclasses import dataclass
from typing import Literal

from ..records.finding import Sentence
from ..reports.view_data import Change, MapPicture, Number, Steps, Vector

JobState = Literal["running", "cancelling", "ended"]
ProofState = Literal["proved", "well", "open"]


@dataclass(frozen=True, slots=True)
class CureRequest:
    """A cure that is wished for; the script and its arguments are those of the run, never those of a browser.

    Attributes:
        budget: Seconds for all trials together.
        seeds: Seeds of the proof.
        language: Of the report that is written.
        only: Name of the one prescription that is to be tried, empty for a search among all.
    """

    budget: int = 120
    seeds: int = 3
    language: Literal["en", "ja"] = "en"
    only: str = ""


@dataclass(frozen=True, slots=True)
class CureStarted:
    """What became of a request.

    Attributes:
        job: Name of the cure that now runs, empty where none was started.
        why_not: Why not.
    """

    job: str
    why_not: Sentence | None = None


@dataclass(frozen=True, slots=True)
class CureStep:
    """One thing that a cure did.

    Attributes:
        at: Seconds since it began.
        what: As the command says it.
        say: In words.
    """

    at: float
    what: str
    say: Sentence


@dataclass(frozen=True, slots=True)
class CureJob:
    """A cure under way, or the last one.

    Attributes:
        id: Name of the run directory it writes.
        state: ``"cancelling"`` is between the click and the end of the process.
        steps: What it did so far, the newest last.
        elapsed: Seconds since it began, until it ended.
        budget: Seconds it may take.
        seeds: Seeds of its proof.
        exit_code: Of the process, ``None`` while it runs.
        outcome: The exit code in words.
        said: The last lines it printed.
        has_proof: Whether it left a proof.
        only: The one prescription that it tries, empty for a search among all.
    """

    id: str
    state: JobState
    steps: list[CureStep]
    elapsed: float
    budget: int
    seeds: int
    exit_code: int | None
    outcome: Sentence | None
    said: list[str]
    has_proof: bool
    only: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceCurve:
    """The course of one number of evidence over the steps, thinned: lowest and highest of each column.

    Attributes:
        finding: Name of the finding,
        place: and where it lies; together they name its card.
        evidence: Name of the number.
        steps: First recorded step of each column.
    """

    finding: str
    place: str
    evidence: str
    steps: Steps
    low: Vector
    high: Vector


@dataclass(frozen=True, slots=True)
class EvidenceCurves:
    """The courses of all evidence that follows a recorded series; evidence that is not among them has none."""

    curves: list[EvidenceCurve]


@dataclass(frozen=True, slots=True)
class ProofLine:
    """One proof in the list.

    Attributes:
        id: Its run directory.
        started: ISO 8601, UTC.
        state: ``"proved"``, ``"well"`` where there was nothing to cure, ``"open"`` where nothing could be proved.
        verdict: In one sentence.
        seconds: How long it took.
    """

    id: str
    started: str
    state: ProofState
    verdict: Sentence
    seconds: float


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check that was made of a run.

    Attributes:
        id: Of the rule, empty where it is not installed here.
        name: Of the rule.
        title: What it looks for.
        value: What it measured where it found nothing wrong, ``None`` where it has no number to show.
    """

    id: str
    name: str
    title: Sentence
    value: Sentence | None


@dataclass(frozen=True, slots=True)
class CheckList:
    """All checks that were made of a run and found nothing."""

    passed: list[CheckRow]


@dataclass(frozen=True, slots=True)
class CureBoard:
    """What can be done about a run, what is being done, and what was.

    Attributes:
        run: Its id.
        why_not: Why nothing can be started from here, ``None`` where it can.
        command: What to type instead.
        script: The script, as it was named.
        is_changed: Whether the script was changed after the run began.
        job: The newest cure that this server started for the run.
        proofs: Proofs for the same script with the same arguments, the newest first.
        most_budget: The largest budget that is taken, seconds.
        read_at: When it was read, seconds of the server's clock: of two boards the later one counts, in whatever order they arrive.
    """

    run: str
    why_not: Sentence | None
    command: str
    script: str
    is_changed: bool
    job: CureJob | None
    proofs: list[ProofLine]
    most_budget: int
    read_at: float


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One quantity before and after, over the seeds: the middle one, the lowest and the highest.

    Attributes:
        gain: Median of the differences, seed by seed.
        improved: Seeds with which it became better.
        seeds: All seeds.
    """

    name: Sentence
    before: Number
    before_low: Number
    before_high: Number
    after: Number
    after_low: Number
    after_high: Number
    gain: Number
    improved: int
    seeds: int


@dataclass(frozen=True, slots=True)
class SeedRow:
    """The score with one seed; NaN where the training ended in none."""

    seed: int
    before: Number
    after: Number
    gain: Number


@dataclass(frozen=True, slots=True)
class TriedRow:
    """One candidate and what became of it.

    Attributes:
        names: Names of its changes.
        told: The same in words, with the numbers that tell it apart.
        codes: Their code, as the findings prescribe it.
    """

    names: list[str]
    told: str
    codes: list[str]
    steps: int
    score: Number
    gain: Number
    why: Sentence
    helped: bool
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class LossBand:
    """Loss curves of several seeds on one axis of steps.

    Attributes:
        steps: Middle of each column.
        middle: Median over the seeds.
        low: The lowest.
        high: The highest.
        seeds: Each seed's own curve.
        lost: First step from which on most seeds are not finite, ``None`` where the end is finite.
    """

    steps: Vector
    middle: Vector
    low: Vector
    high: Vector
    seeds: list[Vector]
    lost: int | None


@dataclass(frozen=True, slots=True)
class CurvePair:
    """Loss before and after, on the same axes.

    Attributes:
        low: Lower end of the axis.
        high: Upper end.
        is_logarithmic: Whether it is logarithmic.
        last: Last step.
    """

    title: Sentence
    before: LossBand | None
    after: LossBand | None
    low: Number
    high: Number
    is_logarithmic: bool
    last: int


@dataclass(frozen=True, slots=True)
class ProofView:
    """Everything a page shows of one proof.

    Attributes:
        line: Its line of the list.
        command: What was typed.
        cause: What the trials say about the cause.
        on: What was trained in the trials.
        changes: The changes that are needed.
        diff: Unified diff of the user's files, empty where there is none.
        lines: What to write by hand.
        table_title: What the table of seeds shows.
        measure: What the scores are.
        chance: Probability of such a table if the change did nothing, NaN where the seeds overlap.
        metrics: Quantities before and after.
        rows: One row a seed.
        placebo: Lowest and highest score that other seeds alone bring; empty where they were not tried.
        curves: Loss before and after.
        map_before: Weather of the unchanged training, ``None`` where it was not seen.
        map_after: Of the changed one.
        tried: All candidates in their order.
        excluded: What is not the cause, each with the trial that shows it.
    """

    line: ProofLine
    command: str
    cause: Sentence
    on: Sentence
    changes: list[Change]
    diff: str
    lines: str
    table_title: Sentence
    measure: Sentence
    chance: Number
    metrics: list[MetricRow]
    rows: list[SeedRow]
    placebo: list[float]
    curves: CurvePair
    map_before: MapPicture | None
    map_after: MapPicture | None
    tried: list[TriedRow]
    excluded: list[Sentence]
