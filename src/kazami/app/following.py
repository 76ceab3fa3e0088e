"""Follows one run directory: what it holds now, and what is new since the last look."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import KazamiError
from ..records.finding import Finding
from ..records.trace import Series, Trace
from ..reports.columns import rounded
from ..reports.flags import flags_of
from ..reports.flow import flow_of
from ..reports.view import PER_LAYER, view
from ..reports.view_data import EventFlag, Flow, View
from ..reports.weather import first_lost_step, weather_of
from ..storage import StoredRun, TailReader, trace_from_head
from .folder import RunFolder
from .growing import GrowingSeriesOf
from .marks import read_marks
from .wire import RunDelta, RunLine, RunSnapshot

PICTURES = ("loss", "layer_wind", "gradient_norm")
NUMBERS = ("learning_rate", "stability_ratio", "sharpness_limit", "sharpness", "local_exponent", "burst_length", "validation_loss")
TABLE = tuple(name for name in PER_LAYER if name not in PICTURES)
WORDS_SECONDS = 1.0  # between two times of saying anew what the pictures show
WORDS_SHARE = 0.05  # of the server's time at most goes into that
PARTS_SECONDS = 1.0  # between two looks at the parts, where there is no live tail
RECENT = 0.9  # of a long run is left out where only the newest numbers are shown

Values = Mapping[str, float | list[float]]


class RunFollower:
    """What one run directory holds, kept up to date by `poll`; not for several threads at once.

    Args:
        folder: Where runs lie.
        run: Id of the run.

    Raises:
        RunNotFound: There is no such run.
        RunUnreadable: Its files cannot be read.
        NewerFormat: A newer kazami wrote it.
    """

    def __init__(self, folder: RunFolder, run: str) -> None:
        self._folder = folder
        self.run = run
        self._stored: StoredRun = folder.open(run)
        self._tail = TailReader(folder.place(run))
        self._line = self._current_line()
        self._head = self._line
        trace = self._read()
        self._growing = GrowingSeriesOf(trace.series)
        self._last = trace.step if self.is_ended else max((int(one.steps[-1]) for one in trace.series.values() if len(one)), default=0)
        self._loss_step = _newest(trace["loss"])
        self._map_step = _newest(trace["layer_wind"])
        self._lost_from = first_lost_step(trace, self._findings())
        winds = trace["layer_wind"].values
        self._seen: NDArray[np.bool_] = np.asarray(~np.isnan(winds).all(axis=0)) if winds.ndim == 2 else np.zeros(0, dtype=bool)
        self._events = self._flags(trace)
        self._said_at = self._looked_at = time.monotonic()
        self._cost = 0.0
        self._sign = time.time() if not self.is_ended else self._line.changed
        self._is_stale_said = False
        self._has_tail = False
        self._flow: Flow | None = None

    @property
    def is_ended(self) -> bool:
        """Whether the run says that it is over."""
        return bool(self._stored.info.ended)

    def snapshot(self) -> RunSnapshot:
        """Return the run as it is now."""
        trace = self._trace()
        whole = view(self._stored.info, trace, self._findings())
        flow = flow_of(trace)
        self._flow = self._flow or flow  # what changed since is still news to those who came before
        return RunSnapshot(self._shown_line(), whole, self._events, flow, self._age(), self._has_tail)

    def poll(self) -> RunDelta | None:
        """Return what is new, ``None`` where nothing is."""
        if self.is_ended and self._current_line() == self._head:
            return None
        self._tail.ask()
        rows = self._new_rows()
        is_changed = self._current_line() != self._head
        if is_changed:
            self._refresh()
            rows = self._with_later(self._from_parts(), rows) if self.is_ended else rows  # what the tail has just given may lie in the parts by now
        for step, values in rows:
            self._growing.append(step, values)
            self._last = step
        if rows:
            self._sign = time.time()
        words = self._words(is_changed, bool(rows))
        if not rows and words is None and not is_changed:
            return None
        return self._delta(rows, words, is_changed)

    def close(self) -> None:
        """Stop asking the run for its live tail."""
        self._tail.forget()

    # -- what is new

    def _new_rows(self) -> list[tuple[int, Values]]:
        found = self._tail.read()
        if found.rows:
            self._has_tail = True
        is_part_time = time.monotonic() - self._looked_at > PARTS_SECONDS
        rows: list[tuple[int, Values]] = []
        if (found.is_gap and found.rows and found.rows[0][0] > self._last + 1) or (not found.rows and is_part_time):
            rows = self._from_parts()
        return self._with_later(rows, found.rows)

    def _with_later(self, rows: list[tuple[int, Values]], others: Iterable[tuple[int, Values]]) -> list[tuple[int, Values]]:
        """Return rows with those of the others that are later than the last one known."""
        known = rows[-1][0] if rows else self._last
        return rows + [row for row in others if row[0] > known]

    def _from_parts(self) -> list[tuple[int, Values]]:
        """Return the rows of later steps than the last one known, as the parts hold them."""
        self._looked_at = time.monotonic()
        series = self._stored.series(only={*PICTURES, *NUMBERS, *TABLE}, after=self._last)
        steps = np.unique(np.concatenate([one.steps for one in series.values()])) if series else np.empty(0, dtype=np.int64)
        rows: dict[int, dict[str, float | list[float]]] = {int(step): {} for step in steps}
        for name, one in series.items():
            for step, value in zip(one.steps.tolist(), one.values.tolist(), strict=True):
                rows[step][name] = value
        return list(rows.items())

    def _refresh(self) -> None:
        self._head = self._line = self._current_line()
        try:
            self._stored.refresh()
        except KazamiError:
            return

    def _words(self, is_changed: bool, has_rows: bool) -> View | None:
        since = time.monotonic() - self._said_at
        is_due = since > max(WORDS_SECONDS, self._cost / WORDS_SHARE) and has_rows
        if not is_due and not (is_changed and (self.is_ended or since > WORDS_SECONDS / 4)):
            return None
        began = time.thread_time()
        trace = self._trace()
        words = view(self._stored.info, trace, self._findings(), columns=0)
        self._events = self._flags(trace)
        self._cost = time.thread_time() - began
        self._said_at = time.monotonic()
        return words

    def _delta(self, rows: Iterable[tuple[int, Values]], words: View | None, is_changed: bool) -> RunDelta:
        fresh = GrowingSeriesOf({})
        for step, values in rows:
            fresh.append(step, {name: values[name] for name in PICTURES if name in values})
        layers = self._trace_head().layers
        part = Trace(step=self._last, series=fresh.series(len(layers)), layers=layers)
        self._lost_from = min(self._lost_from, first_lost_step(part, self._findings()))
        wind = part["layer_wind"]
        if wind.values.ndim == 2 and len(wind):
            seen = np.zeros(wind.values.shape[1], dtype=bool)
            seen[: self._seen.size] = self._seen
            self._seen = seen | ~np.isnan(wind.values).all(axis=0)
        weather = weather_of(part, self._findings(), seen=self._seen, lost_from=self._lost_from)
        loss = part["loss"]
        return RunDelta(
            steps=loss.steps,
            loss=rounded(loss.values, 5),
            map_steps=weather.steps,
            wind=rounded(weather.wind.T, 3),
            norm=rounded(weather.norm.T, 3),
            view=words,
            run=self._shown_line() if words is not None or is_changed else None,
            events=self._events if words is not None else None,
            flow=self._new_flow() if words is not None else None,
        )

    def _new_flow(self) -> Flow | None:
        """Return the graph where it changed: layers and branches may come later than the first look."""
        flow = flow_of(self._trace_head())
        if flow == self._flow:
            return None
        self._flow = flow
        return flow

    # -- what there is

    def _read(self) -> Trace:
        """Read what the pictures need whole, and of the table's numbers the newest."""
        trace = self._stored.trace(only={*PICTURES, *NUMBERS})
        recent = self._stored.series(only=TABLE, after=int(trace.step * RECENT) if trace.step > 1000 else 0)
        return trace.replaced(series={**trace.series, **recent})

    def _trace_head(self) -> Trace:
        try:
            return trace_from_head(self._stored.info.trace)
        except ValueError:
            return Trace(step=0)

    def _trace(self) -> Trace:
        head = self._trace_head()
        return head.replaced(series=self._growing.series(len(head.layers)), step=max(head.step, self._last))

    def _findings(self) -> tuple[Finding, ...]:
        return tuple(self._stored.findings)

    def _current_line(self) -> RunLine:
        line = self._folder.line(self.run)
        return line if line is not None else replace(self._line, state="lost")

    def _shown_line(self) -> RunLine:
        return replace(self._line, steps=max(self._line.steps, self._last))

    def _flags(self, trace: Trace) -> list[EventFlag]:
        return flags_of(self._stored.info, trace, self._findings(), read_marks(self._folder.place(self.run)))

    def _age(self) -> float:
        return max(0.0, time.time() - self._sign)


def _newest(series: Series) -> int:
    return int(series.steps[-1]) if len(series) else 0
