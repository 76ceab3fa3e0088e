"""Closed forms for real training loops: the cubic map of gradient descent, the catapult, the smallest edge of stability, and fine ripples."""

import math
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import numpy as np

from ...dynamics import max_lyapunov
from ...maps import CubicDescent, MultiscaleDescent, ProductDescent, TrainingMap
from ..catapults import trained, two_numbers
from ..doublings import CHEBYSHEV, DOUBLINGS, accumulation, doublings, square_training, training_orbit
from ._base import AbstractTruths, Check, Measurement, Sentence, truth

CHEN = "derivation after Chen et al. 2023 (arXiv 2310.01687): the map x ← (1+a)x - ax³"
LEWKOWYCZ = "Lewkowycz et al. 2020 (arXiv 2003.02218); exact map of two numbers, lab/catapults.py"
ZHU = "published: Zhu et al. 2022 (arXiv 2210.03294)"
KONG = "published setup: Kong and Tao 2020; number of an independent computation"
RIPPLE, WIDTH = 0.01, 256


class Descent(AbstractTruths):
    """Trainings that are small enough for algebra."""

    name: ClassVar = "descent"
    title: ClassVar = Sentence("Closed forms for gradient descent", "勾配降下法の厳密解")

    def measurements(self, *, quick: bool) -> Sequence[Measurement]:
        """The same in both versions."""
        del quick
        catapults = [partial(_catapult, eta_lambda) for eta_lambda in (1.5, 2.1, 3.0, 4.1)]
        return [_converging, _orbit, _chebyshev, _doublings, *catapults, _recursion, _edge, _ripples]


def _converging() -> Sequence[Check]:
    checks = []
    for a in (0.3, 0.7, 0.9):
        found = max_lyapunov(TrainingMap(square_training(a)), steps=100, transient=400)
        names = f"torch training, a = {a:g}: exponent", f"torch の学習、a = {a:g}: 指数"
        checks.append(truth(names, float(found), math.log(abs(1 - 2 * a)), 1e-6, f"{CHEN}: ln |1 - 2a| at the minimum"))
    return checks


def _orbit() -> Sequence[Check]:
    a, target, steps = 1.4, 2.5, 20
    x = [0.7 / math.sqrt(target)]
    for _ in range(steps):
        x.append((1 + a) * x[-1] - a * x[-1] ** 3)
    apart = float(np.abs(training_orbit(a, steps, target) - x).max())
    return [truth(("torch training against the cubic map, 20 steps", "torch の学習と 3 次写像の差（20 ステップ）"), apart, 0.0, 1e-9, CHEN)]


def _chebyshev() -> Sequence[Check]:
    found = max_lyapunov(CubicDescent(a=CHEBYSHEV - 1e-9), steps=200_000, transient=1000)
    return [truth(("cubic map, a = 2: exponent", "3 次写像、a = 2: 指数"), float(found), math.log(3.0), 5e-3, f"{CHEN}: Chebyshev's T₃ at a = 2, ln 3")]


def _doublings() -> Sequence[Check]:
    found = doublings(5)
    checks = [
        truth((f"period doubling to {2 ** (place + 1)}: a", f"周期 {2 ** (place + 1)} への倍化: a"), found[place], exact, 1e-6, CHEN)
        for place, exact in enumerate(DOUBLINGS)
    ]
    published = "published bifurcation points, ± 2e-5"
    for place, number in enumerate((1.28803, 1.29923, 1.30163), start=2):
        names = f"period doubling to {2 ** (place + 1)}: a", f"周期 {2 ** (place + 1)} への倍化: a"
        checks.append(truth(names, found[place], number, 2e-5, published))
    return [*checks, truth(("accumulation of the doublings: a", "倍化の集積点: a"), accumulation(found), 1.30228, 2e-5, published)]


def _catapult(eta_lambda: float) -> Sequence[Check]:
    found = trained(eta_lambda, width=WIDTH, steps=300, seed=0)
    begun = f"catapult, ηλ₀ = {eta_lambda:g}", f"カタパルト、ηλ₀ = {eta_lambda:g}"
    if eta_lambda > 4.0:
        return [truth((f"{begun[0]}: diverges", f"{begun[1]}: 発散"), float(found.diverged), 1.0, 0.0, LEWKOWYCZ)]
    end = truth((f"{begun[0]}: ηλ at the end", f"{begun[1]}: 終点の ηλ"), float(found.curvatures[-1]), 2.0, 0.0, LEWKOWYCZ, "at_most")
    names = f"{begun[0]}: largest loss over the first", f"{begun[1]}: 最大損失 / 初期損失"
    if eta_lambda < 2.0:
        return [end, truth(names, found.peak, 1.0, 0.0, LEWKOWYCZ)]
    return [end, truth(names, found.peak, 1.0 + 1e-6, 0.0, LEWKOWYCZ, "at_least")]


def _recursion() -> Sequence[Check]:
    found = trained(3.0, width=WIDTH, steps=30, seed=1)
    first, second = found.outputs[:2]
    grown = (second / first - 1.0 + found.curvatures[0]) / first**2  # the only constant that the first step leaves open
    predicted = two_numbers(float(first), float(found.curvatures[0]), float(grown), 30)
    apart = float(np.abs(predicted - found.outputs).max() / np.abs(found.outputs).max())
    return [truth(("catapult: training against the map of two numbers", "カタパルト: 学習と 2 変数写像の相対差"), apart, 0.0, 1e-8, LEWKOWYCZ)]


def _edge() -> Sequence[Check]:
    m = ProductDescent()
    m.step(60_000)
    sharpness = 2.0 * float(m.current_state().square().sum())
    names = "smallest edge of stability: final sharpness × learning rate", "最小の安定性の縁: 最終シャープネス × 学習率"
    return [truth(names, 0.1 * sharpness, 0.1 * 19.954, 5e-4, ZHU)]


def _ripples() -> Sequence[Check]:
    m = MultiscaleDescent(epsilon=RIPPLE, learning_rate=0.3 * RIPPLE)
    found = max_lyapunov(m, steps=100_000, transient=5_000)
    names = "descent over ripples, η = 0.3 ε: exponent", "細かな波の上の降下、η = 0.3 ε: 指数"
    return [truth(names, float(found), 1.894, 0.02, KONG)]
