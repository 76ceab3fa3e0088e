"""One trial: a training run from one seed for some steps, whatever happens to it, with the caller's random streams untouched."""

import math
import time
import warnings
from dataclasses import dataclass, field

from ..maps import Training
from ..maps.training import untouched_randomness
from ..records import Finding, Trace
from ..watch.observer import Observer
from ..watch.watching import findings_of
from ..watch.writing import newest_trace
from .measure import Measure


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one run.

    Attributes:
        losses: One per optimizer step, up to where it failed.
        score: After the last step; ``None`` where the run or its evaluation failed, or the score is not finite.
        error: The exception on one line, empty where there was none.
        findings: What the diagnosis says of it, where it was watched.
        seconds: Wall time.
        trace: What was seen of it, where it was watched.
        refused: Places outside of the working directory that a script wanted to write to, and was not allowed to.
    """

    losses: list[float]
    score: float | None
    error: str = ""
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0
    trace: Trace | None = None
    refused: tuple[str, ...] = ()


def run_trial(training: Training, measure: Measure, *, seed: int, steps: int | None = None, watched: bool = False) -> Trial:
    """Run a training once.

    Args:
        training: Any; its own seed is replaced.
        measure: Gives the score.
        seed: Seeds model and everything that draws from the global generators.
        steps: Optimizer steps; all by default.
        watched: Let the diagnosis look at the run.
    """
    started = time.perf_counter()
    observer = Observer() if watched else None
    losses: list[float] = []
    score, error = None, ""
    with untouched_randomness(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an ill training may warn; whoever runs it has seen that
        if observer is not None:
            observer.attach()
        try:
            run = training.replaced(seed=seed, evaluate=None).run(
                steps=steps, before=lambda state: observer.names.modules.add(state.model) if observer is not None else None
            )
            losses = run.losses
            value = float(measure.score(run.model))
            score = value if math.isfinite(value) else None
        except Exception as failure:  # whatever a change does to a stranger's model
            error = f"{type(failure).__name__}: {failure}".splitlines()[0][:200]
        finally:
            if observer is not None:
                observer.detach()
    findings = findings_of(observer) if observer is not None else []
    trace = newest_trace(observer) if observer is not None else None
    return Trial(losses, score, error, findings, time.perf_counter() - started, trace)
