"""Noises of many kinds: everything here is random and none of it may be called chaos."""

import numpy as np
from scipy.signal import lfilter

Rng = np.random.Generator
Floats = np.ndarray
Made = tuple[Floats, str, None]


def white(rng: Rng, n: int) -> Floats:
    """Return independent numbers of one of five distributions."""
    draws = [rng.standard_normal, rng.random, rng.exponential, rng.laplace]
    choice = rng.integers(5)
    return rng.standard_t(3, n) if choice == 4 else draws[choice](size=n)


def coloured(rng: Rng, n: int) -> Floats:
    """Return 1/f^beta noise."""
    f = np.fft.rfftfreq(2 * n)
    f[0] = f[1]
    spectrum = f ** (-rng.uniform(0.5, 2.2) / 2) * np.exp(2j * np.pi * rng.random(f.size)) * rng.rayleigh(size=f.size)
    return np.fft.irfft(spectrum)[:n]


def ar_one(rng: Rng, n: int) -> Floats:
    """Return a first-order autoregression."""
    return lfilter([1], [1, -rng.uniform(-0.9, 0.995)], rng.standard_normal(n + 500))[500:]


def ar_two(rng: Rng, n: int) -> Floats:
    """Return a second-order autoregression with a resonance."""
    modulus, angle = rng.uniform(0.85, 0.999), rng.uniform(0.1, 3.0)
    return lfilter([1], [1, -2 * modulus * np.cos(angle), modulus**2], rng.standard_normal(n + 2000))[2000:]


def moving_average(rng: Rng, n: int) -> Floats:
    """Return a moving average of noise."""
    width = int(rng.integers(2, 30))
    return np.convolve(rng.standard_normal(n + width), np.hanning(width + 2)[1:-1])[width : n + width]


def random_walk(rng: Rng, n: int) -> Floats:
    """Return a random walk."""
    return np.cumsum(rng.standard_normal(n))


def bounded_walk(rng: Rng, n: int) -> Floats:
    """Return a reflected random walk."""
    walk = np.cumsum(rng.standard_normal(n))
    return np.abs((walk + 10) % 40 - 20)


def trend(rng: Rng, n: int) -> Floats:
    """Return white noise on a slow line or wave."""
    t = np.arange(n) / n
    return rng.standard_normal(n) + rng.uniform(-6, 6) * t + rng.uniform(0, 3) * np.cos(np.pi * t)


def sgd_loss(rng: Rng, n: int) -> Floats:
    """Return the mini-batch losses of a linear regression trained by SGD."""
    d, batch, rate = int(rng.integers(3, 20)), int(rng.integers(4, 32)), rng.uniform(0.003, 0.05)
    truth, w, losses = rng.standard_normal(d), np.zeros(d), []
    for _ in range(n):
        x = rng.standard_normal((batch, d))
        error = x @ (w - truth) + 0.7 * rng.standard_normal(batch)
        losses.append(np.mean(error**2))
        w = w - rate * x.T @ error / batch
    return np.array(losses)


def sgd_plateau(rng: Rng, n: int) -> Floats:
    """Return the losses around a plateau: a decay, then multiplicative noise with memory."""
    memory = lfilter([1], [1, -rng.uniform(0, 0.95)], rng.standard_normal(n + 100))[100:]
    return (0.3 + np.exp(-np.arange(n) / (0.05 * n))) * np.exp(rng.uniform(0.1, 0.4) * memory / np.std(memory))


def hopf(rng: Rng, n: int) -> Floats:
    """Return a stochastic limit cycle (Hopf normal form with dynamical noise)."""
    omega, dt, sigma = rng.uniform(0.5, 2), 0.1, rng.uniform(0.15, 0.5)
    z, zs = 1 + 0j, []
    kicks = sigma * np.sqrt(dt) * (rng.standard_normal(2 * n) + 1j * rng.standard_normal(2 * n))
    for kick in kicks:
        z = z + dt * (z * (1 + 1j * omega) - z * abs(z) ** 2) + kick
        zs.append(z.real)
    return np.array(zs)[:: int(rng.integers(1, 3))][:n]


