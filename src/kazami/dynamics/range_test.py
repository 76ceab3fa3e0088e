"""Learning rates that others would take: the range test's, and two over the sharpness."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..curvature.initial_sharpness import sharpness
from ..errors import KazamiError
from ..maps import Training
from ..maps.training import untouched_randomness

Floats = NDArray[np.float64]

SMOOTHING, DIVERGED, SKIP_START, SKIP_END = 0.05, 5.0, 10, 5  # of torch-lr-finder


@dataclass(frozen=True, slots=True, eq=False)
class RangeTest:
    """One run with a learning rate that grows in every step.

    Attributes:
        learning_rates: Of each step.
        losses: Before each step, smoothed exponentially.
        suggestion: Where the smoothed loss falls most steeply from one step to the next; NaN where too few steps were left.
    """

    learning_rates: Floats
    losses: Floats
    suggestion: float


def range_test(training: Training, *, low: float = 1e-7, high: float = 100.0, steps: int = 100) -> RangeTest:
    r"""Return the learning rate that the range test suggests, by the rule of torch-lr-finder.

    The learning rate grows by equal factors from ``low`` to ``high``. The loss is smoothed, :math:`s_i = 0.05\,L_i + 0.95\,s_{i-1}`; the run ends where
    :math:`s_i > 5 \min_j s_j`. Of the steps left, but for the first 10 and the last 5, the one where :math:`s` falls most steeply (central differences) is
    taken.

    Args:
        training: Its batches and its seed are used; its scheduler is not.
        low: Learning rate of the first step; the one in that tool's guide.
        high: That of the last.
        steps: How many.

    Limits:
        A loss that is no longer finite ends the run too.

    References:
        Smith 2017 (arXiv 1506.01186); torch-lr-finder, https://github.com/davidtvs/pytorch-lr-finder.
    """
    rates, smoothed = np.geomspace(low, high, steps), [math.nan] * 0
    with untouched_randomness():
        state = training.start()
        for rate, batch in zip(rates, training.endless_batches(), strict=False):
            for group in state.optimizer.param_groups:
                group["lr"] = float(rate)
            loss = float(training.step(state.model, state.optimizer, batch))
            smoothed.append(loss if not smoothed else SMOOTHING * loss + (1.0 - SMOOTHING) * smoothed[-1])
            if not smoothed[-1] <= DIVERGED * min(smoothed):
                break
    losses = np.array(smoothed)
    left = losses[SKIP_START : len(losses) - SKIP_END]
    if len(left) < 2 or not np.isfinite(left).all():
        return RangeTest(rates[: len(losses)], losses, math.nan)
    return RangeTest(rates[: len(losses)], losses, float(rates[SKIP_START + int(np.gradient(left).argmin())]))


def stability_rate(training: Training) -> float:
    r"""Return the learning rate whose stability threshold is the sharpness of the initial weights: :math:`2/\lambda_{\max}` for plain descent.

    For momentum it is :math:`2(1+\beta)/\lambda_{\max}`, for Adam that of its preconditioned Hessian, and so on; NaN where theory knows no threshold.
    """
    try:
        with untouched_randomness():
            rate = float(training.start().optimizer.param_groups[0]["lr"])
            found = sharpness(training)
    except KazamiError:
        return math.nan
    top = float(np.ravel(found.value)[0])
    limit = found.threshold
    return rate * float(limit) / top if limit is not None and top > 0.0 else math.nan


def middle_rate(rates: list[float]) -> float:
    """Return the median of those that are numbers; NaN where none is."""
    known = [rate for rate in rates if math.isfinite(rate)]
    return float(np.exp(np.median(np.log(known)))) if known else math.nan
