"""Series with a known regime: every kind draws its own parameters, length, noise, offset and scale from a seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from .regime_flows import FLOW_KINDS
from .regime_noises import NOISE_KINDS

Rng = np.random.Generator
Floats = np.ndarray
BURN = 500


@dataclass(frozen=True)
class Case:
    """One series and its true label."""

    kind: str
    label: str
    seed: int
    series: Floats
    period: int | None = None


def iterate(step: Callable[[tuple[float, ...]], tuple[float, ...]], state: tuple[float, ...], n: int, burn: int = 0) -> Floats:
    """Return ``n`` states after ``burn``, shape ``(n, coordinates)``."""
    rows = np.empty((n, len(state)))
    for _ in range(burn):
        state = step(state)
    for t in range(n):
        rows[t] = state
        state = step(state)
    return rows


def logistic(r: float, x: float, n: int, burn: int = 0) -> Floats:
    """Return an orbit of the logistic map."""
    return iterate(lambda s: (r * s[0] * (1 - s[0]),), (x,), n, burn)[:, 0]


def cubic(a: float, x: float, n: int, burn: int = 0) -> Floats:
    """Return an orbit of gradient descent on the quartic double well, x <- (1 + a) x - a x^3."""
    return iterate(lambda s: ((1 + a) * s[0] - a * s[0] ** 3,), (x,), n, burn)[:, 0]


def exponent_and_period(series: Floats, slopes: Floats) -> tuple[float, int | None]:
    """Return the mean log slope of a map's orbit, and its exact period if it has one up to 64."""
    tail = series[-200:]
    period = next((p for p in range(1, 65) if np.max(np.abs(tail[p:] - tail[:-p])) < 1e-9 * np.ptp(series)), None)
    return float(np.mean(np.log(np.abs(slopes) + 1e-300))), period


def logistic_any(rng: Rng, n: int) -> tuple[Floats, str, int | None] | None:
    """Draw any r where the orbit is clearly periodic or clearly chaotic; near no intermittency."""
    r = rng.uniform(3.02, 4.0)
    long = logistic(r, rng.uniform(0.1, 0.9), 20000, 3000)
    exponent, period = exponent_and_period(long, r * (1 - 2 * long))
    x = logistic(r, rng.uniform(0.1, 0.9), n)
    if exponent < -0.05 and period:
        return x, "periodic", period
    if exponent > 0.12 and not 3.8 < r < 3.8285:
        return x, "chaos", None
    return None


def cubic_any(rng: Rng, n: int) -> tuple[Floats, str, int | None] | None:
    """Draw a step size of the cubic map; the position or the loss is seen."""
    a = rng.uniform(1.02, 1.99)
    start = rng.uniform(0.2, 0.9)
    long = cubic(a, start, 20000, 3000)
    exponent, period = exponent_and_period(long, 1 + a - 3 * a * long**2)
    x = cubic(a, start, n)
    seen = x if rng.random() < 0.5 else (x**2 - 1) ** 2 / 4
    if exponent < -0.05 and period:
        _, period = exponent_and_period(long if seen is x else (long**2 - 1) ** 2, np.ones(1))
        return (seen, "periodic", period) if period and period > 1 else None
    return (seen, "chaos", None) if exponent > 0.12 else None


def window(rng: Rng, n: int) -> tuple[Floats, str, int | None]:
    """Draw a periodic window of the logistic map."""
    r, period = [(3.835, 3), (3.7389, 5), (3.906, 5), (3.6273, 6), (3.7017, 7), (3.5, 4), (3.55, 8), (3.845, 6), (3.2, 2), (3.5665, 16)][rng.integers(10)]
    return logistic(r, rng.uniform(0.1, 0.9), n, 300), "periodic", period


def tent(rng: Rng, n: int) -> tuple[Floats, str, None]:
    """Draw a tent map."""
    slope = rng.uniform(1.45, 1.9999)
    return iterate(lambda s: (slope * min(s[0], 1 - s[0]),), (rng.uniform(0.2, 0.8),), n)[:, 0], "chaos", None


def henon(rng: Rng, n: int) -> tuple[Floats, str, None]:
    """Draw a chaotic Hénon map; either coordinate."""
    a = [1.4, 1.38, 1.35, 1.2, 1.17][rng.integers(5)]
    start = (rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1))
    return iterate(lambda s: (1 - a * s[0] ** 2 + s[1], 0.3 * s[0]), start, n)[:, rng.integers(2)], "chaos", None


