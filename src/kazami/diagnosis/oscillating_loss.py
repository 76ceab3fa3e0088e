"""A loss that swings to and fro instead of falling."""

from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Floats, Trace
from ..signals import autocorrelation, period
from ._base import AbstractRule, both, number, short

LIMIT = -0.4
LEAST_SWING = 0.05
LEAST_STEPS = 24
MOST_STEPS = 400
SHORT = 10  # steps: a shorter period is looked for as an exact return
REPEATS = 4  # of a period, before it counts
REPEATED = 0.2  # share of the swing that may differ after a period
BACK = -0.25  # mean cosine of successive updates of an orbit that closes: -1/2 for three equal moves, -1/4 for five, -1 to and fro
JAGGED = 1.5  # mean squared second difference over the variance: 6 for white noise, (2 - 2 cos(2π/P))² for a period P (0.34 at 8, 1 at 6)


class OscillatingLoss(AbstractRule):
    """Fires when progress is poor and the newest half of the losses swings with a period of its own.

    The autocorrelation of the newest half, its trend taken out, must fall below -0.4 at some lag (half a period) and the swing must be more than 5 % of the
    loss. The noise of batches is
    uncorrelated: among 100 samples of white noise -0.4 lies four standard errors away.

    A period of 3 to 10 steps, which may have no smooth half, is found as an exact return of the loss.

    A fixed order of unlike batches swings too, but jaggedly: the swing must be smooth, or successive updates must point against one another, at every step
    for a period of two, on average for an orbit of a few steps that closes.
    """

    id: ClassVar = "KZ203"
    name: ClassVar = "oscillating_loss"
    title: ClassVar = both("oscillation of the loss", "損失の振動")
    family: ClassVar = "step"
    rank: ClassVar = 41
    wind: ClassVar = 1.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if the loss oscillates while progress is poor."""
        losses = trace["loss"].values
        if not trace.progress_is_poor or losses.size < LEAST_STEPS or not bool(np.isfinite(losses).all()):
            return None
        newest = losses[losses.size // 2 :][-MOST_STEPS:]
        lag, depth = deepest(newest)
        steps = closing_orbit(trace, newest)
        swing = float(np.std(newest) / max(abs(float(np.median(newest))), 1e-30))
        if swing < LEAST_SWING or (steps is None and (depth > LIMIT or not is_of_the_steps(trace, newest, lag))):
            return None
        steps = 2 * lag if steps is None else steps
        return self.finding(
            confidence=0.6 + 0.3 * min(max((LIMIT - depth) / 0.5, 0.0), 1.0),
            step=int(trace["loss"].steps[losses.size // 2]),
            evidence=[
                Evidence(
                    "deepest autocorrelation of the loss",
                    depth,
                    LIMIT,
                    "",
                    "four standard errors of white noise",
                    name_ja="損失の自己相関の最小値",
                    source_ja="白色雑音の標準誤差の 4 倍",
                ),
                Evidence("period", float(steps), None, "steps", "", name_ja="周期"),
            ],
            sentence=both(
                f"The loss swings with a period of about {steps} steps and an amplitude of {short(swing)} of its level instead of falling.",
                f"損失が下がらず、約 {steps} ステップの周期で振動しています（振れ幅は水準の {short(swing)} 倍）。",
            ),
        )


def is_of_the_steps(trace: Trace, newest: Floats, lag: int) -> bool:
    """Return whether the swing comes from the steps and not from an order of unlike batches: it is smooth, or its successive updates point against one
    another.
    """
    if lag == 1 and newest.size < LEAST_STEPS:
        return False
    if lag == 1:
        return number(trace, "update_cosine") < -0.3
    return float(np.mean(np.diff(newest, 2) ** 2)) < JAGGED * float(np.var(newest))


def closing_orbit(trace: Trace, newest: Floats) -> int | None:
    """Return the period of 3 to 10 steps after which the loss returns while the updates point against one another on average, or ``None``."""
    cosines = trace["update_cosine"].values[-newest.size :]
    cosines = cosines[np.isfinite(cosines)]
    if newest.size < REPEATS * 3 or not cosines.size or float(np.mean(cosines)) > BACK:
        return None
    returned = period(newest, longest=min(SHORT, newest.size // REPEATS), largest_mismatch=REPEATED)
    return returned.steps if returned is not None and returned.steps > 2 else None


def deepest(values: Floats) -> tuple[int, float]:
    """Return the lag of the first deep minimum of the autocorrelation, and its depth."""
    correlations = autocorrelation(values, min(values.size // 3, 60))
    lag = int(np.argmin(correlations[1:])) + 1
    first = next((k for k in range(1, correlations.size) if correlations[k] <= 0.8 * correlations[lag]), lag)
    return first, float(correlations[lag])
