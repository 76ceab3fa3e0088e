"""Flows, decays, divergences, intermittency and transient chaos with their labels."""

import numpy as np
from scipy.integrate import solve_ivp

Rng = np.random.Generator
Floats = np.ndarray
Made = tuple[Floats, str, float | None]


def runge_kutta(field, state: Floats, n: int, dt: float, burn: int) -> Floats:
    """Return ``n`` states sampled every ``dt``, with inner steps of at most 0.02."""
    inner = max(int(np.ceil(dt / 0.02)), 1)
    h = dt / inner
    rows = np.empty((n, state.size))
    for t in range(-burn, n):
        if t >= 0:
            rows[t] = state
        for _ in range(inner):
            a = field(state)
            b = field(state + h / 2 * a)
            c = field(state + h / 2 * b)
            d = field(state + h * c)
            state = state + h / 6 * (a + 2 * b + 2 * c + d)
    return rows


def lorenz_field(rho: float):
    """Return the Lorenz equations."""
    return lambda s: np.array([10 * (s[1] - s[0]), s[0] * (rho - s[2]) - s[1], s[0] * s[1] - 8 / 3 * s[2]])


def sampled(field, state, n: int, dt: float, skip: float) -> Floats:
    """Return an orbit sampled every ``dt`` after ``skip``."""
    times = skip + dt * np.arange(n)
    return solve_ivp(lambda _, s: field(s), (0, times[-1] + dt), np.asarray(state, dtype=float), t_eval=times, method="DOP853", rtol=1e-8, atol=1e-8).y.T


def lorenz(rng: Rng, n: int) -> Made:
    """Draw the chaotic Lorenz system."""
    dt = rng.uniform(0.02, 0.12)
    rows = sampled(lorenz_field(rng.uniform(28, 45)), rng.uniform(1, 5, 3), max(n, int(60 / dt)), dt, 5.0)
    return rows[:, rng.integers(3)], "chaos", None


def rossler(rng: Rng, n: int) -> Made:
    """Draw the chaotic Rössler system."""
    dt, (a, b, c) = rng.uniform(0.2, 0.6), [(0.2, 0.2, 5.7), (0.1, 0.1, 14.0), (0.15, 0.2, 10.0)][rng.integers(3)]
    field = lambda s: np.array([-s[1] - s[2], s[0] + a * s[1], b + s[2] * (s[0] - c)])  # noqa: E731
    rows = sampled(field, [1.0, 1.0, 0.5], max(n, int(450 / dt)), dt, 60.0)
    return rows[:, rng.integers(2)], "chaos", None


def van_der_pol(rng: Rng, n: int) -> Made:
    """Draw a van der Pol limit cycle."""
    mu, dt = rng.uniform(0.3, 4), rng.uniform(0.08, 0.3)
    rows = sampled(lambda s: np.array([s[1], mu * (1 - s[0] ** 2) * s[1] - s[0]]), rng.uniform(0.5, 3, 2), max(n, int(120 / dt)), dt, 0.0)
    return rows[:, 0], "periodic", None


def lorenz_dies(rng: Rng, n: int) -> Made | None:
    """Draw a Lorenz orbit that is chaotic for a while and then spirals into a fixed point."""
    dt = rng.uniform(0.05, 0.1)
    rows = sampled(lorenz_field(rng.uniform(20.5, 22.3)), rng.uniform(-15, 15, 3) + np.array([0, 0, 20]), 3000, dt, 0.0)
    x = rows[:, 0]
    flips = np.flatnonzero(np.diff(np.sign(x)))
    if flips.size < 15 or flips[-1] > 1500 or flips[-1] < 200:
        return None
    return x[: int(flips[-1] * rng.uniform(1.6, 2.5)) + int(25 / dt)], "transient_chaos", None


