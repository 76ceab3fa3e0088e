"""The course behind a number of evidence: a series over the steps, in the number's own unit, so that it can be drawn beside its limit."""

from collections.abc import Callable

import numpy as np

from ..records.finding import Finding
from ..records.trace import Floats, Series, Trace
from ._base import HIDDEN_KINDS, growth_to_input, matrices, on_the_way

Curve = Callable[[Trace, Finding], Series]
NOTHING = Series(np.empty(0, dtype=np.int64), np.empty(0))


def of_layer(name: str, *, sign: float = 1.0) -> Curve:
    """Return the quantity of the layer at which a finding lies."""

    def curve(trace: Trace, finding: Finding) -> Series:
        names = [layer.name for layer in trace.layers]
        series = trace[name]
        if finding.place not in names or series.values.ndim != 2 or names.index(finding.place) >= series.values.shape[1]:
            return NOTHING
        return seen(series.steps, sign * series.values[:, names.index(finding.place)])

    return curve


def of_run(name: str) -> Curve:
    """Return a number of the whole training as it was recorded."""
    return lambda trace, finding: _flat(trace, name)


def over_start(name: str) -> Curve:
    """Return a number of the whole training over its first finite value."""

    def curve(trace: Trace, finding: Finding) -> Series:
        del finding
        series = _flat(trace, name)
        return Series(series.steps, series.values / series.values[0]) if len(series) and series.values[0] else NOTHING

    return curve


def over_largest(name: str) -> Curve:
    """Return a number of the whole training over the largest that it ever was."""

    def curve(trace: Trace, finding: Finding) -> Series:
        del finding
        series = _flat(trace, name)
        return Series(series.steps, series.values / series.values.max()) if len(series) and series.values.max() > 0 else NOTHING

    return curve


def over_depth(name: str, *, sign: float = 1.0, kinds: tuple[str, ...] = HIDDEN_KINDS) -> Curve:
    """Return at each step by how many decades a quantity of layers grows from the output back to the input (falls, with a sign of -1)."""

    def curve(trace: Trace, finding: Finding) -> Series:
        del finding
        series, columns = trace[name], on_the_way(trace, kinds)
        if series.values.ndim != 2 or not columns or max(columns) >= series.values.shape[1]:
            return NOTHING
        return seen(series.steps, sign * np.array([growth_to_input(row[columns]) for row in series.values]))

    return curve


def over_layers(name: str, reduce: Callable[[Floats], float]) -> Curve:
    """Return at each step one number of all layers that were seen: their median, their largest …"""

    def curve(trace: Trace, finding: Finding) -> Series:
        del finding
        series = trace[name]
        if series.values.ndim != 2:
            return NOTHING
        rows = [row[np.isfinite(row)] for row in series.values]
        return seen(series.steps, np.array([reduce(row) if row.size else np.nan for row in rows]))

    return curve


def norm_over_start(name: str) -> Curve:
    """Return the norm of a quantity over all weight matrices, over what it was first."""

    def curve(trace: Trace, finding: Finding) -> Series:
        del finding
        series, columns = trace[name], matrices(trace)
        if series.values.ndim != 2 or not columns or max(columns) >= series.values.shape[1]:
            return NOTHING
        total = seen(series.steps, np.sqrt(np.sum(series.values[:, columns] ** 2, 1)))
        return Series(total.steps, total.values / max(total.values[0], 1e-30)) if len(total) else NOTHING

    return curve


def explained(trace: Trace, finding: Finding) -> Series:
    """Return what share of the loss is explained at each step, against the trivial predictor, else against the typical loss at the start."""
    del finding
    loss = _flat(trace, "loss")
    reference = trace.progress.reference if trace.progress is not None else trace.trivial_loss
    return Series(loss.steps, 1 - loss.values / reference) if reference and len(loss) else NOTHING


def ratio_of(above: str, below: str) -> Curve:
    """Return one number of the whole training over another."""

    def curve(trace: Trace, finding: Finding) -> Series:
        del finding
        one, other = _flat(trace, above), _flat(trace, below)
        steps, at, beside = np.intersect1d(one.steps, other.steps, return_indices=True)
        return seen(steps, one.values[at] / np.maximum(other.values[beside], 1e-30))

    return curve


def seen(steps: np.ndarray[tuple[int], np.dtype[np.int64]], values: Floats) -> Series:
    """Return the finite part of a series."""
    kept = np.isfinite(values)
    return Series(steps[kept], values[kept])


def _flat(trace: Trace, name: str) -> Series:
    series = trace[name]
    return seen(series.steps, series.values) if series.values.ndim == 1 else NOTHING
