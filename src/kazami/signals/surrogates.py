"""Surrogates: series that are random but for what a null hypothesis keeps."""

import numpy as np
from numpy.typing import NDArray

from .robust import autocorrelation
from .series import checked

Floats = NDArray[np.float64]


def shuffled(series: Floats, *, rng: np.random.Generator) -> Floats:
    """Return the values in random order: the null hypothesis of independent numbers."""
    result: Floats = rng.permutation(checked(series))
    return result


def phase_randomised(series: Floats, *, rng: np.random.Generator, rounds: int = 30) -> Floats:
    """Return a surrogate with the same values and (nearly) the same power spectrum: the null hypothesis of a linear process seen through a static function.

    The values are shuffled; then, in turns, its Fourier amplitudes and its sorted values are replaced by those of the series (IAAFT). The series is first cut
    so that its ends meet, for a jump between them would whiten the surrogate.

    Args:
        series: Shape ``(n,)``.
        rng: Where the chance comes from.
        rounds: Number of turns.

    Returns:
        Shape ``(n',)`` with n' between 0.9 n and n.

    References:
        Schreiber and Schmitz 1996.

    Example:
        >>> x = np.cos(np.arange(200.0))
        >>> y = phase_randomised(x, rng=np.random.default_rng(0))
        >>> set(y) <= set(x)
        True
    """
    values = _ends_meet(checked(series, least=20))
    ranked, amplitudes = np.sort(values), np.abs(np.fft.rfft(values))
    surrogate = rng.permutation(values)
    for _ in range(rounds):
        spectrum = np.fft.rfft(surrogate)
        spectrum *= amplitudes / np.maximum(np.abs(spectrum), 1e-300)
        surrogate = ranked[np.argsort(np.argsort(np.fft.irfft(spectrum, values.size)))]
    result: Floats = surrogate
    return result


def _ends_meet(values: Floats) -> Floats:
    """Return the part, at least nine tenths long, whose ends have the most similar value and slope."""
    margin = max(values.size // 20, 1)
    starts = np.arange(margin)[:, None]
    ends = values.size - 1 - np.arange(margin)[None, :]
    gap = np.abs(values[starts] - values[ends]) + np.abs((values[starts + 1] - values[starts]) - (values[ends] - values[ends - 1]))
    first, last = np.unravel_index(int(np.argmin(gap)), gap.shape)
    return values[int(first) : values.size - int(last)]


def shuffled_band(series: Floats, lags: int, *, surrogates: int = 1000, level: float = 0.95, seed: int = 0) -> tuple[Floats, float]:
    """Return the autocorrelation at lags 0 to ``lags`` and the bound that it stays within, at any one lag, if the order of the values is chance.

    Args:
        series: Shape ``(n,)``.
        lags: Largest lag, in steps.
        surrogates: How many shuffled series make the null.
        level: Share of the surrogates within the bound.
        seed: Seed of the shuffles.

    Returns:
        The autocorrelation, shape ``(lags + 1,)``, and the bound.

    References:
        Danovski, Soriano and Lacasa 2024, the null band of their autocorrelation.

    Example:
        >>> correlations, bound = shuffled_band(np.random.default_rng(1).standard_normal(400), 5, surrogates=200)
        >>> bool(0.07 < bound < 0.13)  # 2 / sqrt(400)
        True
    """
    values = checked(series, least=4)
    rng = np.random.default_rng(seed)
    centred = values - values.mean()
    power = float(np.mean(centred**2))
    if power <= 0:
        return np.zeros(lags + 1), 0.0
    null = []
    for _ in range(surrogates):
        other = rng.permutation(centred)
        null.append(abs(float(np.mean(other[1:] * other[:-1]))) / power)
    return autocorrelation(values, lags), float(np.quantile(null, level))
