"""What the page draws: pictures, cards and tables, as plain data that its script only has to set in place."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records.finding import Evidence, Finding, Sentence
from ..records.run_info import RunInfo
from ..records.trace import Floats, Layer, Trace
from ..records.wind import SCALE
from . import palette
from .columns import MAX_CELLS, MAX_COLUMNS, extremes, rounded, starts
from .numerals import short
from .outcome import by_weight, checks_in_words, checks_of, not_the_cause, primary, run_wind, suppressed_in_words, verdict
from .places import placed
from .stability_view import stability_view
from .weather import RECENT, Weather, map_title, newest, remarkable, weather_of
from .words import WORDS, both, certainty, unit_in

# Column of the table of layers: the series it shows.
PER_LAYER = {
    "gradient_norm": "gradient_norm",
    "weight_norm": "weight_norm",
    "update_ratio": "update_ratio",
    "dead_share": "dead_share",
    "saturated_share": "saturated_share",
}


def view(info: RunInfo, trace: Trace, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return everything the page shows, in both languages, thinned to what a screen can hold."""
    ordered = by_weight(findings)
    weather = weather_of(trace, tuple(findings))
    checks = checks_of(info, trace.facts)
    wind = run_wind(info, findings)
    blind = list(dict.fromkeys([*info.blind, *trace.blind]))
    return {
        "words": {key: asdict(sentence) for key, sentence in WORDS.items()},
        "wind": {"word": asdict(Sentence(wind.word, wind.word_ja)), "symbol": wind.symbol, "value": wind.value},
        "scale": [{"word": asdict(Sentence(one.word, one.word_ja)), "symbol": one.symbol} for one in SCALE],
        "verdict": asdict(verdict(info, findings, checks)),
        "palette": {
            "light": palette.stops(),
            "dark": palette.stops(is_dark=True),
            "limits": palette.LIMITS,
            "healthy": palette.HEALTHY,
            "nan": palette.NOT_FINITE,
        },
        "last_step": max(trace.step, info.steps),
        "map": _map(weather),
        "loss": _loss(trace),
        "stability": stability_view(trace),
        "findings": [_card(finding, finding is primary(ordered), trace.layers) for finding in ordered],
        "suppressed": None if (left_out := suppressed_in_words(info)) is None else asdict(left_out),
        "excluded": [asdict(sentence) for sentence in not_the_cause(ordered)],
        "checks": [asdict(title) for title in checks_in_words(checks)],
        "layers": _layers(trace, weather),
        "blind": blind,
        "setting": _setting(info, trace),
    }


def _map(weather: Weather) -> dict[str, Any]:
    title = asdict(map_title(weather))
    if weather.is_empty:
        return {"title": title, "steps": [], "names": []}
    n, layers = weather.wind.shape
    first = starts(n, max(2, min(MAX_COLUMNS, MAX_CELLS // layers)))
    wind_low, wind_high = extremes(weather.wind, first)
    norm_low, norm_high = extremes(weather.norm, first)
    wind = np.stack([remarkable(part, axis=0) for part in np.split(weather.wind, first[1:])])
    now = newest(weather.wind, rows=max(1, n // RECENT))
    is_thinned = len(first) < n
    data = {
        "title": title,
        "names": weather.names,
        "steps": weather.steps[first],
        "recorded": n,
        "now": rounded(now, 3),
        "wind": _by_layer(wind),
        "norm": _by_layer(norm_high),
    }
    if is_thinned:
        data |= {"wind_low": _by_layer(wind_low), "wind_high": _by_layer(wind_high), "norm_low": _by_layer(norm_low)}
    return data


def _by_layer(values: Floats) -> Floats:
    return rounded(values.T, 3)


def _loss(trace: Trace) -> dict[str, Any]:
    loss = trace["loss"]
    if not len(loss) or loss.values.ndim != 1:
        return {"title": asdict(both("loss_empty")), "steps": []}
    first = starts(len(loss), MAX_COLUMNS)
    finite = np.where(np.isfinite(loss.values), loss.values, np.nan)
    low, high = extremes(finite, first)
    lost = np.add.reduceat((~np.isfinite(loss.values)).astype(np.int64), first) > 0
    return {
        "title": asdict(_loss_title(trace)),
        "steps": loss.steps[first],
        "low": rounded(low, 5),
        "high": rounded(high, 5),
        "lost": loss.steps[first][lost],
        "trivial": trace.trivial_loss,
        "validation": _validation(trace),
    }


def _validation(trace: Trace) -> dict[str, Any]:
    """Return the loss on held-out data where the script computed one, thinned to what a screen can show."""
    seen = trace["validation_loss"]
    kept = np.isfinite(seen.values)
    steps, values = seen.steps[kept], seen.values[kept]
    thin = starts(len(steps), MAX_COLUMNS) if len(steps) else slice(0)
    return {"steps": steps[thin], "values": rounded(values[thin], 5), "say": asdict(_validation_in_words(steps, values))}


def _validation_in_words(steps: NDArray[np.int64], values: Floats) -> Sentence:
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


def _card(finding: Finding, is_primary: bool, layers: Sequence[Layer]) -> dict[str, Any]:
    return {
        "id": finding.id,
        "name": finding.name,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "certainty": certainty(finding.confidence),
        "is_primary": is_primary,
        "step": finding.step,
        "place": finding.place,
        "placed": asdict(placed(finding, layers)),
        "sentence": asdict(finding.sentence),
        "evidence": [_evidence(item) for item in finding.evidence],
        "changes": [{"name": one.name, "code": one.code, "sentence": asdict(one.sentence)} for one in sorted(finding.prescriptions, key=lambda one: one.order)],
        "excluded": [asdict(sentence) for sentence in finding.not_the_cause],
    }


def _evidence(item: Evidence) -> dict[str, Any]:
    shown = {"shown": short(item.value), "shown_limit": short(item.limit), "unit_ja": unit_in(item.unit, "ja")}
    return {**asdict(item), **shown}


def _layers(trace: Trace, weather: Weather) -> list[dict[str, Any]]:
    columns = {name: _newest_of(trace, series) for name, series in PER_LAYER.items() if trace.has(series)}
    columns["wind"] = newest(weather.wind) if not weather.is_empty else np.full(len(trace.layers), np.nan)
    columns["gradient_norm"] = _lost_with(columns["wind"], columns.get("gradient_norm"))
    rows = []
    for place, layer in enumerate(trace.layers):
        row = {"name": layer.name, "kind": layer.kind, "shape": " × ".join(map(str, layer.shape)), "activation": layer.activation}
        numbers = {name: float(values[place]) for name, values in columns.items() if place < len(values)}
        known = {name: value for name, value in numbers.items() if not np.isnan(value)}
        rows.append({**row, **{name: {"value": float(f"{value:.6g}"), "shown": _shown(value)} for name, value in known.items()}, "letter": _letter(known)})
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


def _setting(info: RunInfo, trace: Trace) -> dict[str, Any]:
    return {
        "id": info.id,
        "command": info.command,
        "started": info.started,
        "ended": info.ended,
        "reason": info.reason if info.exit_code is None else f"{info.reason} ({info.exit_code})",
        "optimizer": dict(trace.optimizer),
        "loss_kind": trace.loss_kind,
        "versions": info.versions,
        "environment": info.environment,
        "seeds": info.seeds,
    }
