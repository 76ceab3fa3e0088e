"""What a benchmark prints and keeps: figures with their intervals, held against goals."""

import json
import platform
import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        name: What was measured.
        value: The point estimate.
        low: Lower end of the measured interval (2.5 % of the resampled rounds, or the smallest repeat).
        high: Its upper end.
        unit: ``"ratio"``, ``"s"`` or ``"MiB"``.
        n: How many rounds or repeats it rests on.
        goal: The largest value wanted, ``None`` for a figure without one.
        note: What else must be known to read it.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    n: int
    goal: float | None = None
    note: str = ""

    @property
    def is_missed(self) -> bool:
        """Whether the whole interval lies above the goal."""
        return self.goal is not None and self.low > self.goal


def ratio_of_sums(name: str, watched: Sequence[float], bare: Sequence[float], *, goal: float | None = None, note: str = "") -> Figure:
    """Return ``sum(watched) / sum(bare)`` of paired rounds, with the interval from 2000 resamplings of the rounds."""
    draw = random.Random(0)
    n = len(bare)
    ratios = []
    for _ in range(2000):
        chosen = [draw.randrange(n) for _ in range(n)]
        ratios.append(sum(watched[i] for i in chosen) / sum(bare[i] for i in chosen))
    ratios.sort()
    return Figure(name, sum(watched) / sum(bare), ratios[49], ratios[1949], "ratio", n, goal, note)


def median_ratio(name: str, watched: Sequence[float], bare: Sequence[float], *, goal: float | None = None, note: str = "") -> Figure:
    """Return the median of the rounds' ratios, with the interval from 2000 resamplings: for rounds that all do the same work."""
    draw = random.Random(0)
    ratios = [w / b for w, b in zip(watched, bare, strict=True)]
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(2000))
    return Figure(name, statistics.median(ratios), medians[49], medians[1949], "ratio", len(ratios), goal, note)


def median_of(name: str, values: Sequence[float], unit: str, *, goal: float | None = None, note: str = "") -> Figure:
    """Return the median of repeats with their whole range."""
    return Figure(name, statistics.median(values), min(values), max(values), unit, len(values), goal, note)


def publish(benchmark: str, figures: Sequence[Figure], *, is_quick: bool) -> int:
    """Print one JSON line per figure, write them to ``results/`` (``--quick`` leaves the file alone) and return the exit code: 1 where a goal is excluded."""
    lines = [asdict(figure) | {"benchmark": benchmark, "missed": figure.is_missed} for figure in figures]
    for line in lines:
        print(json.dumps(line, ensure_ascii=False), flush=True)
    if not is_quick:
        RESULTS.mkdir(exist_ok=True)
        whole = {"python": platform.python_version(), "machine": platform.machine(), "figures": lines}
        (RESULTS / f"{benchmark}.json").write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    missed = [figure.name for figure in figures if figure.is_missed]
    if missed:
        print(f"goal excluded by the measured interval: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0
