"""The learning rate at which training turns chaotic, and the one that trains fastest, from one ensemble."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..engines import AbstractEnsemble, Member, ensemble
from ..errors import UsageError
from ..maps import Training, TrainingMap
from ..maps.training import untouched_randomness
from ..records.estimate import Remark
from .growth import Progress
from .phases import WORTH_NAMING
from .source import must_be_count, must_be_deterministic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

APART = 1e-7  # distance of twins over the size of the parameters, renewed after each step: far above rounding, far below any bend
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
        fastest: Learning rate with the shortest median time to the acceptable result; NaN where none reaches it.
        table: One dict per learning rate: ``learning_rate``, ``exponent``, ``exponent_error``, ``time`` (median, in steps), ``reached`` (share of seeds),
            ``final`` (median loss or score at the end), ``diverged`` (share of seeds).
        proof: The fastest rate and its neighbours trained again from fresh seeds by the plain loop: ``{learning_rate: median time}``.
        is_proved: Whether the fastest rate is no slower there than both neighbours, within a tenth.
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
    table: tuple[dict[str, float], ...]
    proof: dict[float, float]
    is_proved: bool
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
        return {**numbers, "interval": [_plain(end) for end in self.interval], "table": rows, "proof": proof, "is_proved": self.is_proved, "warnings": said}

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
        progress: Called with the number of steps taken by the ensemble.

    Raises:
        UsageError: Fewer than three rates or two seeds; the training is not deterministic or cannot be followed by an engine.

    Limits:
        A finite time: an exponent over the training's own length, not an asymptotic one. In float32 the distance of twins is raised to 1e-3 and the exponent
        good to a sign. Batches are frozen: noise is the same for both twins.

    References:
        arXiv 2506.08523 (fastest learning at the onset of chaos).
    """
    rates, count = _checked(training, learning_rates, seeds), training.steps if steps is None else steps
    _must_be_followable(training, count, every)
    members = [Member(training.seed + seed, {"learning_rate": rate}) for rate in rates for seed in range(seeds)]
    together, how = ensemble(training, [*members, *members])
    exponents, courses = _followed(training, together, len(members), count, every, progress)
    shape = (len(rates), seeds)
    is_score = training.evaluate is not None
    courses = courses if is_score else -courses
    good = (acceptable if is_score else -acceptable) if acceptable is not None else _good_enough(courses.reshape(*shape, -1))
    times = np.array([_reached(course, good, every) for course in courses]).reshape(shape)
    exponents = exponents.reshape(shape)
    threshold = WORTH_NAMING / count
    onset, interval = _onset(rates, exponents - threshold)
    median, fastest = _fastest(rates, times)
    proof = _again(training, rates, fastest, seeds, count, good, every) if math.isfinite(fastest) else {}
    return OnsetOfChaos(
        onset=onset,
        interval=interval,
        fastest=fastest,
        table=_table(rates, exponents, times, courses.reshape(*shape, -1), is_score),
        proof=proof,
        is_proved=bool(proof) and proof[fastest] <= 1.1 * min(proof.values()) and math.isfinite(proof[fastest]),
        threshold=threshold,
        acceptable=good if is_score else -good,
        exponents=exponents,
        times=times,
        how=how,
        warnings=tuple(_warnings(rates, fastest, onset, exponents - threshold, median)),
    )


def _checked(training: Training, learning_rates: ArrayLike | None, seeds: int) -> Floats:
    if not isinstance(training, Training):
        raise UsageError(f"onset_of_chaos needs a kazami.Training, which it can start with other learning rates, but it was given a {type(training).__name__}.")
    if learning_rates is None:
        with untouched_randomness():
            own = float(training.start().optimizer.param_groups[0]["lr"])
        return np.geomspace(own / SPAN, own * SPAN, RATES)
    rates = np.unique(np.asarray(learning_rates, dtype=np.float64))
    if len(rates) < 3 or seeds < 2 or not (rates > 0.0).all():
        raise UsageError(f"onset_of_chaos needs at least three positive learning rates and two seeds, but it has {len(rates)} and {seeds}.")
    return rates