def ikeda(rng: Rng, n: int) -> tuple[Floats, str, None]:
    """Draw an Ikeda map."""
    u = rng.uniform(0.8, 0.9) if rng.random() < 0.4 else 0.9

    def step(s: tuple[float, ...]) -> tuple[float, ...]:
        angle = 0.4 - 6 / (1 + s[0] ** 2 + s[1] ** 2)
        return 1 + u * (s[0] * np.cos(angle) - s[1] * np.sin(angle)), u * (s[0] * np.sin(angle) + s[1] * np.cos(angle))

    return iterate(step, (rng.uniform(0, 0.5), rng.uniform(0, 0.5)), max(n, 600))[:, rng.integers(2)], "chaos", None


def standard(k: float, state: tuple[float, float], n: int) -> Floats:
    """Return an orbit of the standard map (momentum unwrapped, angle wrapped)."""

    def step(s: tuple[float, ...]) -> tuple[float, ...]:
        p = s[0] + k * np.sin(s[1])
        return p, (s[1] + p) % (2 * np.pi)

    return iterate(step, state, n)


def standard_chaos(rng: Rng, n: int) -> tuple[Floats, str, None]:
    """Draw a chaotic orbit of the standard map."""
    rows = standard(rng.uniform(3.5, 8), (rng.uniform(0, 6), rng.uniform(0, 6)), max(n, 1500))
    return [np.sin(rows[:, 1]), rows[:, 1], rows[:, 0] % (2 * np.pi)][rng.integers(3)], "chaos", None


def standard_regular(rng: Rng, n: int) -> tuple[Floats, str, None]:
    """Draw an orbit on a closed curve around the elliptic fixed point of the standard map."""
    rows = standard(rng.uniform(0.6, 1.4), (rng.uniform(0.05, 0.6), np.pi), n)
    return rows[:, rng.integers(2)], "quasi_periodic", None


def towel(rng: Rng, n: int) -> tuple[Floats, str, None]:
    """Draw the folded towel map (hyperchaos)."""

    def step(s: tuple[float, ...]) -> tuple[float, ...]:
        x, y, z = s
        first = 3.8 * x * (1 - x) - 0.05 * (y + 0.35) * (1 - 2 * z)
        return first, 0.1 * ((y + 0.35) * (1 - 2 * z) - 1) * (1 - 1.9 * x), 3.78 * z * (1 - z) + 0.2 * y

    return iterate(step, (0.085 + 0.01 * rng.random(), -0.121, 0.075), n)[:, [0, 2][rng.integers(2)]], "chaos", None


def circle(rng: Rng, n: int, omega: float, k: float) -> Floats:
    """Return the sine or the fraction of a circle map's angle."""
    angle = iterate(lambda s: (s[0] + omega - k / (2 * np.pi) * np.sin(2 * np.pi * s[0]),), (rng.random(),), n)[:, 0]
    return np.sin(2 * np.pi * angle) if rng.random() < 0.7 else angle % 1.0


def circle_quasi(rng: Rng, n: int) -> tuple[Floats, str, None] | None:
    """Draw a circle map with an irrational winding number."""
    omega, k = rng.uniform(0.15, 0.85), rng.uniform(0.0, 0.85)
    angle = iterate(lambda s: (s[0] + omega - k / (2 * np.pi) * np.sin(2 * np.pi * s[0]),), (0.1,), 20001, 2000)[:, 0]
    winding = (angle[-1] - angle[0]) / 20000
    near = min(abs(winding * q - round(winding * q)) / q for q in range(1, 40))
    return (circle(rng, n, omega, k), "quasi_periodic", None) if near > 2e-4 and 0.12 < winding % 1 < 0.88 else None


def circle_locked(rng: Rng, n: int) -> tuple[Floats, str, int] | None:
    """Draw a circle map that is locked: its sine, from an odd angle, returns exactly after a few steps."""
    omega, k = rng.uniform(0.05, 0.95), rng.uniform(0.8, 0.99)
    angle = iterate(lambda s: (s[0] + omega - k / (2 * np.pi) * np.sin(2 * np.pi * s[0]),), (rng.random(),), 3000 + n)[:, 0]
    x = np.sin(2 * np.pi * angle + 0.7)
    _, period = exponent_and_period(x[:3000], np.ones(1))
    return (x[500 : n + 500], "periodic", period) if period and period > 1 else None


def delayed_logistic(rng: Rng, n: int) -> tuple[Floats, str, None]:
    """Draw the delayed logistic map past its Neimark–Sacker bifurcation."""
    a = rng.uniform(2.03, 2.15)
    return iterate(lambda s: (a * s[0] * (1 - s[1]), s[0]), (0.4, 0.4), n, BURN)[:, 0], "quasi_periodic", None


