"""The learning rate at which training turns chaotic, and the one that trains fastest, from one ensemble, proved against other ways to choose it."""

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ..engines import AbstractEnsemble, Member, ensemble
from ..errors import UsageError
from ..maps import Training, TrainingMap
from ..maps.training import untouched_randomness
from ..records.estimate import Remark
from .fresh_seeds import with_seeds
from .growth import Progress
from .onset_proof import Goal, Rival, middle, rivals_of, times_of
from .phases import WORTH_NAMING
from .source import must_be_count, must_be_deterministic
from .twins import Twins

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

SPAN = 10.0  # default learning rates: from a tenth to ten times the training's own
RATES = 13
RESAMPLES = 2000
GOOD = 0.95  # of the way from the first to the best loss or score, where nobody says what is good enough


@dataclass(frozen=True, slots=True, eq=False)
class OnsetOfChaos:
    """Where training turns chaotic, and where it is fastest.

    Attributes:
        onset: Learning rate at which the mean exponent passes ``threshold`` for good; NaN where it does not between the rates tried.
        interval: 95 % bootstrap interval over the initialisations; NaN where resamples do not agree that there is an onset.
        fastest: Learning rate with the shortest median time to the acceptable result; NaN where none reaches it, or all do at once.
        fastest_interval: 95 % bootstrap interval over the initialisations, on the grid of the rates tried.
        table: One dict per learning rate: ``learning_rate``, ``exponent``, ``exponent_error``, ``time`` (median, in steps), ``reached`` (share of seeds),
            ``failed`` (the others), ``final`` (median loss or score at the end), ``diverged`` (share of seeds).
        proof: The fastest rate and its neighbours trained again from fresh seeds by the plain loop: ``{learning_rate: median time}``.
        is_proved: Whether the fastest rate is no slower there than both neighbours, within a tenth.
        rivals: What the learning-rate range test and the stability limit 2/λmax would have chosen, and how they did from the same fresh seeds.
        threshold: The exponent that counts as chaotic, per step: a thousandfold growth over the whole training.
        acceptable: What counts as reached.
        exponents: Per learning rate and seed, shape ``(rates, seeds)``.
        times: First step at which it was reached, infinite if never, of the same shape.
        how: How the ensemble was run.
        warnings: What may be wrong.
    """

    onset: float
    interval: tuple[float, float]
    fastest: float
    fastest_interval: tuple[float, float]
    table: tuple[dict[str, float], ...]
    proof: dict[float, float]
    is_proved: bool
    rivals: tuple[Rival, ...]
    threshold: float
    acceptable: float
    exponents: Floats
    times: Floats
    how: str
    warnings: tuple[Remark, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; what is not finite becomes ``None``."""
        rows = [{name: _plain(value) for name, value in row.items()} for row in self.table]
        numbers = {name: _plain(getattr(self, name)) for name in ("onset", "fastest", "threshold", "acceptable")}
        proof = {str(rate): _plain(time) for rate, time in self.proof.items()}
        said = [str(text) for text in self.warnings]
        spans = {name: [_plain(end) for end in getattr(self, name)] for name in ("interval", "fastest_interval")}
        rivals = [rival.to_dict() for rival in self.rivals]
        return {**numbers, **spans, "table": rows, "proof": proof, "is_proved": self.is_proved, "rivals": rivals, "how": self.how, "warnings": said}

    def figure(self, *, language: str = "en") -> "Figure":
        """Draw exponent and time over the learning rate."""
        from .onset_figure import onset_figure

        return onset_figure(self, language)


def onset_of_chaos(
    training: Training,
    learning_rates: ArrayLike | None = None,
    *,
    seeds: int = 8,
    steps: int | None = None,
    acceptable: float | None = None,
    every: int = 1,
    rivals: bool = True,
    progress: Progress | None = None,
) -> OnsetOfChaos:
    r"""Return the learning rate at which training turns chaotic, with its interval, and the one that trains fastest, proved by training again.

    For each learning rate and initialisation a twin starts at a relative distance of 1e-7; after each step its distance is measured and set back, so that
    :math:`\lambda = \frac1T \sum_t \ln (d_{t+1} / d_t)` is the finite-time exponent of the whole training. A regular training stretches differences too, but
    only a few times in all; so the onset is where the mean over the initialisations passes :math:`\ln(1000) / T` (differences grow a thousandfold in the
    course of the training; with :math:`T` this goes to zero) for the last time, interpolated over the logarithm of the rate.

    Args:
        training: What is trained; with ``evaluate`` time is measured to a score, else to a loss.
        learning_rates: Rates to try, at least three; 13 from a tenth to ten times the training's own by default.
        seeds: Initialisations per rate.
        steps: Steps of each training; the training's own number by default.
        acceptable: Score (or loss) that counts as reached; by default 95 % of the way from the first to the best median.
        every: Score only every so many steps.
        rivals: Also let the learning-rate range test and the stability limit choose, and train with their choices.
        progress: Called with the number of steps taken by the ensemble.

    Raises:
        UsageError: Fewer than three rates or two seeds; the training is not deterministic or cannot be followed by an engine.

    Limits:
        A training that begins at the same weights whatever its seed (one taken from a script) has the entries of its weight tensors shuffled instead. A finite
        time: an exponent over the training's own length, not an asymptotic one. In float32 the distance of twins is raised to 1e-3 and the exponent
        good to a sign. Batches are frozen: noise is the same for both twins.

    References:
        arXiv 2506.08523 (fastest learning at the onset of chaos).
    """
    rates, count = _checked(training, learning_rates, seeds), training.steps if steps is None else steps
    n_moved = _must_be_followable(training, count, every)
    kept = list(islice(training.batches(), count))
    training, said = with_seeds(training.replaced(batches=lambda: kept))
    members = [Member(training.seed + seed, {"learning_rate": rate}) for rate in rates for seed in range(seeds)]
    together, how = ensemble(training, [*members, *members], steps=count)
    twins = Twins(together, len(members), n_moved, seed=training.seed)
    exponents, courses = _followed(training, twins, together, count, every, progress)
    together.close()
    shape = (len(rates), seeds)
    is_score = training.evaluate is not None
    courses = courses if is_score else -courses
    good = (acceptable if is_score else -acceptable) if acceptable is not None else _good_enough(courses.reshape(*shape, -1))
    times = np.array([_reached(course, good, every) for course in courses]).reshape(shape)
    exponents = exponents.reshape(shape)
    threshold = WORTH_NAMING / count
    median, fastest, span = _fastest(rates, times)
    goal = Goal(good, every, count, is_score)
    proof, others = _proved(training, rates, fastest, seeds, goal, rivals)
    warnings = (*said, *_warnings(rates, fastest, _onset(rates, exponents - threshold)[0], exponents - threshold, median))
    table = _table(rates, exponents, times, courses.reshape(*shape, -1), is_score)
    return _answer(rates, exponents, times, threshold, (fastest, span), proof, others, table, goal, how, warnings)


def _answer(
    rates: Floats,
    exponents: Floats,
    times: Floats,
    threshold: float,
    chosen: tuple[float, tuple[float, float]],
    proof: dict[float, float],
    others: tuple[Rival, ...],
    table: tuple[dict[str, float], ...],
    goal: Goal,
    how: str,
    warnings: tuple[Remark, ...],
) -> OnsetOfChaos:
    (fastest, span), (onset, interval) = chosen, _onset(rates, exponents - threshold)
    return OnsetOfChaos(
        onset=onset,
        interval=interval,
        fastest=fastest,
        fastest_interval=span,
        table=table,
        proof=proof,
        is_proved=bool(proof) and proof[fastest] <= 1.1 * min(proof.values()) and math.isfinite(proof[fastest]),
        rivals=others,
        threshold=threshold,
        acceptable=goal.good if goal.is_score else -goal.good,
        exponents=exponents,
        times=times,
        how=how,
        warnings=warnings,
    )


def own_rate(training: Training) -> float:
    """Return the learning rate that the training has by itself."""
    with untouched_randomness():
        return float(training.start().optimizer.param_groups[0]["lr"])


def _checked(training: Training, learning_rates: ArrayLike | None, seeds: int) -> Floats:
    if not isinstance(training, Training):
        raise UsageError(f"onset_of_chaos needs a kazami.Training, which it can start with other learning rates, but it was given a {type(training).__name__}.")
    if learning_rates is None:
        own = own_rate(training)
        return np.geomspace(own / SPAN, own * SPAN, RATES)
    rates = np.unique(np.asarray(learning_rates, dtype=np.float64))
    if len(rates) < 3 or seeds < 2 or not (rates > 0.0).all():
        raise UsageError(f"onset_of_chaos needs at least three positive learning rates and two seeds, but it has {len(rates)} and {seeds}.")
    return rates


def _must_be_followable(training: Training, steps: int, every: int) -> int:
    """Return how many parameters move."""
    must_be_count("steps", steps, 10)
    must_be_count("every", every, 1)
    m = TrainingMap(training)
    must_be_deterministic(m)
    return m.n_parameters


def _followed(training: Training, twins: Twins, together: AbstractEnsemble, steps: int, every: int, progress: Progress | None) -> tuple[Floats, Floats]:
    """Return the exponents of the members from their twins, and the course of their losses or scores."""
    with untouched_randomness():
        model = training.start().model
    n = len(twins.states)
    total, courses = torch.zeros(n, dtype=torch.float64), []
    for number in range(steps):
        if training.evaluate is not None and number % every == 0:
            courses.append(_scores(training, together, model, n))
        losses, grown = twins.step()
        if training.evaluate is None and number % every == 0:
            courses.append(losses.double().cpu().numpy())
        total += grown.cpu()
        if progress is not None:
            progress(number + 1)
    course = np.nan_to_num(np.stack(courses, axis=1), nan=np.inf if training.evaluate is None else -np.inf)
    return (total / steps).numpy(), course


def _scores(training: Training, together: AbstractEnsemble, model: Any, n: int) -> Floats:
    if training.evaluate is None:
        return np.zeros(n)
    found = []
    with untouched_randomness():
        for index in range(n):
            together.write_into(model, index)
            found.append(float(training.evaluate(model)))
    return np.array(found)


def _good_enough(courses: Floats) -> float:
    """Return the value 95 % of the way from the first to the best median; higher is better."""
    median = np.quantile(courses, 0.5, axis=1, method="lower")
    first = float(np.median(median[:, 0]))
    best = float(np.max(median[np.isfinite(median)])) if np.isfinite(median).any() else first
    return first + GOOD * (best - first)


def _reached(course: Floats, good: float, every: int) -> float:
    at = np.flatnonzero(course >= good)
    return float(at[0] * every) if at.size else math.inf


def _fastest(rates: Floats, times: Floats) -> tuple[Floats, float, tuple[float, float]]:
    """Return the median time of each rate, the rate with the shortest, and its bootstrap interval; NaN where no rate is faster than the others."""
    median = np.array([middle(row) for row in times])
    if not np.isfinite(median).any() or _is_all_one(median):
        return median, math.nan, (math.nan, math.nan)
    generator = np.random.default_rng(0)
    found = []
    for _ in range(RESAMPLES):
        drawn = np.sort(times[:, generator.integers(0, times.shape[1], times.shape[1])], axis=1)[:, times.shape[1] // 2]
        if np.isfinite(drawn).any():
            found.append(float(rates[int(np.argmin(drawn))]))
    low, high = np.quantile(found, [0.025, 0.975], method="nearest")
    return median, float(rates[int(np.argmin(median))]), (float(low), float(high))


def _is_all_one(median: Floats) -> bool:
    return len(median) > 1 and bool((median == median[0]).all())


def _proved(training: Training, rates: Floats, fastest: float, seeds: int, goal: Goal, rivals: bool) -> tuple[dict[float, float], tuple[Rival, ...]]:
    """Train the fastest rate, its neighbours and its rivals again, from seeds that were not used."""
    if not math.isfinite(fastest):
        return {}, ()
    place = int(np.argmin(np.abs(rates - fastest)))
    fresh = range(training.seed + seeds, training.seed + 2 * seeds)
    times = {float(rate): times_of(training, float(rate), fresh, goal) for rate in rates[max(place - 1, 0) : place + 2]}
    others = rivals_of(training, seeds, times[fastest], goal) if rivals else ()
    return {rate: middle(each) for rate, each in times.items()}, others


def crossing(rates: Floats, exponents: Floats) -> float:
    """Return the rate at which ``exponents``, one per rate, cross zero for the last time, interpolated over the logarithm of the rate.

    Example:
        >>> round(crossing(np.array([1.0, 10.0, 100.0]), np.array([-1.0, -1.0, 1.0])), 4)
        31.6228
    """
    known = np.isfinite(exponents)
    x, y = np.log(rates[known]), exponents[known]
    up = np.flatnonzero((y[:-1] <= 0.0) & (y[1:] > 0.0))
    if not up.size or not y[-1] > 0.0:
        return math.nan
    at = int(up[-1])
    return float(np.exp(x[at] + (x[at + 1] - x[at]) * (-y[at]) / (y[at + 1] - y[at])))


def _onset(rates: Floats, exponents: Floats) -> tuple[float, tuple[float, float]]:
    with np.errstate(invalid="ignore"):
        mean = np.array([row[np.isfinite(row)].mean() if np.isfinite(row).any() else math.nan for row in exponents])
    onset = crossing(rates, mean)
    generator = np.random.default_rng(0)
    found = []
    for _ in range(RESAMPLES):
        chosen = exponents[:, generator.integers(0, exponents.shape[1], exponents.shape[1])]
        found.append(crossing(rates, np.array([row[np.isfinite(row)].mean() if np.isfinite(row).any() else math.nan for row in chosen])))
    there = np.array(found)[np.isfinite(found)]
    if not math.isfinite(onset) or len(there) < 0.95 * RESAMPLES:
        return onset, (math.nan, math.nan)
    low, high = np.quantile(there, [0.025, 0.975])
    return onset, (float(low), float(high))


def _table(rates: Floats, exponents: Floats, times: Floats, courses: Floats, is_score: bool) -> tuple[dict[str, float], ...]:
    rows = []
    for index, rate in enumerate(rates):
        known = exponents[index][np.isfinite(exponents[index])]
        last = courses[index, :, -1]
        rows.append(
            {
                "learning_rate": float(rate),
                "exponent": float(known.mean()) if len(known) else math.nan,
                "exponent_error": float(known.std(ddof=1) / math.sqrt(len(known))) if len(known) > 1 else math.nan,
                "time": middle(times[index]),
                "reached": float(np.isfinite(times[index]).mean()),
                "failed": float(np.isinf(times[index]).mean()),
                "final": float(np.median(last if is_score else -last)),
                "diverged": 1.0 - len(known) / exponents.shape[1],
            }
        )
    return tuple(rows)


def _warnings(rates: Floats, fastest: float, onset: float, exponents: Floats, median: Floats) -> list[Remark]:
    said = []
    if not math.isfinite(onset):
        where = "below" if np.nanmean(exponents[0]) > 0.0 else "above"
        text = f"The exponent does not pass the threshold for good between the rates tried; the onset may lie {where} them. Widen learning_rates."
        said.append(Remark(text, "試した学習率の範囲で指数が閾値を超えない。learning_rates を広げる。"))
    if fastest in (float(rates[0]), float(rates[-1])):
        text = "The fastest rate is at the end of the rates tried: a faster one may lie beyond. Widen learning_rates."
        said.append(Remark(text, "最速の学習率が範囲の端にある。learning_rates を広げる。"))
    if not np.isfinite(median).any():
        text = "No rate reaches the acceptable result in the median. Give more steps, or another acceptable value."
        said.append(Remark(text, "どの学習率でも目標に達しない。ステップ数か acceptable を見直す。"))
    elif _is_all_one(median):
        text = f"Every rate reaches the acceptable result after {median[0]:.0f} steps: none is faster. Give another acceptable value, or other rates."
        said.append(Remark(text, f"どの学習率も {median[0]:.0f} ステップで目標に達し、差がない。acceptable か学習率の範囲を見直す。"))
    return said


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
