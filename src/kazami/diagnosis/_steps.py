"""How long the steps of a training were, beside its weights and beside what the curvature allows."""

import math

import numpy as np

from ..records.trace import Trace
from ..signals import neighbour_noise
from ._base import hidden, is_adaptive, matrices
from ._progress import pace_of

FAST = 0.25
REWRITTEN = 2.0  # a first update twice the size of the weights leaves nothing of their initialisation
TORN = 0.5  # of the weights: the median layer's largest first update, after which little of the initialisation is left
FILLED = 20  # steps: two memories of Adam's first average at its default of 0.9
FAR_ABOVE_START = 10.0  # targets that sum rewards grow with what is learned, and the loss with their square; from zero by more than this only in a storm


def filled_ratio(trace: Trace) -> float:
    """Return the median of the newest stability ratios, of an adaptive optimizer once its averages have filled; NaN where there are none."""
    series = trace["stability_ratio"]
    values = series.values[(series.steps >= (FILLED if is_adaptive(trace) else 0)) & np.isfinite(series.values)]
    return float(np.median(values[-6:])) if values.size else math.nan


def ratio_at_the_largest_rate(trace: Trace) -> float:
    """Return the stability ratio that the newest measurements give at the largest rate there was (it grows with the rate), NaN where not measured."""
    ratios, rates = trace["stability_ratio"], trace["learning_rate"]
    largest = largest_rate(trace)
    if len(ratios) == 0 or not largest > 0:
        return math.nan
    then = rates.values[np.clip(np.searchsorted(rates.steps, ratios.steps), 0, len(rates) - 1)]
    is_filled = ratios.steps >= (FILLED if is_adaptive(trace) else 0)
    known = is_filled & np.isfinite(then) & (then > 0) & np.isfinite(ratios.values)
    values = ratios.values[known] * (largest / then[known])
    return float(np.median(values[-6:])) if values.size else math.nan


def largest_rate(trace: Trace) -> float:
    """Return the largest finite learning rate that there was, NaN where there was none."""
    rates = trace["learning_rate"].values
    rates = rates[np.isfinite(rates)]
    return float(rates.max()) if rates.size else math.nan


def falls_fast(trace: Trace) -> bool:
    """Return whether the second half of the steps removed a quarter of the loss or more, be it only on its way down to where guessing stands."""
    losses = trace["loss"].values
    losses = losses[np.isfinite(losses)]
    return losses.size > 3 and pace_of(losses, neighbour_noise(losses), float(losses[0]))[0] > FAST


def greatest_update(trace: Trace) -> float:
    """Return the largest relative update of the weight matrices at any recorded step."""
    table = trace["update_ratio"].values
    columns = matrices(trace) or hidden(trace) or list(range(len(trace.layers)))
    finite = table[:, columns][np.isfinite(table[:, columns])] if len(table) else table
    return float(finite.max()) if finite.size else math.nan


def peak_update(trace: Trace, columns: list[int] | None = None) -> float:
    """Return the largest median over layers (or some of them) of the relative updates at any of the first 20 recorded steps."""
    table = trace["update_ratio"].values[:20]
    table = table[:, columns] if columns is not None and table.ndim == 2 else table
    rows = [np.median(row[np.isfinite(row)]) for row in table if np.isfinite(row).any()]
    return float(max(rows)) if rows else math.nan


def rose_with_its_targets(trace: Trace) -> bool:
    """Return whether the loss stands well above where it began while the targets are made by the network itself: their spread has grown with the outputs, and
    says nothing of what is explained.
    """
    progress = trace.progress
    return "moving_targets" in trace.facts and progress is not None and progress.now > FAR_ABOVE_START * progress.first > 0


def only_came_down(trace: Trace) -> bool:
    """Return whether all that the loss has fallen is the way down from a storm of the first steps, and has not led below guessing."""
    progress = trace.progress
    return progress is not None and progress.explained < 0 and overshoot(trace) > FAR_ABOVE_START


def overshoot(trace: Trace) -> float:
    """Return the highest of the first quarter's losses over the larger of the first loss and the trivial predictor's."""
    losses = trace["loss"].values
    losses = losses[: max(losses.size // 4, 10)]
    losses = losses[np.isfinite(losses)]
    if losses.size == 0:
        return 0.0
    base = max(float(losses[0]), trace.trivial_loss or 0.0)
    return float(losses.max() / base) if base > 0 else 0.0
