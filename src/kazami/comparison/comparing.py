"""compare: two stored runs, step by step."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RunUnreadable
from ..records import Sentence, Series
from ..storage import StoredRun, open_run
from .growth import Growth, growth_of, jump_in
from .parting import Parting, other_parameters, parting_of
from .result import Comparison, Jump, Setting
from .weights import UNSEEN, Distances, Weights, distances, weights_of
from .words import note, sentence_of

ROUNDINGS = 64.0  # one step of a large network adds up so many rounding errors of one weight, generously
ORDER_ONE = 0.01  # a distance that stops growing beyond this share of the weights' own size is as large as it gets
SETTINGS = ("versions", "environment", "seeds")
MOST_RANKS = 64

_SeriesOf = Mapping[str, Series]


def compare(a: str, b: str) -> Comparison:
    r"""Return where two stored runs part, and how their distance grows.

    The distance is that of the weights, :math:`\lVert \theta_a(s) - \theta_b(s) \rVert` after ``s`` optimizer steps: exact for networks up to 16 kB of weights,
    estimated from sketches for larger ones, with its standard error. Runs that have not ended may be compared as far as they go.

    Args:
        a: Path or fsspec URL of a run directory.
        b: The other one.

    Raises:
        RunNotFound: There is no run at one of the places.
        RunUnreadable: One of them cannot be read, or holds no weights.
        NewerFormat: A newer kazami wrote one of them.

    Limits:
        A difference is seen at recorded steps only: every step at the beginning, pairs of steps later on; the loss is recorded at every step. Which kernel
        made a rounding difference is not seen. Growth slower than the fourth power of time is told from exponential growth; faster powers are not.
    """
    runs = open_run(a), open_run(b)
    shared = [rank for rank in _ranks(runs[0]) if rank in _ranks(runs[1])][:MOST_RANKS] or [0]
    found = [_of_rank(runs[0], runs[1], rank) for rank in shared]
    first = min(found, key=lambda one: np.inf if one.first is None else one.first.step)
    if first.first is not None and first is not found[0]:
        first = replace(first, notes=(*first.notes, note("rank", rank=shared[found.index(first)])))
    return first


def _ranks(run: StoredRun) -> list[int]:
    return run.ranks() or [0]


def _of_rank(run_a: StoredRun, run_b: StoredRun, rank: int) -> Comparison:
    weights_a, weights_b = weights_of(run_a, rank), weights_of(run_b, rank)
    if weights_a.versions.isdisjoint(weights_b.versions):
        raise RunUnreadable(f"The weights of {run_a.location} and {run_b.location} were sketched by different versions of kazami. Record one of them anew.")
    series_a, series_b = run_a.series(rank=rank), run_b.series(rank=rank)
    offset = _offset(weights_a, weights_b)
    if offset > 0:
        weights_b, series_b = weights_b.moved(offset), _moved(series_b, offset)
    elif offset < 0:
        weights_a, series_a = weights_a.moved(-offset), _moved(series_a, -offset)
    apart = distances(weights_a, weights_b)
    other = other_parameters(weights_a, weights_b) if not apart.steps.size or apart.steps[0] != min(weights_a.rows) else None
    settings = _settings(run_a, run_b, series_a, series_b)
    if other is None and not apart.steps.size:
        raise RunUnreadable(f"{run_a.location} and {run_b.location} have recorded no step in common. Record both from their first step on.")
    first = Parting("parameters", 0, None, other, 0, float("inf")) if other is not None else parting_of(apart, series_a, series_b)
    notes = _notes(run_a, run_b, weights_a, weights_b, apart, offset)
    return _concluded(run_a.location, run_b.location, apart, first, settings, notes, offset)


def _concluded(a: str, b: str, apart: Distances, first: Parting | None, settings: tuple[Setting, ...], notes: tuple[Sentence, ...], offset: int) -> Comparison:
    steps, logs = _logs(apart)
    at = jump_in(steps, logs)
    jump = _jump(apart, int(steps[at - 1]), int(steps[at])) if at is not None and first is not None else None
    growth = growth_of(steps[at or 0 :], logs[at or 0 :]) if first is not None else None
    size = _first_size(apart)
    from_rounding = first is not None and first.what in ("weights", "loss") and size <= ROUNDINGS * apart.rounding and _is_rounding(first, apart)
    grown = max(float(logs.max() - logs[0]), abs(growth.e_foldings) if growth is not None else 0.0) if logs.size else 0.0
    kind = _kind(first, jump, growth, apart, size, grown)
    horizon, error = _horizon(growth, apart) if kind == "exponential" else (None, 0.0)
    draft = Comparison(a, b, kind, Sentence("", ""), first, jump, growth, from_rounding, horizon, error, apart, settings, notes, offset)
    return replace(draft, sentence=sentence_of(draft))


def _kind(first: Parting | None, jump: Jump | None, growth: Growth | None, apart: Distances, size: float, grown: float) -> str:
    """Return what happened.

    A parting is a jump where the first difference brings the runs farther (counted in powers from rounding on) than all that follows.
    """
    if first is None:
        return "same"
    if first.what == "parameters":
        return "configuration"
    at_once = np.log(size / apart.rounding) if size > 0 else 0.0
    is_exponential = growth is not None and growth.model == "exponential"
    if jump is not None or first.what in ("batch", "learning_rate"):
        return "jump"
    if is_exponential and growth is not None and growth.rate > 0 and at_once < grown:
        return "exponential"
    if first.what == "start" and size > 0.1:
        return "start"
    if is_exponential and growth is not None and growth.rate < 0 and (first.what == "start" or size < apart.rounding**0.5):
        return "contraction"
    if first.what == "start":
        return "drift"
    if first.what == "loss" and not _is_rounding(first, apart):
        return "jump"
    return "jump" if size > ROUNDINGS * apart.rounding and at_once > grown else "drift"


def _is_rounding(first: Parting, apart: Distances) -> bool:
    """A loss is rounded too, mostly in single precision, and sums up a whole network."""
    return first.what != "loss" or first.size <= ROUNDINGS * max(apart.rounding, 2.0**-23)


def _logs(apart: Distances) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return steps and logarithm of the relative distance, wherever a distance is seen."""
    is_seen = np.isfinite(apart.relative) & (apart.relative > (0.0 if apart.is_exact else UNSEEN))
    return apart.steps[is_seen], np.log(apart.relative[is_seen])


