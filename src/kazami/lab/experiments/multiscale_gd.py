"""Descent over fine ripples: a deterministic step that behaves like noise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch

from ...dynamics import max_lyapunov
from ...maps import MultiscaleDescent
from ...reports.numerals import short
from ..line_figure import line_figure
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EPSILONS, RATIOS, STANDARD = (1e-2, 1e-3), (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5), 0.3
PUBLISHED = {1e-2: 1.894, 1e-3: 1.876}
KONG = "published setup: Kong and Tao 2020, Stochasticity of deterministic gradient descent; exponents measured independently"
# A ripple's curvature is (2π)²/ε, so that descent rests at the bottom of one as long as η stays below 2ε/(2π)²
RESTS = 2.0 / (2.0 * np.pi) ** 2


class MultiscaleGd(AbstractExperiment):
    r"""Gradient descent on :math:`x^2/2 + \epsilon \sin(2\pi x/\epsilon)`: what counts is the learning rate over the ripples' wavelength.

    Limits:
        The exponent is that of one orbit, which wanders slowly between places with different phases of the ripples.

    References:
        Kong and Tao 2020.
    """

    name: ClassVar = "multiscale-gd"
    title: ClassVar = both("Gradient descent over fine ripples", "細かな波の上の勾配降下法")
    question: ClassVar = both("When does deterministic gradient descent look like noise?", "決定論的な勾配降下法は、いつ雑音のように見えるか。")
    claim: ClassVar = both(
        "A learning rate that is large for the ripples makes descent chaotic; the exponent depends on η/ε alone.",
        "波に対して大きな学習率では降下はカオスになり、その指数は η/ε だけで決まる。",
    )
    citation: ClassVar = "Kong and Tao 2020 (arXiv 2002.06189)"
    seconds: ClassVar = (10.0, 60.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Every ratio with every wavelength, and several starts."""
        steps = 30_000 if quick else 150_000
        return [
            {"seed": number, "epsilon": epsilon, "ratio": ratio, "steps": steps}
            for number in paired_seeds(seed, 2 if quick else 5)
            for epsilon in EPSILONS
            for ratio in RATIOS
        ]

    def measure(self, condition: Row) -> Row:
        """Measure exponent and spread along one orbit from a random start."""
        epsilon, rate = condition["epsilon"], condition["ratio"] * condition["epsilon"]
        start = float(torch.rand(1, generator=torch.Generator().manual_seed(condition["seed"]), dtype=torch.float64)) * 0.2
        transient = int(5.0 / rate)  # the parabola's own relaxation
        m = MultiscaleDescent(epsilon=epsilon, learning_rate=rate, state=(start,))
        found = max_lyapunov(m, steps=condition["steps"], transient=transient)
        path = m.orbit(m.current_state(), transient + condition["steps"])[transient:, 0]
        return {"exponent": float(found), "spread": float(path.std())}

    def checks(self, rows: Rows) -> Sequence[Check]:
        """The published exponents, rest below the ripples' own limit, and the same exponent for both wavelengths."""
        chaotic, checks = rows.where(ratio=STANDARD), []
        for epsilon, number in PUBLISHED.items():
            value, ja = chaotic.where(epsilon=epsilon).mean("exponent"), f"η = 0.3 ε、ε = {epsilon:g}: 指数"
            checks.append(Check(f"η = 0.3 ε, ε = {epsilon:g}: exponent", value, number, 0.03, "within", "1/step", KONG, ja))
        resting = [row["exponent"] for row in rows if row["ratio"] < RESTS]
        source, name = "derivation: curvature (2π)²/ε at the bottom of a ripple", f"largest exponent at η/ε below 2/(2π)² = {RESTS:.3f}"
        checks.append(Check(name, max(resting) if resting else np.nan, 0.0, 0.0, "at_most", "1/step", source, "η/ε < 2/(2π)² での最大の指数"))
        gap = abs(chaotic.where(epsilon=EPSILONS[0]).mean("exponent") - chaotic.where(epsilon=EPSILONS[1]).mean("exponent"))
        return [*checks, Check("η = 0.3 ε: difference between the wavelengths", gap, 0.0, 0.05, "within", "1/step", KONG, "η = 0.3 ε: 波長による指数の差")]

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Exponents and spreads."""
        columns = [("η/ε", "η/ε"), ("ε", "ε"), ("exponent, 1/step", "指数、1/ステップ"), ("standard deviation of x", "x の標準偏差")]
        pairs = [(ratio, epsilon, rows.where(ratio=ratio, epsilon=epsilon)) for ratio in rows.distinct("ratio") for epsilon in rows.distinct("epsilon")]
        cells = [(ratio, epsilon, here.mean("exponent"), here.mean("spread")) for ratio, epsilon, here in pairs if len(here)]
        return [Table.of(both("Exponent by learning rate over wavelength", "学習率と波長の比による指数"), columns, cells)]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        value = short(rows.where(ratio=STANDARD).mean("exponent"))
        return both(
            f"Descent rests in a ripple below η/ε = {RESTS:.3f}; at η/ε = 0.3 it is chaotic with an exponent of {value} per step, whatever the wavelength.",
            f"降下は η/ε < {RESTS:.3f} では波の底で止まり、η/ε = 0.3 では波長によらず 1 ステップあたり指数 {value} のカオスになります。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """The exponent over the ratio."""
        lines = {}
        for epsilon in rows.distinct("epsilon"):
            here = rows.where(epsilon=epsilon)
            lines[f"ε = {epsilon:g}"] = (here.distinct("ratio"), [here.where(ratio=ratio).mean("exponent") for ratio in here.distinct("ratio")])
        title = both("Chaos is decided by the learning rate over the wavelength", "カオスかどうかは学習率と波長の比で決まる")
        return line_figure(
            lines, title=title, labels=(both("η / ε", "η / ε"), both("exponent, 1/step", "指数、1/ステップ")), language=language, scales=("log", "linear")
        )