def coupled(rng: Rng, n: int) -> tuple[Floats, str, None] | None:
    """Draw two coupled chaotic logistic maps."""
    r, c = rng.uniform(3.8, 4.0), rng.uniform(0.02, 0.12)

    def step(s: tuple[float, ...]) -> tuple[float, ...]:
        f, g = r * s[0] * (1 - s[0]), r * s[1] * (1 - s[1])
        return (1 - c) * f + c * g, (1 - c) * g + c * f

    start = (rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9))
    shifted = (start[0] + 1e-9, start[1])
    if np.abs(iterate(step, start, 50, 1500) - iterate(step, shifted, 50, 1500)).max() < 0.05:  # a torus or a cycle
        return None
    return iterate(step, start, max(n, 500))[:, 0], "chaos", None


def quasi_sum(rng: Rng, n: int) -> tuple[Floats, str, None]:
    """Draw a sum (and product) of two or three incommensurate oscillations."""
    t = np.arange(max(n, 400))
    base = rng.uniform(0.02, 0.12)
    ratios = [1.0, (1 + np.sqrt(5)) / 2, np.sqrt(7)][: rng.integers(2, 4)]
    parts = [rng.uniform(0.4, 1.0) * np.sin(2 * np.pi * base * ratio * t + rng.uniform(0, 6)) for ratio in ratios]
    return sum(parts) + (0.5 * parts[0] * parts[1] if rng.random() < 0.5 else 0.0), "quasi_periodic", None


def sampled_cycle(rng: Rng, n: int) -> tuple[Floats, str, float]:
    """Draw a smooth periodic signal with a few harmonics, of any period from 12 steps."""
    period = float(rng.uniform(12, 60)) if rng.random() < 0.5 else float(rng.integers(2, 60))
    t = np.arange(max(n, int(8 * period)))
    wave = sum(rng.uniform(0, 1) / k**2 * np.cos(2 * np.pi * k * t / period + rng.uniform(0, 6)) for k in range(2, 4)) if period > 8 else 0.0
    return np.cos(2 * np.pi * t / period + 0.3) + wave, "periodic", period


MAP_KINDS = {
    "logistic_any": logistic_any,
    "cubic_any": cubic_any,
    "window": window,
    "tent": tent,
    "henon": henon,
    "ikeda": ikeda,
    "standard_chaos": standard_chaos,
    "standard_regular": standard_regular,
    "towel": towel,
    "circle_quasi": circle_quasi,
    "circle_locked": circle_locked,
    "delayed_logistic": delayed_logistic,
    "coupled": coupled,
    "quasi_sum": quasi_sum,
    "sampled_cycle": sampled_cycle,
}
KINDS = {**MAP_KINDS, **FLOW_KINDS, **NOISE_KINDS}
UNDISTURBED = ("dead", "exponential_growth", "overflow", "runaway", "power_law")  # offset and noise would change what they are


def draw(kind: str, seed: int, longest: int = 6000) -> Case:
    """Return the case of one kind and seed; parameters that lie on a border are drawn again."""
    rng = np.random.default_rng([seed, sum(kind.encode())])
    while True:
        n = int(np.exp(rng.uniform(np.log(300), np.log(longest))))
        with np.errstate(all="ignore"):
            made = KINDS[kind](rng, n)
        if made is not None:
            break
    x, label, period = made
    return Case(kind, label, seed, disturbed(rng, x, label, kind), period)


def disturbed(rng: Rng, x: Floats, label: str, kind: str) -> Floats:
    """Return the series at another scale and offset; two fifths with observational noise, a quarter with a decay at the start."""
    finite = x[np.isfinite(x)]
    if label not in ("noise", "dead", "divergent") and rng.random() < 0.4:
        x = x + 10 ** rng.uniform(-4, -2) * np.std(finite) * rng.standard_normal(x.size)
    if label in ("chaos", "periodic", "quasi_periodic") and rng.random() < 0.25:
        x = x + rng.uniform(-5, 5) * np.std(finite) * np.exp(-np.arange(x.size) / (rng.uniform(0.005, 0.04) * x.size))
    if kind in UNDISTURBED:
        return x
    scale = 10 ** rng.uniform(-3, 3) * rng.choice([-1.0, 1.0])
    return scale * (x + rng.uniform(-3, 3) * np.std(finite))


@cache
def cases(seeds: tuple[int, ...], kinds: tuple[str, ...] = tuple(KINDS)) -> tuple[Case, ...]:
    """Return one case of each kind for each seed."""
    return tuple(_cases(seeds, kinds))


def _cases(seeds: tuple[int, ...], kinds: tuple[str, ...]) -> Iterator[Case]:
    for kind in kinds:
        for seed in seeds:
            yield draw(kind, seed)