def _must_be_followable(training: Training, steps: int, every: int) -> None:
    must_be_count("steps", steps, 10)
    must_be_count("every", every, 1)
    must_be_deterministic(TrainingMap(training))


def _followed(training: Training, together: AbstractEnsemble, n: int, steps: int, every: int, progress: Progress | None) -> tuple[Floats, Floats]:
    """Return the exponents of ``n`` members from their twins, and the course of their losses or scores."""
    states = together.states
    apart = APART if states.dtype == torch.float64 else 1e-3
    generator = torch.Generator().manual_seed(training.seed)
    noise = torch.randn(states[:n].shape, generator=generator, dtype=torch.float64).to(states)
    size = apart * torch.linalg.vector_norm(states[:n], dim=1, keepdim=True).clamp_min(1e-12)
    together.set_states(torch.cat([states[:n], states[:n] + size * noise / torch.linalg.vector_norm(noise, dim=1, keepdim=True)]))
    distance = _distance(together.states, n)
    total, courses = torch.zeros(n, dtype=torch.float64), []
    with untouched_randomness():
        model = training.start().model
    for number in range(steps):
        if training.evaluate is not None and number % every == 0:
            courses.append(_scores(training, together, model, n))
        losses = together.step()
        if training.evaluate is None and number % every == 0:
            courses.append(losses[:n].double().cpu().numpy())
        states = together.states
        new = _distance(states, n)
        total += torch.log(new / distance).double()
        pulled = states[:n] + (states[n:] - states[:n]) * (size / new[:, None])
        together.set_states(torch.cat([states[:n], torch.where(new[:, None] > 0.0, pulled, states[n:])]))
        distance = _distance(together.states, n)
        if progress is not None:
            progress(number + 1)
    course = np.nan_to_num(np.stack(courses, axis=1), nan=np.inf if training.evaluate is None else -np.inf)
    return (total / steps).numpy(), course


def _distance(states: Tensor, n: int) -> Tensor:
    apart: Tensor = torch.linalg.vector_norm(states[n:] - states[:n], dim=1)
    return apart


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


def _fastest(rates: Floats, times: Floats) -> tuple[Floats, float]:
    """Return the median time of each rate, and the rate with the shortest."""
    median = np.array([_middle(row) for row in times])
    return median, float(rates[int(np.argmin(median))]) if np.isfinite(median).any() else math.nan


def _middle(times: Floats) -> float:
    """Return the time by which more than half of the seeds have reached it."""
    return float(np.quantile(times, 0.5, method="higher"))


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


def _again(training: Training, rates: Floats, fastest: float, seeds: int, steps: int, good: float, every: int) -> dict[float, float]:
    """Train the fastest rate and its neighbours again, from seeds that were not used, one after another by the plain loop."""
    place = int(np.argmin(np.abs(rates - fastest)))
    found = {}
    is_score = training.evaluate is not None
    for rate in rates[max(place - 1, 0) : place + 2]:
        members = [Member(training.seed + seeds + seed, {"learning_rate": float(rate)}) for seed in range(seeds)]
        together, _ = ensemble(training, members, engine="eager")
        with untouched_randomness():
            model = training.start().model
        courses = []
        for number in range(steps):
            scores = _scores(training, together, model, seeds) if is_score and number % every == 0 else None
            losses = -together.step().double().cpu().numpy()
            if number % every == 0:
                courses.append(losses if scores is None else scores)
        course = np.nan_to_num(np.stack(courses, axis=1), nan=-np.inf)
        found[float(rate)] = _middle(np.array([_reached(row, good, every) for row in course]))
    return found


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
                "time": _middle(times[index]),
                "reached": float(np.isfinite(times[index]).mean()),
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
    return said


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
