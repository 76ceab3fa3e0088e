"""The step at which a runaway training will overflow, from its steady growth."""

import math

import numpy as np

from ..records.finding import Evidence
from ..records.trace import Series, Trace

LARGEST = float(np.log(np.finfo(np.float32).max))
WINDOW = 15  # losses: the newest, since growth seldom is steady from the start
FEWEST = 8
STEADY = 0.98  # share of the variance of the logarithm that a straight line must explain
LEAST = math.log(10.0)  # what is extrapolated over 38 decades must have been seen over one


def overflow_ahead(trace: Trace) -> list[Evidence]:
    r"""Return the step at which loss or gradient norm will pass what float32 holds if they go on growing as they do; nothing where growth is not steady.

    Beyond its stability limit a step multiplies the error along the sharpest direction by the same factor each time, so the logarithm of the loss is a
    straight line: :math:`\log L_t = a + bt` overflows at :math:`t = (\log M - a) / b`; a sum inside the loss overflows
    somewhat sooner.
    """
    steps = [step for name in ("loss", "total_gradient_norm") if math.isfinite(step := _overflow_step(trace[name]))]
    if not steps or trace.progress is None or not trace.progress.is_diverging:
        return []
    return [
        Evidence(
            "float32 overflows, if the growth goes on, at the latest at step",
            float(math.ceil(min(steps))),
            None,
            "",
            "steady growth of loss and gradient",
            name_ja="この増大が続く場合に float32 が遅くとも桁あふれするステップ",
            source_ja="損失と勾配の一定の増大",
        )
    ]


def _overflow_step(series: Series) -> float:
    finite = np.isfinite(series.values) & (series.values > 0)
    if series.values.size == 0 or not finite[-1] or int(finite.sum()) < FEWEST:
        return math.nan
    steps, logs = series.steps[finite][-WINDOW:].astype(np.float64), np.log(series.values[finite][-WINDOW:])
    rate, start = np.polyfit(steps - steps[0], logs, 1)
    rest = logs - start - rate * (steps - steps[0])
    if not rate * (steps[-1] - steps[0]) > LEAST or not float(np.var(rest)) < (1 - STEADY) * float(np.var(logs)):
        return math.nan
    return float(steps[0] + (LARGEST - start) / rate)
