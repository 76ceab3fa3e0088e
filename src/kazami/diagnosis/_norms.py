"""Batch normalisations as a trace shows them: how far evaluation lies from training, and what evaluation itself has shown."""

import math
from dataclasses import dataclass

import numpy as np

from ..records.trace import Floats, Trace
from ..signals import theil_sen
from ._base import nanmedian

SHIFT = 0.5  # of the output's own spread: half of what the next layer tells apart
LOOKS = 3
LEAST_STEPS = 20
STILL_START = 0.5
FAR_FROM_IT = 2 * SHIFT  # a distance, once it has faded for as many steps again
TREND = 2.0  # standard deviations of Mann and Kendall's statistic
ARRIVED = 5.0  # memories of the running average, after which less than 1 % of its start is left


@dataclass(frozen=True, slots=True)
class Norm:
    """What was seen of one batch normalisation.

    Attributes:
        index: Its column.
        shift: Distance between its evaluation and its training, in spreads of its output.
        variance: Of the batches, over epsilon.
        samples: Numbers that a statistic is taken from.
        memory: Momentum of its running statistics in effect, NaN where it could not be measured.
        later: What the shift will be after as many steps again, if it goes on as in the newest half.
    """

    index: int
    shift: float
    variance: float
    samples: float
    memory: float
    later: float

    def is_late(self, steps: int) -> bool:
        """Return whether the running statistics will still be half made of their start values after as many steps again."""
        return self.memory < 1 and ((1 - self.memory) ** (2 * steps) > STILL_START or self.shift * (1 - self.memory) ** steps > FAR_FROM_IT)

    def is_left_behind(self, steps: int) -> bool:
        """Return whether the running statistics have forgotten their start and do not come nearer, so that what they lag behind are the weights."""
        return self.memory > 0 and steps * self.memory > ARRIVED and self.later > SHIFT


def norms_of(trace: Trace) -> list[Norm]:
    """Return what was seen of each batch normalisation."""
    columns = [index for index, layer in enumerate(trace.layers) if layer.kind == "norm"]
    if not columns or not trace.has("norm_samples"):
        return []
    shift, variance, samples = (_newest(trace, name) for name in ("norm_shift", "norm_variance", "norm_samples"))
    memory = trace["norm_memory"]
    early = nanmedian(memory.values[: 2 * LEAST_STEPS]) if len(memory) else np.full(len(trace.layers), np.nan)
    return [Norm(i, float(shift[i]), float(variance[i]), float(samples[i]), float(early[i]), _later(trace, i)) for i in columns if np.isfinite(samples[i])]


def _later(trace: Trace, index: int) -> float:
    """Return the shift after as many steps again, from its slope over the newest half of the steps."""
    series = trace["norm_shift"]
    if len(series) == 0:
        return 0.0
    kept = (series.steps > trace.step // 2) & np.isfinite(series.values[:, index])
    steps, values = series.steps[kept].astype(np.float64), series.values[kept, index]
    if values.size < LOOKS:
        return 0.0
    newest = float(np.median(values[-LOOKS:]))
    pairs = np.sign(values[None, :] - values[:, None])[np.triu_indices(values.size, k=1)]
    if abs(float(pairs.sum())) < TREND * math.sqrt(values.size * (values.size - 1) * (2 * values.size + 5) / 18):
        return float(np.median(values))  # to and fro, as where batches are unlike one another: no line goes on
    return max(newest + min(theil_sen(values, steps) * trace.step, 0.0), 0.0)


def _newest(trace: Trace, name: str) -> Floats:
    rows = trace[name].values[-LOOKS:]
    return nanmedian(rows) if len(rows) else np.full(len(trace.layers), np.nan)


def evaluation_gap(trace: Trace) -> float:
    """Return the newest validation loss over the training loss, at least a twentieth of guessing; infinity where nothing was evaluated."""
    fact, losses = trace.facts.get("validation"), trace["loss"].values
    losses = losses[np.isfinite(losses)]
    if not fact or losses.size == 0 or trace.progress is None or trace.facts.get("loss_reduction") != "mean" or fact.get("is_eval_mode") is False:
        return math.inf
    newest = [trace[site["series"]].values[-1:] for site in fact["sites"] if site["kind"] == trace.loss_kind]
    values = [float(value[0]) * float(fact.get("scale") or 1.0) for value in newest if value.size and np.isfinite(value[0])]
    floor = 0.05 * trace.progress.reference
    return max(values) / max(float(np.median(losses[-LEAST_STEPS:])), floor, 1e-30) if values else math.inf
