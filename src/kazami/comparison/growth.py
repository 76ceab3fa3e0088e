r"""How a distance grows: exponentially, like a power of time, in one jump, or not at all.

The logarithm :math:`y(s)` of the relative distance is described by a line between two bends, :math:`y = c + \lambda\,\mathrm{clip}(s, a, b)`:
before :math:`a` the difference has not found the unstable directions yet, after :math:`b` it is as large as it can get. The rate is the slope
of a line through the points between the bends. It is called exponential only if it foretells what it has not seen better than its rivals do.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_GROWTH = 3.0  # e-foldings (a factor of 20): with less, a line and a power of time cannot be told apart
LEAST_POINTS = 8
LEAST_R2 = 0.9
MOST_POINTS = 240
BENDS = 40  # places tried for each bend
SEEN = 0.6  # share of the window that a model is fitted to before it foretells the rest
MOST_POWER = 4.0
BLOCKS = 6
JUMP = np.log(10.0)
OUTLYING = 6.0  # robust standard deviations


@dataclass(frozen=True, slots=True)
class Growth:
    """How the distance changes with the step.

    Attributes:
        model: ``"exponential"``, ``"power"`` (linear growth and diffusion are powers), ``"level"`` (no growth to speak of) or ``"unclear"``.
        rate: Of the exponential, per optimizer step, negative for a distance that shrinks; the slope over the window for the other models.
        rate_error: Its standard error.
        r2: Share of the variance of the logarithm that the line explains, over the window.
        first: First step of the window.
        last: Its last step.
        level: Logarithm of the relative distance on the line at ``first``.
        e_foldings: Growth over the window, in natural logarithms.
        power: Exponent of the power of time that fits best.
        held_out: For each model the root-mean-square error, in natural logarithms, of what it foretold of steps it was not fitted to.
        saturation: Logarithm of the relative distance beyond which it does not grow, ``None`` where it still did at the end.
    """

    model: str
    rate: float
    rate_error: float
    r2: float
    first: int
    last: int
    level: float
    e_foldings: float
    power: float
    held_out: dict[str, float]
    saturation: float | None


def growth_of(steps: NDArray[np.int64], logs: Floats) -> Growth | None:
    """Return how a distance grows from its first point on; ``None`` with fewer than eight points.

    Args:
        steps: Rising; the first is the step at which the difference is seen first.
        logs: Natural logarithm of the relative distance, finite.

    Example:
        >>> s = np.arange(100)
        >>> growth = growth_of(s, np.minimum(-25 + 0.5 * s, -1.0))
        >>> growth.model, round(growth.rate, 3), growth.last
        ('exponential', 0.5, 48)
        >>> growth_of(s, -25 + np.log(1.0 + s)).model
        'power'
    """
    steps, logs = _thinned(steps, logs)
    if steps.size < LEAST_POINTS:
        return None
    t = steps.astype(np.float64)
    first, last = _bends(t, logs)
    inside = (t >= t[first]) & (t <= t[last])
    slope, error, level, r2 = _line(t[inside], logs[inside])
    until = slice(0, last + 1)
    held_out = {name: _held_out(model, t[until] - t[0], logs[until]) for name, model in MODELS.items()}
    e_foldings = slope * (t[last] - t[first])
    return Growth(
        model=_verdict(held_out, e_foldings, r2, int(inside.sum()), logs[inside]),
        rate=slope,
        rate_error=error,
        r2=r2,
        first=int(steps[first]),
        last=int(steps[last]),
        level=level,
        e_foldings=e_foldings,
        power=_power(t[until] - t[0], logs[until]),
        held_out=held_out,
        saturation=float(np.median(logs[last:])) if steps.size - last > 3 else None,
    )


def jump_in(steps: NDArray[np.int64], logs: Floats) -> int | None:
    """Return the index of the point to which the distance jumped.

    That is a tenfold rise from one record to the next, half of the whole rise, and far beyond the others.

    Example:
        >>> logs = np.where(np.arange(60) < 40, -16.0, -4.0) + 0.1 * np.sin(np.arange(60))
        >>> jump_in(np.arange(60), logs)
        40
        >>> jump_in(np.arange(60), np.linspace(-25, -1, 60)) is None
        True
    """
    if logs.size < LEAST_POINTS:
        return None
    rises = np.diff(logs)
    at = int(np.argmax(rises))
    others = np.delete(rises, at)
    middle = float(np.median(others))
    spread = 1.4826 * float(np.median(np.abs(others - middle)))
    gaps = np.diff(steps)
    is_large = rises[at] > JUMP and rises[at] > 0.5 * (logs.max() - logs[: at + 1].min())
    per_step = rises[at] / gaps[at] > 2 * float(np.quantile(others / np.delete(gaps, at), 0.95))
    return at + 1 if is_large and per_step and rises[at] > middle + OUTLYING * spread else None


def _thinned(steps: NDArray[np.int64], logs: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return at most 240 points, evenly in time: records lie denser at the beginning of a run."""
    if steps.size <= MOST_POINTS:
        return steps, logs
    wanted = np.linspace(steps[0], steps[-1], MOST_POINTS)
    places = np.unique(np.clip(np.searchsorted(steps, wanted), 0, steps.size - 1))
    return steps[places], logs[places]


