"""Sharpness against the optimizer's limit and the growth of tiny differences, as plain data for the page and the document."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from ..records.finding import Sentence
from ..records.trace import Trace
from ..signals.drifting_mean import mean_with_error
from ..signals.stability_gauge import mean_of_pairs, stability_gauge
from .columns import MAX_COLUMNS, rounded, starts
from .numerals import short
from .view_data import NO_NUMBERS, NO_STEPS, GrowthPicture, StabilityPicture
from .words import both


def stability_picture(trace: Trace) -> StabilityPicture:
    """Return the curve of η·λmax beside its limit, each the mean of two consecutive steps; without steps where it was not measured."""
    gauge = stability_gauge(trace)
    if gauge is None:
        return StabilityPicture(Sentence("", ""), NO_STEPS, NO_NUMBERS, NO_NUMBERS)
    steps, ratios = mean_of_pairs(trace["stability_ratio"])
    limits = _at(trace, "sharpness_limit", steps) * _at(trace, "learning_rate", steps)
    known = np.isfinite(limits) & (limits > 0)
    steps, ratios, limits = steps[known], ratios[known], limits[known]
    thin = starts(len(steps), MAX_COLUMNS)
    title = both("say_stability", now=short(gauge.value), limit=short(gauge.limit))
    return StabilityPicture(title, steps[thin], rounded((ratios * limits)[thin], 5), rounded(limits[thin], 5))


def growth_picture(trace: Trace) -> GrowthPicture:
    """Return by how much each measured step stretches a tiny difference, and the running mean within each burst; without steps where it was not measured."""
    local = trace["local_exponent"]
    known = np.isfinite(local.values)
    steps, values = local.steps[known], local.values[known]
    if not len(steps):
        return GrowthPicture(Sentence("", ""), NO_STEPS, NO_NUMBERS, NO_NUMBERS)
    value, error = mean_with_error(values)
    begins = np.flatnonzero(np.diff(steps, prepend=steps[0] - 2) != 1)
    lengths = np.diff(np.append(begins, len(steps)))
    sums = np.cumsum(values)
    before = np.repeat(sums[begins] - values[begins], lengths)
    place = np.arange(len(steps)) - np.repeat(begins, lengths) + 1
    thin = starts(len(steps), MAX_COLUMNS)
    shown = short(value) if math.isnan(error) else f"{short(value)} ± {short(error)}"
    return GrowthPicture(both("say_growth", value=shown, n=len(steps)), steps[thin], rounded(values[thin], 4), rounded(((sums - before) / place)[thin], 4))


def dynamics(trace: Trace) -> dict[str, Any]:
    """Return the newest numbers: ``"stability"`` (η·λmax, its limit, sharpness) and ``"growth"`` (exponent of tiny differences over all measured steps)."""
    found: dict[str, Any] = {}
    gauge = stability_gauge(trace)
    if gauge is not None:
        found["stability"] = {**asdict(gauge), "sharpness": float(_at(trace, "sharpness", np.array([gauge.step]))[0])}
    local = trace["local_exponent"]
    if len(local):
        value, error = mean_with_error(local.values)
        found["growth"] = {
            "exponent": value,
            "error": None if math.isnan(error) else error,
            "unit": "1/step",
            "steps": len(local),
            "first": int(local.steps[0]),
            "last": int(local.steps[-1]),
            "bursts": int((trace["burst_length"].values == 1).sum()),
            "of": "this run's own batch order",
        }
    return found


def _at(trace: Trace, name: str, steps: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the last value of a number of the run at or before each of ``steps``, NaN where there is none."""
    series = trace[name]
    if not len(series):
        return np.full(len(steps), np.nan)
    return series.values[np.maximum(np.searchsorted(series.steps, steps, side="right") - 1, 0)]
