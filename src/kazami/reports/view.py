"""What the page draws: pictures, cards and tables, as plain data that its script only has to set in place."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.run_info import RunInfo
from ..records.trace import Floats, Layer, Trace
from . import palette
from .columns import MAX_CELLS, MAX_COLUMNS, extremes, rounded, starts
from .numerals import short
from .outcome import by_weight, checks_in_words, checks_of, not_the_cause, primary, run_wind, suppressed_in_words, verdict
from .places import placed
from .stability_view import growth_picture, stability_picture
from .view_data import Card, Change, EvidenceRow, HeldOut, LayerRow, LossPicture, MapPicture, Setting, Shown, Steps, View, WindWord
from .weather import RECENT, Weather, map_title, newest, remarkable, weather_of
from .words import both, certainty, unit_in

# Column of the table of layers: the series it shows.
PER_LAYER = ("gradient_norm", "weight_norm", "update_ratio", "dead_share", "saturated_share")


def view(info: RunInfo, trace: Trace, findings: Sequence[Finding], *, columns: int = MAX_COLUMNS) -> View:
    """Return everything the page shows, in both languages, thinned to what a screen can hold.

    Args:
        info: Head of the run.
        trace: What was seen.
        findings: In any order.
        columns: Most columns of the weather map and the loss; 0 leaves their numbers out and keeps their words.
    """
    ordered = by_weight(findings)
    weather = weather_of(trace, tuple(findings))
    checks = checks_of(info, trace.facts)
    wind = run_wind(info, findings)
    return View(
        wind=WindWord(Sentence(wind.word, wind.word_ja), wind.symbol, wind.value),
        verdict=verdict(info, findings, checks),
        last_step=max(trace.step, info.steps),
        map=_map(weather, columns),
        loss=_loss(trace, columns),
        stability=stability_picture(trace),
        growth=growth_picture(trace),
        findings=[_card(finding, finding is primary(ordered), trace.layers) for finding in ordered],
        suppressed=suppressed_in_words(info),
        excluded=list(not_the_cause(ordered)),
        checks=list(checks_in_words(checks)),
        layers=_layers(trace, weather),
        blind=list(dict.fromkeys([*info.blind, *trace.blind])),
        setting=_setting(info, trace),
    )


def _map(weather: Weather, columns: int) -> MapPicture:
    title = map_title(weather)
    if weather.is_empty:
        return MapPicture(title, [])
    n, layers = weather.wind.shape
    now = rounded(newest(weather.wind, rows=max(1, n // RECENT)), 3)
    names = list(weather.names)
    if columns == 0:
        return MapPicture(title, names, recorded=n, now=now)
    first = starts(n, max(2, min(columns, MAX_CELLS // layers)))
    wind = np.stack([remarkable(part, axis=0) for part in np.split(weather.wind, first[1:])])
    norm_low, norm_high = extremes(weather.norm, first)
    seen = MapPicture(title, names, weather.steps[first], n, now, _by_layer(wind), _by_layer(norm_high))
    if len(first) == n:
        return seen
    wind_low, wind_high = extremes(weather.wind, first)
    return MapPicture(title, names, seen.steps, n, now, seen.wind, seen.norm, _by_layer(wind_low), _by_layer(wind_high), _by_layer(norm_low))


def _by_layer(values: Floats) -> Floats:
    return rounded(values.T, 3)


def _loss(trace: Trace, columns: int) -> LossPicture:
    loss = trace["loss"]
    if not len(loss) or loss.values.ndim != 1:
        return LossPicture(both("loss_empty"))
    title, held_out = _loss_title(trace), _validation(trace)
    if columns == 0:
        return LossPicture(title, trivial=trace.trivial_loss, validation=held_out)
    first = starts(len(loss), columns)
    finite = np.where(np.isfinite(loss.values), loss.values, np.nan)
    low, high = extremes(finite, first)
    lost = np.add.reduceat((~np.isfinite(loss.values)).astype(np.int64), first) > 0
    steps = loss.steps[first]
    return LossPicture(title, steps, rounded(low, 5), rounded(high, 5), steps[lost], trace.trivial_loss, held_out)


def _validation(trace: Trace) -> HeldOut:
    """Return the loss on held-out data where the script computed one, thinned to what a screen can show."""
    seen = trace["validation_loss"]
    kept = np.isfinite(seen.values)
    steps, values = seen.steps[kept], seen.values[kept]
    thin = starts(len(steps), MAX_COLUMNS) if len(steps) else slice(0)
    return HeldOut(steps[thin], rounded(values[thin], 5), _validation_in_words(steps, values))


def _validation_in_words(steps: Steps, values: Floats) -> Sentence:
    if not len(steps):
        return Sentence("", "")
    best = int(np.argmin(values))
    return both("say_validation", best=short(float(values[best])), step=int(steps[best]), now=short(float(values[-1])))


def _loss_title(trace: Trace) -> Sentence:
    loss = trace["loss"]
    lost = ~np.isfinite(loss.values)
    if lost.any() and lost[-1]:
        begin = len(lost) - int(np.argmin(lost[::-1])) if not lost.all() else 0  # where the last unbroken stretch starts
        return both("say_loss_nan", step=int(loss.steps[begin]))
    finite = loss.values[~lost]
    if len(loss) == 1:
        return both("say_loss_one", now=short(float(finite[-1])))
    few = max(1, len(finite) // 50)  # a typical value, not that of one batch
    first, now = short(float(np.median(finite[:few]))), short(float(np.median(finite[-few:])))
    if trace.trivial_loss is None:
        return both("say_loss", first=first, now=now)
    return both("say_loss_trivial", first=first, now=now, trivial=short(trace.trivial_loss))


def _card(finding: Finding, is_primary: bool, layers: Sequence[Layer]) -> Card:
    return Card(
        id=finding.id,
        name=finding.name,
        severity=finding.severity,
        confidence=finding.confidence,
        certainty=certainty(finding.confidence),
        is_primary=is_primary,
        step=finding.step,
        place=finding.place,
        placed=placed(finding, layers),
        sentence=finding.sentence,
        evidence=[_evidence(item) for item in finding.evidence],
        changes=[Change(one.name, one.code, one.sentence) for one in sorted(finding.prescriptions, key=lambda one: one.order)],
        excluded=list(finding.not_the_cause),
    )


def _evidence(item: Evidence) -> EvidenceRow:
    return EvidenceRow(**asdict(item), shown=short(item.value), shown_limit=short(item.limit), unit_ja=unit_in(item.unit, "ja"))


def _layers(trace: Trace, weather: Weather) -> list[LayerRow]:
    columns = {name: _newest_of(trace, name) for name in PER_LAYER if trace.has(name)}
    columns["wind"] = newest(weather.wind) if not weather.is_empty else np.full(len(trace.layers), np.nan)
    columns["gradient_norm"] = _lost_with(columns["wind"], columns.get("gradient_norm"))
    rows = []
    for place, layer in enumerate(trace.layers):
        numbers = {name: float(values[place]) for name, values in columns.items() if place < len(values)}
        known = {name: value for name, value in numbers.items() if not np.isnan(value)}
        shown = {name: Shown(float(f"{value:.6g}"), _shown(value)) for name, value in known.items()}
        rows.append(LayerRow(layer.name, layer.kind, " × ".join(map(str, layer.shape)), layer.activation, _letter(known), **shown))
    return rows


def _lost_with(wind: Floats, norm: Floats | None) -> Floats:
    """Return the norms, infinite where the wind says that the gradient is lost: the newest finite one would be a tale of the past."""
    known = np.full(wind.shape, np.nan) if norm is None or norm.shape != wind.shape else norm
    return np.where(np.isposinf(wind), np.inf, known)


def _newest_of(trace: Trace, name: str) -> Floats:
    values = trace[name].values
    return newest(values) if values.ndim == 2 else np.full(len(trace.layers), np.nan)


def _shown(value: float) -> str:
    return short(value) if np.isfinite(value) or value < 0 else "NaN / ∞"


def _letter(known: dict[str, float]) -> str:
    return palette.letter_of(known["wind"]) if "wind" in known else "–"


def _setting(info: RunInfo, trace: Trace) -> Setting:
    reason = info.reason if info.exit_code is None else f"{info.reason} ({info.exit_code})"
    return Setting(info.id, info.command, info.started, info.ended, reason, dict(trace.optimizer), trace.loss_kind, info.versions, info.environment, info.seeds)
