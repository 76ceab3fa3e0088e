"""Numbers of time series that are known: the 0-1 test, permutation entropy, laminar lengths, and the regimes of known signals."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ...signals import order_patterns, permutation_entropy, regime, zero_one
from ._base import AbstractTruths, Check, Measurement, Sentence, truth

Floats = NDArray[np.float64]
STEPS = 2000
GOTTWALD = "published: Gottwald and Melbourne 2009; at 2000 points"
# x = sin²(πθ/2) makes the map a tent with uniform θ; the order of θ, Tθ, T²θ changes where two of them meet: at 1/3, 2/5, 2/3, 4/5
PATTERNS = {(0, 1, 2): 1 / 3, (0, 2, 1): 2 / 5 - 1 / 3, (1, 2, 0): 2 / 3 - 2 / 5, (1, 0, 2): 4 / 5 - 2 / 3, (2, 0, 1): 1 - 4 / 5}
ORDER = "exact: integrals over the invariant density of the logistic map at r = 4"
POMEAU = "theory: mean laminar length ∝ ε^(-1/2), Pomeau and Manneville 1980"
LABELS = "by construction of the series"
# (name, label that is right) of signals whose nature is known by construction
KNOWN: tuple[tuple[str, str, str, Callable[[], Floats]], ...] = (
    ("logistic r = 4", "chaos", "カオス", lambda: logistic(4.0)),
    ("logistic r = 3.5", "periodic", "周期的", lambda: logistic(3.5)),
    ("two incommensurable rhythms", "quasi_periodic", "準周期的", lambda: rhythms()),
    ("white noise", "noise", "雑音", lambda: np.random.default_rng(0).standard_normal(STEPS)),
    ("exponential decay", "convergent", "収束", lambda: np.exp(-np.arange(STEPS) / 100.0)),
)


class Series(AbstractTruths):
    """Estimators on series, noise among them: a test that cannot tell noise from chaos is shown to be so."""

    name: ClassVar = "series"
    title: ClassVar = Sentence("Time series with known answers", "答えの分かっている時系列")

    def measurements(self, *, quick: bool) -> Sequence[Measurement]:
        """The laminar lengths take long series and are left out of the quick version."""
        tests = [partial(_zero_one, *row) for row in (("logistic r = 3.5", 3.5, 0.0), ("logistic r = 3.83", 3.83, 0.0), ("logistic r = 4", 4.0, 0.998))]
        regimes = [partial(_labelled, *row) for row in KNOWN]
        return [*tests, _rhythms, _noise, _patterns, *regimes, *([] if quick else [_laminar])]


def logistic(r: float, steps: int = STEPS, transient: int = 1000) -> Floats:
    """Return an orbit of the logistic map, transient cut."""
    x, found = 0.3456789, []
    for _ in range(steps + transient):
        x = r * x * (1.0 - x)
        found.append(x)
    return np.array(found[transient:])


def rhythms() -> Floats:
    """Return the sum of two oscillations whose frequencies have no common multiple."""
    time = np.arange(STEPS)
    return np.asarray(np.sin(2 * math.pi * 0.0917 * time) + 0.7 * np.sin(2 * math.pi * 0.0917 * (math.sqrt(5) - 1) / 2 * time))


def _zero_one(name: str, r: float, expected: float) -> Sequence[Check]:
    return [truth((f"0-1 test, {name}", f"0-1 テスト、{name}"), zero_one(logistic(r)), expected, 0.02, GOTTWALD)]


def _rhythms() -> Sequence[Check]:
    return [truth(("0-1 test, two rhythms", "0-1 テスト、2 つのリズム"), zero_one(rhythms()), 0.0, 0.05, GOTTWALD)]


def _noise() -> Sequence[Check]:
    noise = np.random.default_rng(0).standard_normal(STEPS)
    names = "0-1 test, white noise (it cannot tell noise from chaos)", "0-1 テスト、白色雑音（雑音とカオスを区別できない）"
    return [truth(names, zero_one(noise), 0.998, 0.01, GOTTWALD)]


def _patterns() -> Sequence[Check]:
    x = np.sin(math.pi / 2 * _tent(200_000)) ** 2  # an exact conjugate, which does not depend on the rounding of the map
    found = order_patterns(x, order=3)
    bits = -sum(share * math.log2(share) for share in PATTERNS.values())
    checks = [
        truth((f"logistic r = 4: share of order {pattern}", f"logistic r = 4: 順序 {pattern} の割合"), found.get(pattern, 0.0), share, 5e-3, ORDER)
        for pattern, share in PATTERNS.items()
    ]
    forbidden = found.get((2, 1, 0), 0.0)
    checks.append(truth(("logistic r = 4: forbidden order (2, 1, 0)", "logistic r = 4: 禁じられた順序 (2, 1, 0)"), forbidden, 0.0, 0.0, ORDER))
    names = "logistic r = 4: permutation entropy of order 3, bits", "logistic r = 4: 次数 3 の順列エントロピー、ビット"
    return [*checks, truth(names, permutation_entropy(x, order=3, normalised=False), bits, 5e-3, ORDER)]


def _tent(steps: int) -> Floats:
    """Return an orbit of the tent map on [0, 1] with fresh random digits at its end, so that float64 does not run out of them."""
    bits = np.random.default_rng(1).integers(0, 2, steps + 60)
    doubled = np.convolve(bits, 0.5 ** np.arange(1, 61)[::-1], mode="valid")[:steps]  # the shift of random binary digits
    return np.asarray(1.0 - np.abs(2.0 * doubled - 1.0))


def _labelled(name: str, label: str, label_ja: str, make: Callable[[], Floats]) -> Sequence[Check]:
    found = regime(make())
    names = f"regime of {name}: {label}", f"{name} のレジーム: {label_ja}"
    return [truth(names, float(found.label == label), 1.0, 0.0, LABELS)]


def _laminar() -> Sequence[Check]:
    epsilons = (1e-3, 1e-4, 1e-5)
    lengths = [_mean_laminar_length(epsilon) for epsilon in epsilons]
    slope = float(np.polyfit(np.log(epsilons), np.log(lengths), 1)[0])
    return [truth(("type-I intermittency: exponent of the mean laminar length", "I 型間欠性: 平均層流長の指数"), slope, -0.5, 0.05, POMEAU)]


def _mean_laminar_length(epsilon: float) -> float:
    from ...signals import laminar_phases

    x = logistic(1.0 + math.sqrt(8.0) - epsilon, steps=int(20_000 * (1e-3 / epsilon) ** 0.5))
    return laminar_phases(x, period=3).mean_length
