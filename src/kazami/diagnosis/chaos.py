"""Tiny differences in the weights that grow exponentially, step by step, along this run."""

import math
from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ..signals.growth_window import GrowthWindow, growth_window, strongest_growth
from ._base import AbstractRule, both, short
from ._curves import of_run

SURELY = 3.0  # standard errors
WORTH_NAMING = math.log(1e3)  # a thousandfold is more than turning into the most stretched direction does
STILL_GROWING = math.log(10.0)  # in the last third
FEWEST = 30  # steps
OVERTURNED = (0.1, 0.9)  # of the growth in steps that turn the difference over: none at a saddle, all where an oscillation swells
RISING = 0.05  # share of rising steps from which a loss does not simply fall
AT_REST = 0.5  # of the former rate: what is below it, surely, has come to rest
ENDS = 0.2  # share of the run that must follow a transient
SIGMAS = 1.96  # of a 95 % interval


class Chaos(AbstractRule):
    r"""Tells that tiny differences grow exponentially along this run (a remark, no fault), with the exponent, its interval, and whether that lasts.

    The exponent is the mean of :math:`\lambda(t) = \ln \lVert J_t v_t \rVert / \lVert v_t \rVert`, with :math:`J_t` the derivative of the step that the
    optimizer took on the batch that it saw. It is that of this run's own order of batches and masks: their noise is the same for both of two neighbouring
    runs, and is never taken for chaos. Named where it is positive by three standard errors, the growth a thousandfold, and made partly of steps that turn the
    difference over and partly of others: a saddle passed has none of the first kind, an oscillation that swells no others. *Sustained*: over the last two
    thirds of the run, more than tenfold in the last third. *Transient*: over a stretch with a rising loss in it, and surely less than half as fast over what
    follows, a fifth of the run at least.

    References:
        Benettin et al. 1980; Danovski, Soriano and Lacasa 2024 (arXiv 2404.05782).
    """

    id: ClassVar = "KZ211"
    name: ClassVar = "chaos"
    title: ClassVar = both("growth of tiny differences", "微小な差の指数的拡大")
    family: ClassVar = "step"
    rank: ClassVar = 61
    curves: ClassVar = {
        "exponent of tiny differences": of_run("local_exponent"),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a remark if tiny differences surely grow."""
        progress, losses = trace.progress, trace["loss"].values
        if progress is None or progress.is_diverging or not np.isfinite(losses).all():
            return None
        local = trace["local_exponent"]
        if len(local) < FEWEST or len(trace["tangent_cosine"]) != len(local):
            return None
        late, last = (growth_window(trace, local.steps > share * trace.step) for share in (1 / 3, 2 / 3))
        if grows(late) and last.folds > STILL_GROWING and last.rate > SIGMAS * last.error:
            return self._found(late, is_sustained=True)
        past = strongest_growth(trace)
        if past is None or not grows(past) or trace.step - past.steps[-1] < ENDS * trace.step or _rises(trace, past) < RISING:
            return None
        rest = growth_window(trace, local.steps > past.steps[-1])
        has_rest = rest.steps.size >= FEWEST // 2 and rest.rate + SIGMAS * rest.error < AT_REST * past.rate
        return self._found(past, is_sustained=False) if has_rest else None

    def _found(self, window: GrowthWindow, *, is_sustained: bool) -> Finding:
        first, until = int(window.steps[0]), int(window.steps[-1])
        rate, bound = short(window.rate), SIGMAS * window.error
        interval = f"{short(window.rate - bound)} … {short(window.rate + bound)}"
        horizon = 1.0 / window.rate
        return self.finding(
            severity="info",
            confidence=0.6 + 0.3 * min(window.rate / window.error / 10, 1.0) if window.error > 0 else 0.9,
            step=first,
            evidence=[
                Evidence("exponent of tiny differences", window.rate, 0.0, "1/step", "Benettin et al. 1980", "微小な差の拡大率（リアプノフ指数）"),
                Evidence("lower end of its 95 % interval", window.rate - bound, 0.0, "1/step", "", name_ja="95 % 区間の下限"),
                Evidence("prediction horizon 1/λ", horizon, None, "steps", "", name_ja="予測の地平 1/λ"),
                Evidence("measured steps", float(window.steps.size), float(FEWEST), "steps", "", name_ja="測定したステップ数"),
                Evidence("growth in them, ln", window.folds, WORTH_NAMING, "", "a thousandfold", "その間の拡大（対数）", "千倍"),
                Evidence(
                    "share of it in steps that overturn the difference",
                    window.overturned,
                    OVERTURNED[0],
                    "",
                    "a saddle has none",
                    "差が反転したステップでの拡大の割合",
                    "鞍点では 0",
                ),
            ],
            sentence=both(
                f"Tiny differences grew by e^{rate} a step (λ = {rate}, 95 % {interval}) from step {first} to {until}, "
                f"{'and still do: sustained chaos' if is_sustained else 'and no longer do: transient chaos'} of this run's own batch order, "
                f"unpredictable beyond some {short(horizon)} steps.",
                f"ステップ {first} から {until} まで、重みの微小な差が 1 ステップごとに e^{rate} 倍に拡大しました（λ = {rate}、95 % 区間 {interval}）。"
                f"この実行自身のバッチ順での{'持続する' if is_sustained else '過渡的な'}カオスで、予測できるのは約 {short(horizon)} ステップ先までです。",
            ),
        )


def grows(window: GrowthWindow) -> bool:
    """Return whether differences grew surely, a thousandfold, and by stretching and folding rather than in one manner alone."""
    is_mixed = OVERTURNED[0] <= window.overturned <= OVERTURNED[1]
    return window.steps.size >= FEWEST and window.folds > WORTH_NAMING and window.rate > SURELY * window.error and is_mixed


def _rises(trace: Trace, window: GrowthWindow) -> float:
    """Return the share of steps in the window at which the loss rose."""
    loss = trace["loss"]
    inside = (loss.steps >= window.steps[0]) & (loss.steps <= window.steps[-1])
    changes = np.diff(loss.values[inside])
    return float((changes > 0).mean()) if changes.size else 0.0
