"""The measurements of Danovski, Soriano and Lacasa 2024: one function per figure, and one that looks inside the networks of the highest learning rate."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from ..dynamics import finite_perturbation_exponent, max_lyapunov, orbital_stability
from ..maps import TrainingMap
from ..signals import regime, shuffled_band
from .dead_layers import SAME, Ensemble, stable_rate, without_inputs
from .outcome import Row
from .small_trainings import Factors, full_batch, gradient_descent, raw_iris

Floats = NDArray[np.float64]
LEARNING_RATES = (0.01, 1.0, 5.0)  # low, middle, high
NEIGHBOURS, POINTS, WINDOW = 5e-5, 1000, 25  # loss distance, reference points, steps: the paper's
SILENT = 100  # steps


def iris_map(factors: Factors, rate: float, seed: int) -> TrainingMap:
    """Return the full-batch training of the paper's network on raw Iris as a map."""
    return TrainingMap(full_batch(raw_iris(), factors, gradient_descent(rate, factors.weight_decay), steps=1, seed=seed))


def starts(m: TrainingMap, seed: int, count: int) -> torch.Tensor:
    """Return the states of ``count`` initialisations."""
    return torch.stack([m.fresh_state(seed + number) for number in range(count)])


def middle(factors: Factors, epsilon: float, *, seed: int, initialisations: int) -> Row:
    """Return the finite-perturbation exponent at the middle learning rate, with the paper's windows."""
    found = finite_perturbation_exponent(iris_map(factors, LEARNING_RATES[1], seed), epsilon, initialisations=initialisations, steps=200, seed=seed)
    kept, null = found.details["kept_fraction"], found.details["null_kept_fraction"]
    return {"value": float(found), "error": float(found.uncertainty), "spread": found.details["spread"], "kept": kept, "null": null}


def losses(factors: Factors, rate: float, *, seed: int, initialisations: int, steps: int) -> Row:
    """Return the losses of an ensemble, shape ``(steps, initialisations)``, and the share of it whose loss never rises."""
    m = iris_map(factors, rate, seed)
    ensemble = Ensemble(m, *raw_iris_batch())
    states, found = starts(m, seed, initialisations), []
    for time in range(steps):
        found.append(ensemble.losses_and_responses(states)[0])
        states = m.advance_many(states, time)
    rises = (np.diff(found, axis=0) > 1e-12).any(axis=0)
    return {"losses": np.array(found), "monotone": float(1.0 - rises.mean())}


