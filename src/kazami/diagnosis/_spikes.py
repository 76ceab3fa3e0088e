"""Leaps of the loss: which they are, what they cost, which batch it was, and what moved first."""

import math
from dataclasses import dataclass, replace

import numpy as np

from ..records.finding import Sentence
from ..records.trace import Floats, Trace
from ..signals import rolling_median, theil_sen
from ._base import both, layer_name, short

Z = 6.0  # one normal value in a thousand million; of the loss itself and of its logarithm, since losses are skewed
WINDOW = 32
LEAST_BEFORE = 12
LEAP = 0.1  # of what guessing costs
CALM = 3.0
BACK = 2.0  # standard deviations above the level before
AFTER = 5
UNLIKE = 3.0  # times the usual size
MOST_SPIKES = 64
SHARED = 2 / 3
LEAST_PERIOD = 3
CHANCE = 0.15


@dataclass(frozen=True, slots=True)
class Spike:
    """One leap of the loss.

    Attributes:
        at: Its place in the series of losses.
        step: Its step.
        z: How many standard deviations it stands above the losses before.
        level: Their median.
        value: The loss.
        limit: Two standard deviations above the lowest level before this leap or an earlier one.
        lost: Steps above that limit, until the next leap; the leap itself is not counted.
        is_back: Whether the loss was below it at the end of them, or will be after as many steps again if it goes on so.
    """

    at: int
    step: int
    z: float
    level: float
    value: float
    limit: float
    lost: int = 0
    is_back: bool = True


def spikes(trace: Trace) -> list[Spike]:
    """Return the leaps of the loss: those that come at once, out of calm."""
    series = trace["loss"]
    values = series.values
    if trace.progress is None or values.size < LEAST_BEFORE + 2:
        return []
    found: list[Spike] = []
    floor = LEAP * min(trace.progress.reference, abs(trace.progress.first))  # outliers among the targets raise the former
    for at in _candidates(values, floor):
        spike = _spike_at(values, series.steps, at, floor)
        if spike is not None:
            lowest = min([spike.limit, *(one.limit for one in found[-1:])])
            found.append(replace(spike, limit=lowest))
        if len(found) == MOST_SPIKES:
            break
    ends = [*(spike.at for spike in found[1:]), values.size][: len(found)]
    return [_costed(spike, values[spike.at + 1 : end]) for spike, end in zip(found, ends, strict=True)]


def _candidates(values: Floats, floor: float) -> list[int]:
    """Return the places whose loss stands ``floor`` above the median of those before; looked at one by one, a run of a million steps would take minutes."""
    first = list(range(LEAST_BEFORE, min(WINDOW, values.size)))
    if values.size <= WINDOW:
        return first
    with np.errstate(invalid="ignore"):  # what is not finite stands above nothing
        rise = values[WINDOW:] - rolling_median(values, WINDOW)[:-1]
        return first + (WINDOW + np.flatnonzero(rise >= floor)).tolist()


