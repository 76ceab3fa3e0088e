"""What an experiment is: a question, an expectation with its source and tolerance, conditions to measure, and a finding."""

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import torch

from ...errors import UsageError, unknown_name
from ...records import Check, Sentence
from ..outcome import Outcome, Row, Rows, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["AbstractExperiment", "Check", "Outcome", "Progress", "Row", "Rows", "Sentence", "Table", "both", "paired_seeds", "with_factors"]

Progress = Callable[[int, int], None]  # (done, total)


class AbstractExperiment(ABC):
    """A named, reproducible experiment. What it expects is written down with its source, and is never fitted to what it measures.

    Class attributes:
        name: What it is called on the command line.
        title: A few words.
        question: What it asks.
        claim: What is said about it, in the words of those who say it; the checks tell under which conditions it holds.
        citation: Papers and derivations that the expectations come from.
        seconds: About how long the quick and the full version take on one core of an ordinary processor.
        is_timed: Whether it measures seconds, which no seed repeats.
    """

    name: ClassVar[str]
    title: ClassVar[Sentence]
    question: ClassVar[Sentence]
    claim: ClassVar[Sentence]
    citation: ClassVar[str]
    seconds: ClassVar[tuple[float, float]]
    is_timed: ClassVar[bool] = False

    @abstractmethod
    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Return what is to be measured, one row of names and values per condition; ``seed`` outermost, so that an early end leaves whole comparisons."""

    @abstractmethod
    def measure(self, condition: Row) -> Row:
        """Measure under one condition, and return the numbers by name; must depend on nothing but the condition."""

    @abstractmethod
    def checks(self, rows: Rows) -> Sequence[Check]:
        """Return every expectation beside its measured number; NaN where ``rows`` lack what it needs."""

    @abstractmethod
    def tables(self, rows: Rows) -> Sequence[Table]:
        """Return the measured numbers as tables."""

    @abstractmethod
    def finding(self, rows: Rows) -> Sentence:
        """Return the finding in one sentence with its numbers; called with all rows only."""

    @abstractmethod
    def draw(self, rows: Rows, language: str) -> "Figure":
        """Draw what ``rows`` hold, which may be less than all."""

    def run(self, *, quick: bool = False, seed: int = 0, progress: Progress | None = None) -> Outcome:
        """Run the experiment on one thread; Ctrl-C keeps what was measured so far.

        Args:
            quick: The small version.
            seed: All other seeds come from this one; the same seed gives the same outcome.
            progress: Called with the number of conditions done and their total.

        Returns:
            Its outcome; ``is_complete`` is false after Ctrl-C.

        Raises:
            KeyboardInterrupt: Ctrl-C came before anything was measured.
        """
        conditions = self.conditions(quick=quick, seed=seed)
        measured: list[Row] = []
        try:
            with undisturbed():
                self._measure_all(conditions, measured, progress or (lambda done, total: None))
        except KeyboardInterrupt:
            if not measured:
                raise
        is_complete = len(measured) == len(conditions)
        rows = Rows(measured)
        checks = [check for check in self.checks(rows) if is_complete or not math.isnan(check.measured)]
        sentence = self.finding(rows) if is_complete else _interrupted(len(measured), len(conditions))
        return Outcome(self.name, quick, seed, tuple(checks), tuple(self.tables(rows)), sentence, is_complete, lambda language: self.draw(rows, language))

    def _measure_all(self, conditions: Sequence[Row], measured: list[Row], progress: Progress) -> None:
        for condition in conditions:
            progress(len(measured), len(conditions))
            measured.append({**condition, **self.measure(condition)})
        progress(len(measured), len(conditions))


def with_factors(one: AbstractExperiment, settings: dict[str, str]) -> AbstractExperiment:
    """Return the experiment with other factors (its field ``factors``) than the published ones: architecture, loss, initialisation, regularisation.

    Args:
        one: An experiment; those without ``factors`` have none to change.
        settings: Values by name, as text.

    Raises:
        UsageError: The experiment has no factors, or a value is not of its factor's kind.
        UnknownName: There is no factor of this name.
    """
    if not settings:
        return one
    published = getattr(one, "factors", None)
    if published is None:
        raise UsageError(f"{one.name} has no factors to set. These have: danovski-2024, edge-of-stability, adam-edge, onset-of-chaos.")
    known = asdict(published)
    for name in settings:
        if name not in known:
            raise unknown_name("factor", name, known)
    try:
        given = {name: type(known[name])(value) for name, value in settings.items()}
    except ValueError as error:
        raise UsageError(f"A factor has a value that it cannot have ({error}).") from None
    changed: AbstractExperiment = replace(cast("Any", one), factors=replace(published, **given))
    return changed


def both(en: str, ja: str) -> Sentence:
    """Return a sentence in both languages."""
    return Sentence(en, ja)


def paired_seeds(seed: int, count: int) -> list[int]:
    """Return ``count`` seeds that belong to ``seed``; those of different seeds do not meet."""
    return [1000 * seed + number for number in range(count)]


def _interrupted(done: int, total: int) -> Sentence:
    return both(
        f"Interrupted after {done} of {total} conditions; the tables hold what was measured until then.",
        f"全 {total} 条件のうち {done} 条件で中断しました。表には、それまでの測定結果だけが載っています。",
    )


@contextmanager
def undisturbed() -> Iterator[None]:
    """Run on one thread, and leave the thread count and all global random generators as they were."""
    threads, numpy_state, python_state = torch.get_num_threads(), np.random.get_state(), random.getstate()
    torch.set_num_threads(1)  # our tensors are small, and sums must not depend on the machine's number of cores
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(threads)
        np.random.set_state(numpy_state)
        random.setstate(python_state)
