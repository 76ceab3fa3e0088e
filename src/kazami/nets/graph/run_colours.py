"""The newest values of a stored run, by layer, for a graph of the same model."""

import math

import numpy as np

from ...errors import UsageError, unknown_name
from ...records.trace import Trace
from .colouring import Colouring, missing_names
from .records import Block, Node

LABELS = {
    "layer_wind": "layer wind (log₁₀ of relative gradient size)",
    "gradient_norm": "gradient norm",
    "update_ratio": "update ÷ weight",
}
RECENT = 20  # "now" is the median of the newest twentieth of what was recorded, as in the report


def values_of_run(run: str | Trace, series: str, nodes: tuple[Node, ...], blocks: tuple[Block, ...]) -> tuple[dict[str, float], str]:
    """Return the newest value of each layer of a run that is in the graph, and the label of the quantity.

    Raises:
        UnknownName: The run has no such quantity for each layer.
        UsageError: None of its layers is in the graph.
    """
    trace = run if isinstance(run, Trace) else _stored(run)
    by_layer = [name for name, found in trace.series.items() if found.values.ndim == 2 and len(found)]
    if series not in by_layer:
        raise unknown_name("quantity of every layer in this run", series, by_layer)
    rows = trace[series].values[-max(1, len(trace[series]) // RECENT) :]
    values = {layer.name: _median(rows[:, place]) for place, layer in enumerate(trace.layers) if place < rows.shape[1]}
    missing = set(missing_names(Colouring(values, series, "linear", 0.0, 1.0), nodes, blocks))
    known = {name: value for name, value in values.items() if name not in missing}
    if not known:
        raise UsageError(f"No layer of the run is in this graph: the run has {', '.join(list(values)[:3])} …; is it a run of this model?")
    return known, LABELS.get(series, series.replace("_", " "))


def _median(column: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    seen = column[~np.isnan(column)]
    return float(np.median(seen)) if seen.size else math.nan


def _stored(location: str) -> Trace:
    from ...storage import open_run

    return open_run(location).trace()