def _spike_at(values: Floats, steps: np.typing.NDArray[np.int64], at: int, floor: float) -> Spike | None:
    before = values[max(at - WINDOW, 0) : at]
    value = float(values[at])
    if not math.isfinite(value) or not bool(np.isfinite(before).all()):
        return None
    level, deviation = _centre(before)
    if value - level < max(floor, Z * deviation) or values[at - 1] - level > CALM * deviation or steps[at] - steps[at - 1] != 1:
        return None
    if level > 0 and float(before.min()) > 0:
        log_level, log_deviation = _centre(np.log(before))
        if math.log(value) - log_level < Z * log_deviation:
            return None
    if float(np.median(before[before.size // 2 :])) > float(np.median(before[: before.size // 2])) + deviation:
        return None  # it had been rising
    return Spike(at, int(steps[at]), min((value - level) / max(deviation, 1e-30), 1e6), level, value, level + BACK * deviation)


def _centre(values: Floats) -> tuple[float, float]:
    """Return median and robust standard deviation, a falling line taken out of the latter."""
    level = float(np.median(values))
    x = np.arange(values.size, dtype=np.float64)
    rest = values - np.polyval(np.polyfit(x, values, 1), x) if values.size > 2 else values - level
    return level, max(float(1.4826 * np.median(np.abs(rest - np.median(rest)))), 1e-12 * abs(level))


def _costed(spike: Spike, after: Floats) -> Spike:
    """Return the leap with its cost: the steps whose loss, as the median of five, is above the limit; one that is not finite is."""
    if after.size == 0:
        return spike
    smooth = rolling_median(np.where(np.isfinite(after), after, np.inf), AFTER)
    above = smooth > spike.limit
    is_coming = bool(np.isfinite(smooth).all()) and smooth[-1] + theil_sen(smooth) * smooth.size < spike.limit
    return replace(spike, lost=round(float(above.mean()) * after.size), is_back=bool(is_coming or not above[-1]))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a leap happened, in both languages."""

    en: str
    ja: str
    is_periodic: bool = False


def place_of(found: list[Spike], trace: Trace) -> Place:
    """Return the batch: its place in the epoch where that is known, else the step."""
    steps = [spike.step for spike in found]
    epoch = trace.facts.get("epoch")
    period, offset = (int(epoch["batches"]), int(epoch["first"])) if epoch else (period_of(steps), 1)
    here = Place(f"step {steps[0]}", f"ステップ {steps[0]}")
    if period < 2:
        return here
    places = [(step - offset) % period + 1 for step in steps]
    batch = max(set(places), key=lambda place: (places.count(place), -places.index(place)))
    if places.count(batch) < max(2, SHARED * len(steps)):
        batch = places[0]
        return Place(f"{here.en} (batch {batch} of {period})", f"{here.ja}（{period} バッチ中 {batch} 番目）") if epoch else here
    return Place(f"batch {batch} of {period} every epoch", f"毎エポック {period} バッチ中 {batch} 番目のバッチ", is_periodic=True)


def period_of(steps: list[int]) -> int:
    """Return the distance at which three leaps or more, and two thirds of all, come back (some may be missed); 0 where there is none."""
    distances = {later - sooner for sooner in steps for later in steps if later - sooner >= LEAST_PERIOD}
    counts = {period: max(sum((step - first) % period == 0 for step in steps) for first in steps) for period in distances}
    good = [period for period, count in counts.items() if count >= max(3, SHARED * len(steps)) and _by_chance(len(steps), count, period) < CHANCE]
    return max(good, key=lambda period: (counts[period], period)) if good else 0


def _by_chance(n: int, count: int, period: int) -> float:
    """Return how often ``count`` of ``n`` leaps anywhere share a distance: any two make it, and each of the others hits a multiple once in ``period``."""
    return math.comb(n, 2) * math.comb(n - 2, count - 2) / float(period) ** (count - 2)


def z_of(trace: Trace, name: str, step: int) -> float:
    """Return how many robust standard deviations the logarithm of a number lies above its values before ``step``; NaN where it was not recorded then."""
    series = trace[name]
    here = np.flatnonzero(series.steps == step)
    before = series.values[series.steps < step][-WINDOW:]
    before = before[np.isfinite(before) & (before > 0)]
    if here.size == 0 or before.size < LEAST_BEFORE or not series.values[here[0]] > 0 or not np.isfinite(series.values[here[0]]):
        return math.nan
    level, deviation = _centre(np.log(before))
    return min((math.log(series.values[here[0]]) - level) / max(deviation, 1e-12), 1e6)


def is_stable_before(trace: Trace, spike: Spike) -> bool:
    """Return whether nothing seen before the leap says that the steps were too long."""
    ratios = trace["stability_ratio"].values[trace["stability_ratio"].steps < spike.step]
    ratios = ratios[np.isfinite(ratios)]
    return not (ratios.size and float(np.median(ratios)) > 1.0)


def data_of(trace: Trace, spike: Spike) -> Sentence | None:
    """Return what is unlike in the batch itself: its inputs, as the first layer reads them, or its targets; ``None`` where neither was seen to be."""
    ratios = [
        ("inputs", "バッチの入力", trace["input_rms"].steps, trace["input_rms"].values[:, 0] if len(trace["input_rms"]) and trace.layers else np.empty(0)),
        ("targets", "バッチの目標値", trace["target_std"].steps, trace["target_std"].values),
    ]
    for en, ja, steps, values in ratios:
        here, before = values[steps == spike.step], values[steps < spike.step]
        before = before[np.isfinite(before) & (before > 0)]
        if here.size and before.size >= LEAST_BEFORE // 2 and here[0] > UNLIKE * before.max():
            times = short(float(here[0] / np.median(before)))
            return both(f"{en} are {times} times as large as usual", f"{ja}は普段の {times} 倍です")
    return None


def what_moved(trace: Trace, spike: Spike) -> Sentence:
    """Return what moved first, as the end of a sentence: the update before the leap, or the gradient of the batch and the layer that it moved most."""
    update, gradient = z_of(trace, "update_norm", spike.step - 1), z_of(trace, "total_gradient_norm", spike.step)
    if update > Z:
        return both("; the update before it moved first", f"直前（ステップ {spike.step - 1}）の更新が先に大きくなっています。")
    if not gradient > Z:
        return both("", "")
    series = trace["gradient_norm"]
    here = np.flatnonzero(series.steps == spike.step)
    before = series.values[series.steps < spike.step][-WINDOW:]
    if here.size == 0 or len(before) < LEAST_BEFORE:
        return both("; its gradient moved first, the update before it was ordinary", "直前の更新は普段どおりで、このバッチの勾配が先に大きくなっています。")
    ratio = series.values[here[0]] / np.median(before, axis=0)
    if not bool(np.isfinite(ratio).any()):
        return both("", "")
    layer = layer_name(trace.layers[int(np.nanargmax(ratio))])
    return both(
        f"; its gradient moved first, most of all in {layer} ({short(float(np.nanmax(ratio)))} times its usual)",
        f"このバッチの勾配が先に大きくなり、特に {layer} では普段の {short(float(np.nanmax(ratio)))} 倍です。",
    )