def noisy_van_der_pol(rng: Rng, n: int) -> Floats:
    """Return a relaxation oscillation with dynamical noise."""
    mu, dt, sigma = rng.uniform(0.5, 3), 0.02, rng.uniform(0.3, 1.0)
    every = int(rng.integers(5, 12))
    x, v, xs = 1.0, 0.0, []
    for kick in sigma * np.sqrt(dt) * rng.standard_normal(n * every):
        x, v = x + dt * v, v + dt * (mu * (1 - x * x) * v - x) + kick
        xs.append(x)
    return np.array(xs)[::every]


def diffusing_phase(rng: Rng, n: int) -> Floats:
    """Return a wave whose phase walks at random."""
    phase = np.cumsum(2 * np.pi / rng.uniform(8, 40) + rng.uniform(0.1, 0.3) * rng.standard_normal(n))
    return np.cos(phase)


def buried_wave(rng: Rng, n: int) -> Floats:
    """Return a wave under noise of its own size."""
    return np.sin(2 * np.pi * np.arange(n) / rng.uniform(5, 50)) + rng.uniform(0.7, 2) * rng.standard_normal(n)


def volatile(rng: Rng, n: int) -> Floats:
    """Return a GARCH(1, 1) series."""
    variance, last, xs = 1.0, 0.0, []
    for e in rng.standard_normal(n):
        variance = 0.05 + 0.15 * last**2 + 0.8 * variance
        last = np.sqrt(variance) * e
        xs.append(last)
    return np.array(xs)


def transformed(rng: Rng, n: int) -> Floats:
    """Return a static nonlinear function of an autoregression."""
    x = lfilter([1], [1, -rng.uniform(0.3, 0.97)], rng.standard_normal(n + 200))[200:]
    x = x / np.std(x)
    return [np.exp(x), x**2, np.tanh(2 * x), x**3, np.abs(x)][rng.integers(5)]


def threshold(rng: Rng, n: int) -> Floats:
    """Return a threshold autoregression (nonlinear and stochastic)."""
    x, xs = 0.0, []
    for e in rng.standard_normal(n):
        x = (0.6 + 0.4 * x if x < 0.5 else -0.4 + 0.8 * x) + e
        xs.append(x)
    return np.array(xs)


def double_well(rng: Rng, n: int) -> Floats:
    """Return noise-driven hopping between two wells."""
    x, dt, xs = 1.0, 0.1, []
    for e in rng.uniform(0.5, 0.9) * np.sqrt(dt) * rng.standard_normal(4 * n):
        x = x + dt * (x - x**3) + e
        xs.append(x)
    return np.array(xs)[::4]


def telegraph(rng: Rng, n: int) -> Floats:
    """Return a two-state signal with random switching, and a little noise."""
    return np.cumsum(rng.random(n) < rng.uniform(0.02, 0.3)) % 2 + 0.02 * rng.standard_normal(n)


def shots(rng: Rng, n: int) -> Floats:
    """Return shot noise: random spikes that decay."""
    return lfilter([1], [1, -rng.uniform(0.3, 0.95)], (rng.random(n) < 0.1) * rng.exponential(size=n)) + 0.05 * rng.standard_normal(n)


def _labelled(make):
    def kind(rng: Rng, n: int) -> Made:
        return make(rng, n), "noise", None

    return kind


NOISE_KINDS = {make.__name__: _labelled(make) for make in (
    white, coloured, ar_one, ar_two, moving_average, random_walk, bounded_walk, trend, sgd_loss, sgd_plateau, hopf, noisy_van_der_pol, diffusing_phase,
    buried_wave, volatile, transformed, threshold, double_well, telegraph, shots,
)}  # fmt: skip
