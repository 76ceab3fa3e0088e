"""The weather of the layers: which cells are calm, which are a hurricane, which were not seen, and what to say above the map."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records.finding import Finding, Sentence
from ..records.trace import Floats, Series, Trace
from .numerals import fraction
from .palette import HEALTHY
from .words import both

NO_GRADIENT = -20.0  # how a gradient of exactly zero is recorded
RECENT = 20  # "now" is the median of the newest twentieth of what was recorded: one batch is no weather


@dataclass(frozen=True, slots=True)
class Weather:
    """The layer wind, its cells told apart.

    Attributes:
        steps: Recorded steps, shape ``(n,)``.
        wind: Shape ``(n, layers)``: NaN where not seen, +Inf where the gradient was NaN or infinite, -Inf where it was exactly zero.
        norm: The absolute gradient norm in the same cells, NaN where unknown.
        names: Names of the layers, input first.
    """

    steps: NDArray[np.int64]
    wind: Floats
    norm: Floats
    names: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return self.wind.size == 0 or bool(np.isnan(self.wind).all())


def weather_of(trace: Trace, findings: tuple[Finding, ...] = (), *, seen: NDArray[np.bool_] | None = None, lost_from: float = np.inf) -> Weather:
    """Return the weather of a trace.

    Args:
        trace: What was seen, or its newest part.
        findings: Of the run.
        seen: Which layers were ever seen, where ``trace`` is only a part of what was recorded.
        lost_from: The first step, known from elsewhere, from which numbers are not finite.

    Limits:
        A series writes NaN both for a layer that was not seen and for a gradient that is NaN. In layers that were seen at some time, a NaN
        counts as a hurricane from the first step on at which the loss is not finite, a gradient norm or wind is infinite, or a finding says that numbers
        are not finite; before that it counts as not seen.
    """
    names = tuple(layer.name for layer in trace.layers)
    wind, norm = _by_layer(trace, "layer_wind"), _by_layer(trace, "gradient_norm")
    values = np.where(wind.values <= NO_GRADIENT, -np.inf, wind.values)
    matched = _at_steps(norm, wind.steps)
    is_seen = ~np.isnan(values).all(axis=0) if seen is None else seen
    lost = np.isnan(values) & (wind.steps >= min(first_lost_step(trace, findings), lost_from))[:, None] & is_seen
    values[lost | np.isposinf(matched)] = np.inf
    return Weather(wind.steps, values, matched, names)


def _by_layer(trace: Trace, name: str) -> Series:
    """Return the series if it has a column a layer, else one without steps."""
    series, n_layers = trace[name], len(trace.layers)
    if n_layers and series.values.ndim == 2 and series.values.shape[1] == n_layers:
        return Series(series.steps, np.asarray(series.values, dtype=np.float64))
    return Series(np.empty(0, dtype=np.int64), np.empty((0, n_layers)))


def _at_steps(series: Series, wanted: NDArray[np.int64]) -> Floats:
    """Return the rows of a series at the wanted steps; NaN where a step is missing."""
    result = np.full((wanted.size, series.values.shape[1]), np.nan)
    if len(series):
        places = np.minimum(np.searchsorted(series.steps, wanted), len(series) - 1)
        hit = series.steps[places] == wanted
        result[hit] = series.values[places[hit]]
    return result


def first_lost_step(trace: Trace, findings: tuple[Finding, ...]) -> float:
    """Return the first step from which on numbers are not finite, infinity where there is none."""
    candidates = [float(finding.step) for finding in findings if finding.wind >= 3]
    loss = trace["loss"]
    if loss.values.ndim == 1:
        candidates += [float(step) for step in loss.steps[~np.isfinite(loss.values)][:1]]
    for name in ("layer_wind", "gradient_norm"):
        series = _by_layer(trace, name)
        candidates += [float(step) for step in series.steps[np.isposinf(series.values).any(axis=1)][:1]]
    return min(candidates, default=np.inf)


def newest(values: Floats, rows: int = 1) -> Floats:
    """Return per layer the newest seen value, or the median of the newest ``rows`` seen; NaN for a layer never seen."""
    result = np.full(values.shape[1], np.nan)
    for column in range(values.shape[1]):
        seen = values[~np.isnan(values[:, column]), column]
        if seen.size:
            result[column] = seen[-1] if np.isinf(seen[-1]) else np.median(seen[-rows:])
    return result


def map_title(weather: Weather) -> Sentence:
    """Return the one sentence that the map shows: what is measured, not the verdict."""
    if weather.is_empty:
        return both("map_empty")
    now = newest(weather.wind, rows=max(1, len(weather.steps) // RECENT))
    lost = np.isposinf(weather.wind).any(axis=1)
    if np.isposinf(now).any():
        return both("say_nonfinite", step=int(weather.steps[lost][0]))
    seen = np.flatnonzero(~np.isnan(now))
    storm = seen[now[seen] > HEALTHY[1]]
    calm = seen[now[seen] < HEALTHY[0]]
    if storm.size:
        return both("say_storm", n=storm.size, all=seen.size, layer=weather.names[int(storm[np.argmax(now[storm])])])
    if calm.size:
        return _calm_title(weather, now, seen, calm)
    return both("say_breeze", all=seen.size) if seen.size > 1 else both("say_breeze_one")


def _calm_title(weather: Weather, now: Floats, seen: NDArray[np.int64], calm: NDArray[np.int64]) -> Sentence:
    worst, last = int(calm[np.argmin(now[calm])]), int(seen[-1])
    name = weather.names[worst]
    if np.isneginf(now[worst]):
        return both("say_zero", layer=name)
    norms = newest(weather.norm, rows=max(1, len(weather.steps) // RECENT))
    share = norms[worst] / norms[last] if norms[last] > 0 else np.nan
    if 0 < share < 1e-2:  # beyond that a ratio of two norms is what the eye sees in the map
        return both("say_fraction", layer=name, fraction=fraction(float(share)), last=weather.names[last])
    return both("say_calm", n=calm.size, all=seen.size, layer=name)


def remarkable(wind: Floats, axis: int) -> Floats:
    """Return along ``axis`` the value farthest from the middle of the healthy band; what is not finite wins, what was not seen loses."""
    distance = np.abs(wind - sum(HEALTHY) / 2)
    distance = np.where(np.isnan(wind), -1.0, distance)
    distance = np.where(np.isposinf(wind), np.inf, distance)
    distance = np.where(np.isneginf(wind), 1e300, distance)
    place = np.expand_dims(np.argmax(distance, axis=axis), axis)
    picked: Floats = np.take_along_axis(wind, place, axis).squeeze(axis)
    return picked
