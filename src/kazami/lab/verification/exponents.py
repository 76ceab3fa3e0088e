"""Lyapunov exponents of maps and of one flow whose exponents are known."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from ...dynamics import lyapunov_spectrum, max_lyapunov
from ...maps import AbstractMap, FoldedTowel, Henon, Ikeda, Linear, Logistic, Lorenz, StandardMap, Tent
from ._base import AbstractTruths, Check, Measurement, Sentence, truth

STEEP, CYCLE, U, KICK = 1.9999, 3.2, 0.9, 10.0  # tent's slope, logistic's r, Ikeda's u, standard map's K
FEIGENBAUM = 3.569945671870945  # Briggs 1991
SPROTT = "published: Sprott 2003, Chaos and Time-Series Analysis"
DIVERGENCE = "exact: the determinant of the Jacobian is the same everywhere"
ONE = (  # name, map, exponent, tolerance, source
    ("logistic r = 4", partial(Logistic, r=4.0), math.log(2.0), 5e-4, "exact: conjugate to the tent map, ln 2"),
    ("logistic r = 3.2", partial(Logistic, r=CYCLE), math.log(abs(4 + 2 * CYCLE - CYCLE**2)) / 2, 1e-6, "exact: multiplier 4 + 2r - r² of the two-cycle"),
    ("logistic r = 3.5", partial(Logistic, r=3.5), -0.8725, 1e-3, "published: the four-cycle"),
    ("logistic r = 3.7", partial(Logistic, r=3.7), 0.3551, 5e-3, "published: chaos"),
    ("logistic r = 3.83", partial(Logistic, r=3.83), -0.3697, 1e-3, "published: the window of period three"),
    ("logistic at the accumulation point", partial(Logistic, r=FEIGENBAUM), 0.0, 1e-3, "exact: between period doubling and chaos"),
    ("tent slope 1.9999", partial(Tent, slope=STEEP), math.log(STEEP), 1e-9, "exact: the slope is the same everywhere"),
)
MANY = (  # name, map, exponents, tolerance, sum, its source, dimension, tolerance, steps
    ("Hénon", Henon, (0.4192, -1.6231), 0.01, math.log(0.3), 1.258, 0.01, 20_000),
    ("Ikeda u = 0.9", partial(Ikeda, u=U), (0.509, -0.720), 0.015, 2 * math.log(U), 1.707, 0.01, 30_000),
    ("standard map K = 10", partial(StandardMap, k=KICK), (1.620, -1.620), 0.015, 0.0, 2.0, 1e-9, 30_000),
    ("folded towel", FoldedTowel, (0.430, 0.377, -3.300), 0.015, None, 2.2445, 0.01, 30_000),
    ("Lorenz", Lorenz, (0.906, 0.0, -14.572), 0.03, -(10.0 + 1.0 + 8.0 / 3.0), 2.062, 0.005, 40_000),
)


class Exponents(AbstractTruths):
    """Largest exponents, spectra, sums and Kaplan–Yorke dimensions, quiet attractors as carefully as wild ones."""

    name: ClassVar = "exponents"
    title: ClassVar = Sentence("Lyapunov exponents of known maps", "既知の写像のリアプノフ指数")

    def measurements(self, *, quick: bool) -> Sequence[Measurement]:
        """Every map is measured in both versions; the quick one walks a third as far where the tolerance allows."""
        maps = [partial(_largest, *row) for row in ONE]
        return [*maps, _linear, *(partial(_spectrum, row, 3 if quick and row[0] != "Lorenz" else 1) for row in MANY)]


def _largest(name: str, make: Any, expected: float, tolerance: float, source: str) -> Sequence[Check]:
    found = max_lyapunov(make(), steps=100_000, transient=5_000)
    return [truth((f"{name}: exponent", f"{name}: 指数"), float(found), expected, tolerance, source)]


def _linear() -> Sequence[Check]:
    found = lyapunov_spectrum(Linear(p1=0.9, p2=-0.4, shear=1.0), steps=2_000, transient=200)
    source = "exact: logarithms of the multipliers"
    return [
        truth((f"linear map: exponent {place + 1}", f"線形写像: 指数 {place + 1}"), float(found.value[place]), math.log(multiplier), 1e-9, source)
        for place, multiplier in enumerate((0.9, 0.4))
    ]


def _spectrum(row: tuple[Any, ...], shorter: int) -> Sequence[Check]:
    name, make, expected, tolerance, total, dimension, near, steps = row
    m: AbstractMap = make()
    found = lyapunov_spectrum(m, steps=steps // shorter, transient=1_000)
    values = found.per_time
    checks = [
        truth((f"{name}: exponent {place + 1}", f"{name}: 指数 {place + 1}"), float(values[place]), number, tolerance * max(1.0, abs(number) / 3), SPROTT)
        for place, number in enumerate(expected)
    ]
    exact = float(found.details["log_determinant"]) / m.time_per_step if total is None else total
    # a Runge-Kutta step contracts volumes as the flow does, to the order of the method
    slack = 1e-3 if m.time_per_step != 1.0 else 1e-9
    checks.append(truth((f"{name}: sum of the exponents", f"{name}: 指数の総和"), float(values.sum()), exact, slack, DIVERGENCE))
    names = (f"{name}: Kaplan-Yorke dimension", f"{name}: カプラン・ヨーク次元")
    return [*checks, truth(names, float(found.details["kaplan_yorke"]), dimension, near, SPROTT)]
