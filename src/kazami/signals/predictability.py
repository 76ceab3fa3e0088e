"""Whether a series follows rules: neighbours against a linear rule, the image of neighbours against their distance, and surrogates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .embedding import decorrelation_time, delay_vectors, neighbours
from .prediction import best_local, linear_prediction_error, local_prediction_error
from .series import checked
from .surrogates import phase_randomised

Floats = NDArray[np.float64]
N_SURROGATES = 19  # one more than 1 / 0.05: a rank test at 5 %
RANKS = 16
NO_BETTER = 0.9


@dataclass(frozen=True, slots=True)
class Determinism:
    """How far the future follows from the past by a nonlinear rule.

    Attributes:
        local: Error of the best local prediction over the standard deviation, at ``horizon``.
        linear: The same of the best linear prediction.
        near: Error of the best local prediction one step ahead over that of the best linear one; with the largest errors, where these tell another story (a
            signal that jumps at random now and then is predicted by its last value, but for the jumps).
        slope: Exponent with which the images of neighbours part as the neighbours do: 1 for a rule, 0 for chance.
        dimension: Length of the best delay vectors.
        horizon: The delay, and how far was predicted, in steps: the decorrelation time.
        rank: Share of surrogates that are predicted as well or better; NaN where none were made.
    """

    local: float
    linear: float
    near: float
    slope: float
    dimension: int
    horizon: int
    rank: float = float("nan")

    @property
    def ratio(self) -> float:
        """Local over linear error: well below 1 where a nonlinear rule is at work."""
        return self.local / max(self.linear, 1e-300)


def determinism(series: Floats, *, surrogates: int = 0, seed: int = 0, horizon: int | None = None) -> Determinism:
    r"""Return how far the future of a series follows from its past by a nonlinear rule.

    Three answers are taken together, for each alone can be fooled: the error of local prediction against that of the best linear prediction (noise of any
    colour: not below 1); the exponent s in :math:`|x_{i+h} - x_{j+h}| \propto |x_i - x_j|^s` over near neighbours (a rule: 1, chance: 0; a noisy limit cycle
    is nonlinear and yet s is near 0); and the rank of the local error among phase-randomised surrogates.

    Args:
        series: Shape ``(n,)``; its transient should be cut.
        surrogates: How many surrogates to compare with; none where left out, 19 for a test at 5 %.
        seed: Seed of the surrogates.
        horizon: The delay, and how far to predict, in steps; the decorrelation time where left out.

    Returns:
        A `Determinism`.

    Raises:
        TooShort: With fewer than 60 steps.

    Limits:
        Where neighbours are farther apart than the rule is smooth (strong chaos in three dimensions or more and a few hundred steps) a rule looks like chance.
        Noise on the observations larger than the distance of neighbours lowers the exponent, not the ratio.

    References:
        Farmer and Sidorowich 1987; Kaplan 1994 (delta-epsilon); Theiler et al. 1992; Schreiber and Schmitz 1996.

    Example:
        >>> x = [0.3]
        >>> for _ in range(999):
        ...     x.append(3.9 * x[-1] * (1 - x[-1]))
        >>> rule, chance = determinism(np.array(x)), determinism(np.random.default_rng(0).standard_normal(1000))
        >>> rule.ratio < 0.1, rule.slope > 0.8, chance.ratio > 0.9, chance.slope < 0.3
        (True, True, True, True)
    """
    values = checked(series, least=60)
    spread = float(np.std(values))
    values = (values - values.mean()) / (spread if spread > 0 else 1.0)
    apart = 2 * decorrelation_time(values)
    horizon = apart // 2 if horizon is None else horizon
    local, dimension, is_linear = best_local(values, delay=horizon, horizon=horizon, apart=apart)
    linear = linear_prediction_error(values, horizon=horizon, delay=horizon)
    near = _near(values, apart)
    slope = max(image_exponent(values, dimension=m, delay=horizon) for m in (2, 3))
    rank = float("nan")
    if surrogates:
        settings = {"dimension": dimension, "delay": horizon, "horizon": horizon, "apart": apart, "linear": is_linear}
        rng = np.random.default_rng(seed)
        part = values[-1500:]
        own = local_prediction_error(part, **settings)  # type: ignore[arg-type]
        others = [local_prediction_error(phase_randomised(part, rng=rng), **settings) for _ in range(surrogates)]  # type: ignore[arg-type]
        rank = float(np.mean(np.array(others) <= own))
    return Determinism(local, linear, near, slope, dimension, horizon, rank)


def _near(values: Floats, apart: int) -> float:
    """Return the local over the linear error one step ahead, without the largest tenth of both; with all of them, where these are no better."""
    local, dimension, is_linear = best_local(values, delay=1, horizon=1, apart=apart)
    all_local = local_prediction_error(values, dimension=dimension, apart=apart, linear=is_linear, kept=1.0)
    whole = all_local / max(linear_prediction_error(values, kept=1.0), 1e-300)
    return whole if whole > NO_BETTER else local / max(linear_prediction_error(values), 1e-300)


def image_exponent(series: Floats, *, dimension: int = 3, delay: int = 1) -> float:
    r"""Return the exponent s in :math:`|x_{i+h} - x_{j+h}| \propto |x_i - x_j|^s` over the 16 nearest neighbours of each point, h being the delay.

    Args:
        series: Shape ``(n,)``.
        dimension: Length of the delay vectors.
        delay: Their delay and the horizon, in steps.

    Returns:
        About 1 where the future is a smooth function of the delay vector, about 0 where it is independent of it at this distance.

    References:
        Kaplan 1994.
    """
    span = (dimension - 1) * delay
    vectors = delay_vectors(checked(series, least=span + delay + 2 * RANKS), dimension, delay)
    until = vectors.shape[0] - delay
    at = np.unique(np.linspace(0, until - 1, min(600, until)).astype(np.int64))
    near, when = neighbours(vectors, at, RANKS, apart=2 * delay, until=until)
    images = np.abs(series[when + span + delay] - series[at + span + delay][:, None])
    good = np.isfinite(near).all(axis=1) & (near > 0).all(axis=1)
    if good.sum() < 10:
        return 0.0
    causes, effects = np.log(near[good]), np.log(images[good] + 1e-12)
    causes, effects = causes - causes.mean(axis=1, keepdims=True), effects - effects.mean(axis=1, keepdims=True)
    return float(np.sum(causes * effects) / max(float(np.sum(causes**2)), 1e-300))