def _bends(t: Floats, y: Floats) -> tuple[int, int]:
    """Return the indices of the two bends of the line that leaves the smallest sum of squares."""
    places = np.unique(np.linspace(0, t.size - 1, min(BENDS, t.size)).round().astype(int))
    best, found = np.inf, (0, t.size - 1)
    for first in places[:-1]:
        lasts = places[places >= first + min(LEAST_POINTS, t.size) - 1]
        if not lasts.size:
            break
        x = np.clip(t[None, :], t[first], t[lasts][:, None])
        x = x - x.mean(1, keepdims=True)
        v = y - y.mean()
        errors = (v @ v) - (x @ v) ** 2 / np.maximum((x * x).sum(1), 1e-300)
        if errors.min() < best * (1 - 1e-9):
            best, found = float(errors.min()), (int(first), int(lasts[int(np.argmin(errors))]))
    return found


def _line(t: Floats, y: Floats) -> tuple[float, float, float, float]:
    """Return slope, its standard error (neighbouring residuals are alike, which counts as fewer points), value at the first point, and R²."""
    x, v = t - t.mean(), y - y.mean()
    slope = float(x @ v / max(float(x @ x), 1e-300))
    rest = v - slope * x
    total, left = float(v @ v), float(rest @ rest)
    alike = float(np.clip(rest[:-1] @ rest[1:] / left, 0.0, 0.99)) if left > 0 else 0.0
    error = float(np.sqrt(left / max(t.size - 2, 1) / max(float(x @ x), 1e-300) * (1 + alike) / (1 - alike)))
    error = max(error, _wandering(t, y)) if alike > 0.5 and t.size >= 4 * BLOCKS else error
    return slope, error, float(y.mean() + slope * x[0]), 1 - left / total if total > 0 else 0.0


def _wandering(t: Floats, y: Floats) -> float:
    """Return the standard error of a slope whose local value fluctuates, as that of chaos does: from the slopes of six blocks."""
    slopes = [np.polyfit(part, values, 1)[0] for part, values in zip(np.array_split(t, BLOCKS), np.array_split(y, BLOCKS), strict=True)]
    return float(np.std(slopes, ddof=1) / BLOCKS**0.5)


Shape = Callable[[Floats], Floats]
Model = Callable[[Floats, Floats], Shape]


def _straight(t: Floats, y: Floats) -> Shape:
    """Fit a line that may begin after a while; seen from its end, it has no such beginning unless it shows one."""
    return _best([functools.partial(np.maximum, a) for a in np.linspace(0.0, t[0] + 0.6 * (t[-1] - t[0]), 13)], t, y)


def _powerlike(t: Floats, y: Floats) -> Shape:
    """Fit ``c + p·log(1 + s/τ)`` with ``τ`` from one step to half of the window and ``|p|`` up to 4; with larger ones the curve would be a line again."""
    shapes = [functools.partial(_curve, tau=tau) for tau in np.geomspace(1.0, max(0.5 * float(t.max()), 2.0), 13)]
    return _best(shapes, t, y, largest=MOST_POWER)


def _curve(s: Floats, tau: float) -> Floats:
    return np.log1p(np.maximum(s, 0.0) / tau)


def _flat(t: Floats, y: Floats) -> Shape:
    del t
    level = float(np.median(y))
    return lambda s: np.full_like(s, level)


def _best(shapes: Sequence[Shape], t: Floats, y: Floats, largest: float = np.inf) -> Shape:
    """Return ``c + k·shape(s)`` with the shape that leaves the smallest sum of squares; the first of equals."""
    fits = [(shape, *_fitted(shape(t), y, largest)) for shape in shapes]
    shape, k, c, _ = min(fits, key=lambda fit: fit[3])
    return lambda s: c + k * shape(s)


def _fitted(x: Floats, y: Floats, largest: float) -> tuple[float, float, float]:
    centred = x - x.mean()
    k = float(np.clip(centred @ (y - y.mean()) / max(float(centred @ centred), 1e-300), -largest, largest))
    c = float(y.mean() - k * x.mean())
    return k, c, float(((y - c - k * x) ** 2).sum())


MODELS: dict[str, Model] = {"exponential": _straight, "power": _powerlike, "level": _flat}


def _held_out(model: Model, t: Floats, y: Floats) -> float:
    """Return the root-mean-square error of foretelling the end from the beginning, and the beginning from the end."""
    middle = t[0] + SEEN * (t[-1] - t[0])
    other = t[-1] - SEEN * (t[-1] - t[0])
    squares: list[Floats] = []
    for seen in (t <= middle, t >= other):
        if seen.sum() < 3 or seen.all():
            return float("inf")
        squares.append((model(t[seen], y[seen])(t[~seen]) - y[~seen]) ** 2)
    return float(np.sqrt(np.concatenate(squares).mean()))


def _power(t: Floats, y: Floats) -> float:
    x = np.log1p(t)
    return _line(x, y)[0]


def _verdict(held_out: dict[str, float], e_foldings: float, r2: float, n: int, inside: Floats) -> str:
    best = min(held_out, key=lambda name: held_out[name])
    if abs(e_foldings) < LEAST_GROWTH:
        return "level" if best == "level" or abs(e_foldings) < 1.0 else "power" if best == "power" else "unclear"
    is_one_step = float(np.abs(np.diff(inside)).max()) > 0.5 * abs(e_foldings)
    if best == "exponential" and r2 >= LEAST_R2 and n >= LEAST_POINTS and not is_one_step:
        return "exponential"
    return "power" if best == "power" else "unclear"