def leaky_logistic(rng: Rng, n: int) -> Made:
    """Draw a fully chaotic map with a hole that leads into a contracting well."""
    width, target = rng.uniform(0.001, 0.004), 0.3
    x, xs, is_caught = rng.uniform(0.1, 0.9), [], False
    caught_at = 0
    while len(xs) < 4000 and not (is_caught and len(xs) > caught_at * 1.6 + 150):
        xs.append(x)
        if not is_caught and abs(x - target) < width and len(xs) > 120:
            is_caught, caught_at = True, len(xs)
        x = target + 0.8 * (x - target) if is_caught else 3.9999 * x * (1 - x)
    return np.array(xs), "transient_chaos", None


def extinction(rng: Rng, n: int) -> Made | None:
    """Draw a logistic population just past r = 4: chaotic, until it overshoots its food and is extinct."""
    r = 4 + 10 ** rng.uniform(-5, -3.5)
    x, xs = rng.uniform(0.3, 0.7), []
    while x > 0 and len(xs) < 4000:
        xs.append(x)
        x = max(r * x * (1 - x), 0.0)
    if not 150 < len(xs) < 4000:
        return None
    return np.append(xs, np.zeros(int(len(xs) * rng.uniform(0.4, 1.2)) + 40)), "transient_chaos", None


def cooled_cubic(rng: Rng, n: int) -> Made:
    """Draw gradient descent whose step size shrinks from chaos to convergence half-way."""
    n = max(n, 400)
    a = np.where(np.arange(n) < n * rng.uniform(0.3, 0.6), rng.uniform(1.75, 1.98), 0.7)
    x, xs = rng.uniform(0.2, 0.9), []
    for step in a:
        xs.append(x)
        x = (1 + step) * x - step * x**3
    return np.array(xs), "transient_chaos", None


def type_one(rng: Rng, n: int) -> Made:
    """Draw type-I intermittency before the period-3 window of the logistic map."""
    r = 1 + np.sqrt(8) - 10 ** rng.uniform(-4.7, -3.3)
    x, xs = rng.uniform(0.1, 0.9), []
    for _ in range(max(n, 2500)):
        xs.append(x)
        x = r * x * (1 - x)
    return np.array(xs), "intermittent", None


def type_two(rng: Rng, n: int) -> Made:
    """Draw type-II intermittency: an orbit spirals out of a weakly unstable focus and is thrown back."""
    epsilon, omega = 10 ** rng.uniform(-3, -2), rng.uniform(0.1, 0.4)
    r, phase, xs = rng.uniform(0.1, 0.9), 0.0, []
    for _ in range(max(n, 2500)):
        xs.append(r * np.cos(2 * np.pi * phase))
        r, phase = ((1 + epsilon) * r + r**3) % 1.0, phase + omega
    return np.array(xs), "intermittent", None


def type_three(rng: Rng, n: int) -> Made:
    """Draw type-III intermittency: a period-two oscillation grows slowly, breaks, and is thrown back."""
    epsilon = 10 ** rng.uniform(-3, -1.8)
    x, xs = rng.uniform(0.05, 0.4), []
    for _ in range(max(n, 2500)):
        xs.append(x)
        x = -((1 + epsilon) * x + 2.5 * x**3)
        x = 0.7 * (abs(x) - 0.5) % 0.5 if abs(x) > 0.5 else x
    return np.array(xs), "intermittent", None


def pomeau_manneville(rng: Rng, n: int) -> Made:
    """Draw the Pomeau–Manneville map."""
    z, epsilon = rng.uniform(1.6, 2.2), 10 ** rng.uniform(-4, -3)
    x, xs = rng.uniform(0.1, 0.9), []
    for _ in range(max(n, 2000)):
        xs.append(x)
        x = (epsilon + x + x**z) % 1.0
    return np.array(xs), "intermittent", None


