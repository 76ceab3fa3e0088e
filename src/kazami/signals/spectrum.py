"""Power spectrum, its lines, and whether they are harmonics of one oscillation or combinations of several."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal.windows import blackmanharris

from .series import checked

Floats = NDArray[np.float64]
LOBE = 4  # half width of the main lobe of the four-term Blackman-Harris window, in bins; its side lobes are 92 dB down
PADDING = 8
HARMONICS = 8


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a power spectrum.

    Attributes:
        frequencies: Cycles a step, strongest first, shape ``(k,)``.
        shares: Share of the variance in each, shape ``(k,)``.
        background: Share of the variance in no line.
        isolated: Share of the variance in lines that stand alone: a broad hump is a row of lines side by side.
        fundamental: Frequency of which all lines are harmonics, ``None`` where there is none.
    """

    frequencies: Floats
    shares: Floats
    background: float
    isolated: float
    fundamental: float | None


def power_spectrum(series: Floats) -> tuple[Floats, Floats]:
    """Return frequencies (cycles a step, 0 to 1/2) and the share of the variance in each bin (mean removed, four-term Blackman–Harris window).

    Args:
        series: Shape ``(n,)``.

    Returns:
        Two arrays of shape ``(n // 2 + 1,)``; the shares add up to 1, or are all 0 where the series does not vary.

    References:
        Harris 1978.

    Example:
        >>> frequencies, shares = power_spectrum(np.cos(2 * np.pi * 0.125 * np.arange(800)))
        >>> float(frequencies[np.argmax(shares)])
        0.125
    """
    values = checked(series, least=16)
    window = blackmanharris(values.size, sym=False)
    centred = values - np.average(values, weights=window)
    power = np.abs(np.fft.rfft(centred * window)) ** 2
    total = float(power.sum())
    shares: Floats = power / total if total > 0 else np.zeros_like(power)
    frequencies: Floats = np.asarray(np.fft.rfftfreq(values.size), dtype=np.float64)
    return frequencies, shares


def spectral_lines(series: Floats, *, most: int = 40, least_share: float = 1e-5) -> Lines:
    """Return the lines of the power spectrum, and the fundamental if all of them are harmonics of one oscillation.

    Args:
        series: Shape ``(n,)``; its transient should be cut.
        most: How many lines at most; at most n / 40 are looked for.
        least_share: Share of the variance below which a peak is no line.

    Returns:
        The `Lines`. Two frequencies or more without a fundamental, and a background near 0, are the mark of quasi-periodicity.

    Limits:
        Lines closer than 8 / n cycles a step are seen as one. Frequencies above 1/2 are seen folded back.

    Example:
        >>> t = np.arange(2000)
        >>> spectral_lines(np.cos(0.2 * t) + 0.3 * np.cos(0.4 * t)).fundamental * 2 * np.pi
        0.2000...
        >>> spectral_lines(np.cos(0.2 * t) + 0.3 * np.cos(0.2 * 5**0.5 * t)).fundamental is None
        True
    """
    values = checked(series, least=64)
    frequencies, shares = power_spectrum(values)
    left = shares.copy()
    found: list[tuple[float, float]] = []
    for _ in range(max(min(most, values.size // 40), 2)):
        top = int(np.argmax(left))
        low, high = max(top - LOBE, 0), min(top + LOBE + 1, left.size)
        share = float(left[low:high].sum())
        if share < least_share or left[top] <= 0:
            break
        found.append((_refined(values, float(frequencies[top])), share))
        left[low:high] = 0.0
    where = np.array([frequency for frequency, _ in found])
    sizes = np.array([share for _, share in found])
    return Lines(where, sizes, float(left.sum()), _isolated(where, sizes, values.size), _fundamental(where, sizes, values.size))


def _refined(values: Floats, frequency: float) -> float:
    """Return the frequency at which the windowed Fourier integral is largest near ``frequency``, by two parabolas."""
    window = blackmanharris(values.size, sym=False)
    centred = (values - values.mean()) * window
    t = np.arange(values.size)
    width = 1.0 / values.size
    for _ in range(3):
        trio = frequency + width * np.array([-0.5, 0.0, 0.5])
        a, b, c = np.log(np.abs(np.exp(-2j * np.pi * trio[:, None] * t) @ centred) + 1e-300)
        bend = a - 2 * b + c
        frequency += float(np.clip(0.25 * width * (a - c) / bend, -width, width)) if bend < 0 else 0.0
        width /= 3
    return frequency


def _isolated(frequencies: Floats, shares: Floats, n: int) -> float:
    """Return the share of the lines with no other of a hundredth of their strength or more nearer than two lines side by side would be."""
    near = np.abs(frequencies[:, None] - frequencies[None]) * n < 3 * LOBE
    rivals = near & (shares[None] > 0.01 * shares[:, None]) & ~np.eye(frequencies.size, dtype=bool)
    return float(shares[~rivals.any(axis=1)].sum())


def _fundamental(frequencies: Floats, shares: Floats, n: int) -> float | None:
    """Return the frequency of which all lines of more than a ten-thousandth are harmonics, none folded back, if there is one."""
    strong = frequencies[shares > max(1e-4, 1e-3 * shares.max())] if shares.size else frequencies
    if not strong.size:
        return None
    for divisor in range(1, HARMONICS + 1):
        base = float(strong[0]) / divisor
        multiples = np.round(strong / base)
        if base * n > 2 and bool(np.all(np.abs(strong - multiples * base) < 0.4 / n)) and multiples.min() <= 2:
            return base
    return None
