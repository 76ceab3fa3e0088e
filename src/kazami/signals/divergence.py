"""How neighbouring states of a series part: the mean log distance over time, and the exponent from its slope."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .embedding import decorrelation_time, delay_vectors, neighbours
from .series import checked

Floats = NDArray[np.float64]
MOST_PAIRS = 500


@dataclass(frozen=True, slots=True)
class Divergence:
    """How pairs of neighbours part.

    Attributes:
        steps: Steps after the meeting, shape ``(k,)``, from 0.
        log_distance: Mean natural logarithm of their distance in units of the series, shape ``(k,)``.
        saturation: The same of pairs at random.
    """

    steps: NDArray[np.int64]
    log_distance: Floats
    saturation: float

    @property
    def growth(self) -> float:
        """By how many e-foldings the distance has grown at the end."""
        tail = max(self.log_distance.size // 4, 1)
        return float(np.mean(self.log_distance[-tail:]) - self.log_distance[0])

    @property
    def reach(self) -> float:
        """The distance at the end over that of pairs at random: 1 means that they have forgotten each other."""
        tail = max(self.log_distance.size // 4, 1)
        return float(np.exp(np.mean(self.log_distance[-tail:]) - self.saturation))


def neighbour_divergence(series: Floats, *, dimension: int = 2, delay: int = 1, apart: int | None = None, steps: int | None = None) -> Divergence:
    r"""Return how the nearest neighbours of a series part with time, :math:`S(k) = \langle \ln |x_{i+k} - x_{j(i)+k}| \rangle` over delay vectors.

    Args:
        series: Shape ``(n,)``.
        dimension: Length of the delay vectors.
        delay: Delay between their entries, in steps.
        apart: Neighbours must be more than this many steps away in time; three decorrelation times where left out.
        steps: How long to follow the pairs; a quarter of the series where left out.

    Returns:
        A `Divergence`. For chaos it rises in a straight line whose slope is the largest Lyapunov exponent, up to its saturation; for a periodic or
        quasi-periodic series it stays; noise jumps to the saturation at once.

    Raises:
        TooShort: If the series has fewer than 40 steps more than the delay vectors span.

    Limits:
        A smooth stochastic signal rises too: never call chaos from this alone.

    References:
        Rosenstein, Collins and De Luca 1993; Kantz 1994.

    Example:
        >>> x = [0.3]
        >>> for _ in range(2999):
        ...     x.append(4 * x[-1] * (1 - x[-1]))
        >>> s = neighbour_divergence(np.array(x), dimension=2).log_distance
        >>> bool(abs(np.polyfit(np.arange(5), s[:5], 1)[0] - np.log(2)) < 0.07)
        True
    """
    span = (dimension - 1) * delay
    series = checked(series, least=span + 40)
    apart = min(3 * decorrelation_time(series), series.size // 10) if apart is None else apart
    steps = series.size // 4 if steps is None else steps
    vectors = delay_vectors(series, dimension, delay)
    until = vectors.shape[0] - steps
    at = np.unique(np.linspace(0, until - 1, min(MOST_PAIRS, until)).astype(np.int64))
    near, when = neighbours(vectors, at, 1, apart=apart, until=until)
    at, when = at[np.isfinite(near[:, 0])], when[np.isfinite(near[:, 0]), 0]
    followed = np.unique(np.concatenate([np.arange(min(steps, 60)), np.geomspace(1, steps - 1, 60).astype(np.int64)]))
    tiny = float(np.ptp(series)) * 1e-15 + 1e-300
    gaps = np.abs(vectors[at[:, None] + followed] - vectors[when[:, None] + followed]).max(axis=2)
    strangers = np.abs(vectors[at] - vectors[np.roll(at, at.size // 3)]).max(axis=1)
    return Divergence(followed, np.log(gaps + tiny).mean(axis=0), float(np.log(strangers + tiny).mean()))


@dataclass(frozen=True, slots=True)
class SeriesExponent:
    """A largest Lyapunov exponent read off a series.

    Attributes:
        value: Nats a step.
        uncertainty: Half the difference of the slopes in the two halves of the fit.
        first: First step of the fit.
        last: Last step of the fit.
        r_squared: How straight the rise is; below about 0.95 there is no exponent to speak of.
    """

    value: float
    uncertainty: float
    first: int
    last: int
    r_squared: float


def lyapunov_from_series(series: Floats, *, dimension: int = 2, delay: int = 1, apart: int | None = None) -> SeriesExponent:
    """Return the slope of `neighbour_divergence` from its first step to four fifths of its way to the saturation.

    Args:
        series: Shape ``(n,)``; its transient should be cut.
        dimension: Length of the delay vectors.
        delay: Delay between their entries, in steps.
        apart: Neighbours must be more than this many steps away in time.

    Returns:
        A `SeriesExponent`; 0 where neighbours do not part by more than a factor of two.

    Limits:
        Noise shortens the rise from below. For a map or a training the tangent exponent is exact where this one is an estimate, within a tenth at best.

    References:
        Rosenstein, Collins and De Luca 1993.

    Example:
        >>> x = [0.3]
        >>> for _ in range(2999):
        ...     x.append(4 * x[-1] * (1 - x[-1]))
        >>> bool(abs(lyapunov_from_series(np.array(x)).value - np.log(2)) < 0.07)
        True
    """
    parted = neighbour_divergence(series, dimension=dimension, delay=delay, apart=apart)
    start = float(parted.log_distance[0])
    if parted.growth < np.log(2.0):
        return SeriesExponent(0.0, 0.0, 0, int(parted.steps[-1]), 0.0)
    ceiling = start + 0.8 * (min(parted.saturation, float(parted.log_distance.max())) - start)
    last = max(int(np.argmax(parted.log_distance > ceiling)), 3)
    steps, heights = parted.steps[: last + 1].astype(np.float64), parted.log_distance[: last + 1]
    half = (last + 1) // 2
    slopes = [float(np.polyfit(steps[part], heights[part], 1)[0]) for part in (slice(None), slice(None, half + 1), slice(half, None))]
    rest = heights - np.polyval(np.polyfit(steps, heights, 1), steps)
    return SeriesExponent(slopes[0], abs(slopes[1] - slopes[2]) / 2, 0, int(steps[-1]), 1 - float(np.var(rest) / max(float(np.var(heights)), 1e-300)))