def lorenz_intermittent(rng: Rng, n: int) -> Made:
    """Draw the Lorenz system just past its tangent bifurcation at 166.06."""
    rows = sampled(lorenz_field(rng.uniform(166.08, 166.2)), [1.0, 5.0, 150.0], 12000, rng.uniform(0.01, 0.02), 10.0)
    return rows[:, rng.integers(3)], "intermittent", None


def exponential(rng: Rng, n: int) -> Made:
    """Draw an exponential decay."""
    return np.exp(-np.arange(n) / (rng.uniform(0.01, 0.25) * n)), "convergent", None


def two_rates(rng: Rng, n: int) -> Made:
    """Draw a loss with a fast and a slow rate."""
    t = np.arange(n) / n
    return 0.7 * np.exp(-t / rng.uniform(0.01, 0.05)) + 0.3 * np.exp(-t / rng.uniform(0.1, 0.4)), "convergent", None


def power_law(rng: Rng, n: int) -> Made:
    """Draw a slow power-law decay."""
    return (1 + np.arange(n) / rng.uniform(1, 20)) ** -rng.uniform(0.4, 2), "convergent", None


def damped(rng: Rng, n: int) -> Made:
    """Draw a damped oscillation; it may not be over at the end."""
    t = np.arange(n)
    period = rng.uniform(2, 40)
    return np.exp(-t / (rng.uniform(0.03, 0.35) * n)) * np.cos(2 * np.pi * t / period + rng.uniform(0, 6)), "convergent", None


def descent(rng: Rng, n: int) -> Made:
    """Draw the loss of gradient descent on a quadratic with many curvatures."""
    curvatures = 10 ** rng.uniform(-3, 0, 30)
    step = rng.uniform(0.3, 1.95)
    return ((1 - step * curvatures[None, :]) ** (2 * np.arange(n)[:, None]) * curvatures).sum(axis=1), "convergent", None


def logistic_settles(rng: Rng, n: int) -> Made:
    """Draw a logistic map with a stable fixed point, reached with or without ringing."""
    r, x, xs = rng.uniform(1.2, 2.97), rng.uniform(0.05, 0.95), []
    for _ in range(n):
        xs.append(x)
        x = r * x * (1 - x)
    return np.array(xs), "convergent", None


def dead(rng: Rng, n: int) -> Made:
    """Draw a constant, bare or with rounding at its last digits."""
    level = float(rng.normal() * 10 ** rng.uniform(-6, 6)) if rng.random() < 0.9 else 0.0
    return level * (1 + np.finfo(float).eps * rng.integers(0, 2, n) * rng.integers(0, 2)), "dead", None


def exponential_growth(rng: Rng, n: int) -> Made:
    """Draw a finite exponential growth, with or without oscillation."""
    wave = 1 if rng.random() < 0.5 else np.cos(2 * np.pi * np.arange(n) / rng.uniform(2, 20))
    return np.exp(rng.uniform(12, 200) * np.arange(n) / n) * wave + rng.normal(), "divergent", None


def overflow(rng: Rng, n: int) -> Made:
    """Draw a cubic map past its last bounded step size: it ends in inf and NaN."""
    x, xs, a = rng.uniform(0.2, 0.9), [], rng.uniform(2.05, 2.6)
    for _ in range(n):
        xs.append(x)
        x = (1 + a) * x - a * x * x * x
    return np.array(xs), "divergent", None


def runaway(rng: Rng, n: int) -> Made:
    """Draw a loss that falls, then runs away."""
    t = np.arange(n)
    return np.exp(-t / (0.1 * n)) + np.exp(rng.uniform(15, 60) * (t / n - 0.6)), "divergent", None


FLOW_KINDS = {kind.__name__: kind for kind in (
    lorenz, rossler, van_der_pol, lorenz_dies, leaky_logistic, extinction, cooled_cubic, type_one, type_two, type_three, pomeau_manneville,
    lorenz_intermittent, exponential, two_rates, power_law, damped, descent, logistic_settles, dead, exponential_growth, overflow, runaway,
)}  # fmt: skip