def low(factors: Factors, *, seed: int, epsilons: tuple[float, ...], replicas: int, steps: int) -> Row:
    """Return what orbital stability says at the low learning rate, and how much of a late perturbation stays."""
    m = iris_map(factors, LEARNING_RATES[0], seed)
    found = orbital_stability(m, epsilons, replicas=replicas, steps=steps, seed=seed)
    m.step(steps)
    late = orbital_stability(m, (1e-6,), replicas=replicas, steps=max(steps // 5, 4), seed=seed)
    return {
        "steps": found.steps,
        "distances": found.distances,
        "begin": float(found.distances[:, 0].mean()),
        "spread": found.spread,
        "exponential": float(np.mean(found.is_exponential)),
        "left": float(found.left_ball.max()),
        "displacement": found.displacement,
        "stays": float(late.distances[0, -1] / late.distances[0, 0]),
    }


def high(factors: Factors, rate: float, *, seed: int, initialisations: int, steps: int) -> Row:
    """Train an ensemble at a high learning rate, look inside at regular steps, and say what still moves at the end."""
    m = iris_map(factors, rate, seed)
    x, y = raw_iris_batch()
    ensemble = Ensemble(m, x, y)
    states = starts(m, seed, initialisations)
    series: list[Floats] = []
    responses: list[Floats] = []
    for time in range(steps):
        for kept, value in zip((series, responses), ensemble.losses_and_responses(states), strict=True):
            kept.append(value)
        states = m.advance_many(states, time)
    last, shares = ensemble.look(states, rate), ensemble.class_shares()
    predicted = without_inputs(last.logits, shares, torch.as_tensor(last.effective_rate))
    following = ensemble.look(m.advance_many(states, steps), rate)
    died_at = np.array([_since(np.array(responses)[:, place]) for place in range(initialisations)])
    is_dead = died_at <= steps - SILENT  # a response may come in bursts: one silent moment is not death
    apart = (predicted - following.logits).abs().amax(dim=1).numpy()
    late = np.array(series)[-max(200, steps // 5) :]
    return {
        "losses": np.array(series),
        "dead": float(is_dead.mean()),
        "died_at": np.where(is_dead, died_at, math.inf),
        "accuracy": last.accuracy,
        "commonest": float(shares.max()),
        "apart": float(apart[is_dead].max()) if is_dead.any() else math.nan,
        "effective": last.effective_rate,
        "stable": stable_rate(shares),
        "moves": np.ptp(late, axis=0) > 1e-3,
        "is_dead": is_dead,
        "labels": [regime(late[:, place]).label for place in range(initialisations)],
    }


def one_series(factors: Factors, *, seed: int, steps: int) -> Row:
    r"""Follow one network at the high learning rate: its loss, tangent :math:`\lambda(t)`, local exponents from the loss alone, and autocorrelation."""
    rate = LEARNING_RATES[2]
    m = iris_map(factors, rate, seed)
    x, y = raw_iris_batch()
    ensemble, state = Ensemble(m, x, y), m.current_state()[None]
    series: list[float] = []
    responses: list[float] = []
    for time in range(steps):
        for kept, value in zip((series, responses), ensemble.losses_and_responses(state), strict=True):
            kept.append(float(value[0]))
        state = m.advance_many(state, time)
    local = max_lyapunov(m, steps=steps, seed=seed).local
    losses = np.array(series)
    slopes = local_exponents(losses[steps // 4 :], seed=seed)
    correlations, bound = shuffled_band(losses[steps // 4 :], 60, surrogates=1000, seed=seed)
    died = _since(np.array(responses))
    is_dead = died <= steps - SILENT
    after = local[died:] if is_dead else np.array([math.nan])
    return {
        "losses": losses,
        "local": local,
        "died": died if is_dead else math.inf,
        "before": float(local[: max(died, 1)].mean()),
        "after": float(after.mean()),
        "slope": float(np.median(slopes)) if len(slopes) else math.nan,
        "correlations": correlations,
        "bound": bound,
    }


def local_exponents(series: Floats, *, seed: int, neighbours: float = NEIGHBOURS, points: int = POINTS, window: int = WINDOW) -> Floats:
    """Return local exponents from one scalar series by the paper's recipe: the slope of ln |Δ| over the best window of 5 to 25 steps, first step left out.

    Args:
        series: Losses.
        seed: Of the reference points.
        neighbours: How near in loss a neighbour must be.
        points: Number of reference points.
        window: Longest window, in steps.

    Limits:
        Losses that are alike need not belong to networks that are alike: a scalar is no phase space. A series that repeats gives nothing to fit.

    References:
        Danovski, Soriano and Lacasa 2024, section 5.
    """
    usable = len(series) - window
    if usable < 2:
        return np.array([])
    chosen = np.random.default_rng(seed).choice(usable, size=min(points, usable), replace=False)
    found = []
    for point in chosen:
        near = np.flatnonzero(np.abs(series[:usable] - series[point]) < neighbours)
        near = near[np.abs(near - point) > window]
        if not len(near):
            continue
        ahead = np.arange(1, window + 1)
        distance = np.abs(series[near[:, None] + ahead] - series[point + ahead]).mean(axis=0)
        if (distance > 0).all():
            found.append(_best_slope(np.log(distance)))
    return np.array(found)


def _best_slope(logs: Floats) -> float:
    """Return the slope of the window, from the second step on, that a straight line fits best."""
    fits = []
    for width in range(5, len(logs)):
        steps = np.arange(width, dtype=float)
        part = logs[1 : 1 + width]
        slope, offset = np.polyfit(steps, part, 1)
        total = float(((part - part.mean()) ** 2).sum())
        fits.append((1.0 - float(((part - slope * steps - offset) ** 2).sum()) / total if total > 0 else 0.0, float(slope)))
    return max(fits)[1]


def raw_iris_batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Return the 120 training samples and their classes."""
    samples = raw_iris()
    return samples.x, samples.y


def _since(responses: Floats) -> int:
    """Return the index from which on a network gave every sample the same answer; the length where it never did."""
    seeing = np.flatnonzero(responses >= SAME)
    return int(seeing[-1]) + 1 if len(seeing) else 0
