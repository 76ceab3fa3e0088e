"""A training that hovers at the largest sharpness its steps can stand."""

import math
from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ..signals.drifting_mean import mean_with_error
from ..signals.stability_gauge import mean_of_pairs, stability_gauge
from ._base import AbstractRule, both, short
from ._curves import of_run

LOWEST, HIGHEST = 0.9, 1.1  # of the limit: where trainings at the edge are found (Cohen et al. 2021, 2022)
REACHED = 0.98  # of the limit: the error of a measurement is 2 %
FILLED = 20  # steps: two memories of Adam's first average at its default of 0.9
NEWEST = 0.6  # share of the run that is looked at
FEWEST = 3  # pairs of consecutive steps
MOST_INSIDE = 0.75  # share of the pairs inside the band
STANDS = 0.3  # share of the run over which these pairs reach


class EdgeOfStability(AbstractRule):
    r"""Tells that sharpness hovers at the optimizer's limit (a remark, no fault): the training is at the edge of stability.

    The ratio of sharpness to the optimizer's own limit (2/η, 2(1+β)/η, 38/η …), averaged over two consecutive steps, has its median within 0.9 to 1.1 over
    the newest 60 % of the run, three quarters of its pairs too, and has reached 1 within the 2 % to which it is measured. At least three pairs that reach
    over 30 % of the run, none of the first 20 steps.

    Limits:
        Measured on single batches: small ones are sharper than the whole data. A quadratic loss whose learning rate was chosen at the limit reads the same.

    References:
        Cohen et al. 2021 (arXiv 2103.00065), 2022 (arXiv 2207.14484).
    """

    id: ClassVar = "KZ207"
    name: ClassVar = "edge_of_stability"
    title: ClassVar = both("sharpness against the optimizer's limit", "最適化の安定限界に対する鋭さ")
    family: ClassVar = "step"
    rank: ClassVar = 60
    curves: ClassVar = {
        "sharpness over the optimizer's limit, mean of two steps": of_run("stability_ratio"),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a remark if sharpness stays at its limit."""
        progress = trace.progress
        if progress is None or progress.is_diverging:
            return None
        steps, ratios = mean_of_pairs(trace["stability_ratio"])
        newest = (steps > max(FILLED, (1.0 - NEWEST) * trace.step)) if steps.size else np.zeros(0, dtype=bool)
        if newest.sum() < FEWEST:  # few measurements: the last three, if they reach far enough back and forth
            newest = (steps > FILLED) & (np.arange(steps.size) >= steps.size - FEWEST)
        steps, ratios = steps[newest], ratios[newest]
        if steps.size < FEWEST or steps[-1] < trace.step / 2 or trace.step - steps[0] < STANDS * trace.step:
            return None
        inside = (ratios >= LOWEST) & (ratios <= HIGHEST)
        middle = float(np.median(ratios))
        if not LOWEST <= middle <= HIGHEST or inside.mean() < MOST_INSIDE or ratios.max() < REACHED:
            return None
        return self._found(trace, middle, int(steps[0]), int(inside.sum()), ratios)

    def _found(self, trace: Trace, middle: float, since: int, n_inside: int, ratios: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Finding:
        gauge = stability_gauge(trace)
        limit = gauge.limit if gauge is not None else math.nan
        shown = f"η·λmax = {short(middle * limit)} of {short(limit)}" if gauge is not None else f"{short(middle)} of its limit"
        ja = f"η·λmax = {short(middle * limit)}（限界 {short(limit)}）" if gauge is not None else f"限界の {short(middle)} 倍"
        _, error = mean_with_error(ratios)
        return self.finding(
            severity="info",
            confidence=0.7 + 0.2 * float(n_inside / ratios.size) * min(ratios.size / 10, 1.0),
            step=since,
            evidence=[
                Evidence(
                    "sharpness over the optimizer's limit, mean of two steps",
                    middle,
                    1.0,
                    "",
                    "Cohen et al. 2021, 2022",
                    "鋭さ÷オプティマイザの限界（2 ステップの平均）",
                ),
                Evidence("η·λmax", middle * limit, limit, "", "", "η·λmax"),
                Evidence("its standard error", error, None, "", "", name_ja="その標準誤差"),
                Evidence("pairs of steps within 0.9 to 1.1", float(n_inside), float(ratios.size), "", "", name_ja="0.9〜1.1 に入った組の数"),
            ],
            sentence=both(
                f"The training is at the edge of stability: sharpness hovers at what the learning rate allows ({shown}), since step {since} or before.",
                f"学習は安定性の限界にあります。鋭さが学習率の許す上限の近くに留まっています（{ja}、遅くともステップ {since} から）。",
            ),
        )
