"""Validation curves beside the training loss, and what chance may do to them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..records.trace import Floats, Series, Trace
from ..signals import neighbour_noise, rolling_median, theil_sen

RISE = 0.1  # of what guessing costs: a tenth of all there was to gain is given back
SIGMAS = 3.0
CHANGE = 2.0  # standard errors of the rise over the very same samples; that it goes on from pass to pass is asked besides
TREND = 4.0  # standard deviations of Mann and Kendall's statistic; 3 in 100 000 by chance, some more where neighbouring passes are alike
LEAST_TREND = 10
LEAST_PASSES = 6
LEAST_AFTER = 3
MOST_SMOOTHED = 3


@dataclass(frozen=True, slots=True)
class Gap:
    """What one validation curve shows.

    Attributes:
        rise: From the lowest level to the newest; 0 where the lowest is among the newest.
        rise_limit: What chance may bring about.
        lowest_at: Step of the lowest level.
        lowest: The lowest level.
        now: The newest level.
        train: The training loss at the newest passes, in the unit of the validation loss.
        gap_limit: Three standard errors of the newest level.
        is_training_better: Whether the training loss did not rise since.
    """

    rise: float
    rise_limit: float
    lowest_at: int
    lowest: float
    now: float
    train: float
    gap_limit: float
    is_training_better: bool

    @property
    def is_overfit(self) -> bool:
        """Whether the validation loss has risen, and stands above the training loss, beyond chance."""
        return self.is_training_better and self.rise > self.rise_limit and self.now - self.train > max(self.gap_limit, self.rise_limit)


def gaps(trace: Trace) -> list[Gap]:
    """Return what each validation curve shows that can be compared with the training loss."""
    fact = trace.facts.get("validation")
    if not fact or trace.progress is None or trace.facts.get("loss_reduction") != "mean" or not trace.progress.reference > 0:
        return []
    scale = float(fact.get("scale") or 1.0)
    kinds = {"cross_entropy", "nll"} if trace.loss_kind in ("cross_entropy", "nll") else {trace.loss_kind}
    found = [gap_of(trace, site, scale) for site in fact["sites"] if site["kind"] in kinds]
    return [gap for gap in found if gap is not None]


def gap_of(trace: Trace, site: Mapping[str, Any], scale: float) -> Gap | None:
    """Return what one validation curve shows; ``None`` where it is too short or not finite."""
    curve, losses = trace[site["series"]], trace["loss"]
    values = curve.values * scale
    if values.size < LEAST_PASSES or not bool(np.isfinite(values).all()) or len(losses) == 0:
        return None
    width = max(1, min(MOST_SMOOTHED, values.size // 4))
    smooth = rolling_median(values, width)
    lowest = int(np.argmin(smooth))
    level, change = (newest(trace, str(site.get(name, ""))) * scale for name in ("error", "rise_error"))
    noise = neighbour_noise(values)
    chance = noise * (math.sqrt(2 * math.log(values.size)) + SIGMAS)
    trend = trend_of(values[lowest + width :])
    chance = 0.0 if trend > 0 else chance  # a trend that holds over all passes since is beyond chance by itself
    steps = curve.steps[lowest + width // 2], curve.steps[-1 - width // 2]
    span = max(int(np.median(np.diff(curve.steps))), 1)
    then, train = (training_level(losses, int(step), span) for step in steps)
    rest = 2 * noise_of_level(losses, span) + 0.02 * trace.progress.reference if trace.progress is not None else 0.0
    return Gap(
        rise=max(float(smooth[-1] - smooth[lowest]), trend) if smooth.size - 1 - lowest >= LEAST_AFTER else 0.0,
        rise_limit=max(chance, RISE * trace.progress.reference if trace.progress is not None else math.inf, CHANGE * change),
        lowest_at=int(steps[0]),
        lowest=float(smooth[lowest]),
        now=float(smooth[-1]),
        train=train,
        gap_limit=SIGMAS * level,
        is_training_better=train <= then + rest,
    )


def trend_of(values: Floats) -> float:
    """Return by how much values rise along their Theil–Sen line, 0 where the Mann–Kendall statistic is below `TREND` of its standard deviations."""
    n = values.size
    if n < LEAST_TREND:
        return 0.0
    pairs = np.sign(values[None, :] - values[:, None])[np.triu_indices(n, k=1)]
    deviation = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    return max(theil_sen(values) * (n - 1), 0.0) if float(pairs.sum()) > TREND * deviation else 0.0


def newest(trace: Trace, name: str) -> float:
    """Return the newest finite value of a number, 0 where there is none."""
    values = trace[name].values
    values = values[np.isfinite(values)]
    return float(values[-1]) if values.size else 0.0


def training_level(losses: Series, step: int, span: int) -> float:
    """Return the median training loss around a step."""
    near = losses.values[np.abs(losses.steps - step) <= max(span, 2)]
    near = near[np.isfinite(near)]
    return float(np.median(near)) if near.size else math.nan


def noise_of_level(losses: Series, span: int) -> float:
    """Return the standard error of such a median."""
    values: Floats = losses.values[np.isfinite(losses.values)]
    return neighbour_noise(values) * 1.25 / math.sqrt(2 * max(span, 2) + 1)