def _first_size(apart: Distances) -> float:
    """Return the relative distance where the weights differ for the first time, infinite where it is not finite, 0 where they never differ."""
    if apart.is_same.all():
        return 0.0
    size = float(apart.relative[int(np.argmin(apart.is_same))])
    return size if np.isfinite(size) else float("inf")


def _jump(apart: Distances, after: int, step: int) -> Jump:
    before, row = (int(np.searchsorted(apart.steps, one)) for one in (after, step))
    rise = np.nan_to_num(apart.parts[row] ** 2 - apart.parts[before] ** 2, nan=np.inf, posinf=np.inf)
    name = apart.names[int(np.argmax(rise))] if rise.size else ""
    return Jump(step, after, name, float(apart.relative[before]), float(apart.relative[row]))


def _horizon(growth: Growth | None, apart: Distances) -> tuple[float | None, float]:
    """Return the step at which the line reaches the size of the weights, or the level at which it was seen to end.

    Weights that explode grow themselves; where they do so as fast as the difference there is no such step.
    """
    if growth is None or growth.rate <= 0:
        return None, 0.0
    if growth.saturation is not None and growth.saturation < np.log(ORDER_ONE):
        return None, 0.0
    inside = (apart.steps >= growth.first) & (apart.steps <= growth.last) & (apart.norms > 0)
    sizes = np.log(apart.norms[inside])
    own = float(np.polyfit(apart.steps[inside], sizes, 1)[0]) if growth.saturation is None and inside.sum() > 1 else 0.0
    rate = growth.rate - own
    if rate < max(0.1 * growth.rate, 2 * growth.rate_error):
        return None, 0.0
    start = float(apart.norms[~apart.is_same][0])
    goal = min(growth.saturation, 0.0) if growth.saturation is not None else float(sizes[0] - np.log(start))
    steps = (goal - growth.level) / rate
    return growth.first + steps, abs(steps) * growth.rate_error / rate


def _offset(a: Weights, b: Weights) -> int:
    """Return by how many steps the second run must be moved because it goes on from a state of the first; negative: the other way round."""
    start_a, start_b = min(a.rows), min(b.rows)
    if _is_equal(a.rows[start_a], b.rows[start_b]):
        return 0
    for step, row in a.rows.items():
        if _is_equal(row, b.rows[start_b]):
            return step - start_b
    for step, row in b.rows.items():
        if _is_equal(row, a.rows[start_a]):
            return start_a - step
    return 0


def _is_equal(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> bool:
    exact = [name for name in one if name.startswith(("hash/", "weights/"))]
    return bool(exact) and all(name in other and np.array_equal(one[name], other[name]) for name in exact)


def _moved(series: _SeriesOf, steps: int) -> dict[str, Series]:
    return {name: Series(one.steps + steps, one.values) for name, one in series.items()}


def _settings(a: StoredRun, b: StoredRun, series_a: _SeriesOf, series_b: _SeriesOf) -> tuple[Setting, ...]:
    pairs: dict[str, tuple[Any, Any]] = {"command": (a.info.command, b.info.command)}
    for group in SETTINGS:
        pairs |= {f"{group}.{key}": pair for key, pair in _paired(getattr(a.info, group), getattr(b.info, group)).items()}
    optimizers = [{key: value for key, value in run.info.trace.get("optimizer", {}).items() if key != "learning_rate"} for run in (a, b)]
    pairs |= {f"optimizer.{key}": pair for key, pair in _paired(*optimizers).items()}
    rates = [one["learning_rate"].values for one in (series_a, series_b) if "learning_rate" in one]
    if len(rates) == 2:
        pairs["optimizer.learning_rate"] = float(rates[0][0]), float(rates[1][0])
    return tuple(Setting(name, *pair) for name, pair in pairs.items() if pair[0] != pair[1] and not (pair[0] != pair[0] and pair[1] != pair[1]))


def _paired(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return pairs of values; of an optimizer or a machine that one of the runs does not know yet, none."""
    return {key: (a.get(key), b.get(key)) for key in (*a, *(key for key in b if key not in a))} if a and b else {}


def _notes(a: StoredRun, b: StoredRun, weights_a: Weights, weights_b: Weights, apart: Distances, offset: int) -> tuple[Sentence, ...]:
    notes = []
    for run in (a, b):
        if not run.info.reason:
            notes.append(note("open", run=run.location))
        notes += [Sentence(problem, problem) for problem in run.problems]
    last_a, last_b = max(weights_a.rows), max(weights_b.rows)
    if last_a != last_b:
        notes.append(note("lengths", a=last_a, b=last_b, shared=int(apart.steps[-1]) if apart.steps.size else 0))
    if offset:
        notes.append(note("resumed", run=b.location if offset > 0 else a.location, other=a.location if offset > 0 else b.location, step=abs(offset)))
    if not apart.is_exact and apart.steps.size:
        notes.append(note("sketched"))
    return tuple(notes)
