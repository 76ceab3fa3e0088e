"""The trace without its series, as plain data for run.json, and back."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from ..records import Layer, Progress, Series, Trace
from .strict_json import plain

Record = TypeVar("Record", Layer, Progress)


def trace_head(trace: Trace) -> dict[str, Any]:
    """Return everything of ``trace`` but its series, as plain data (lists, dicts with text keys, text, numbers).

    Example:
        >>> trace_from_head(trace_head(Trace(step=7, loss_kind="mse"))).loss_kind
        'mse'
    """
    kept = {field.name: getattr(trace, field.name) for field in fields(trace) if field.name not in ("series", "layers", "progress")}
    head: dict[str, Any] = plain(kept)
    head["layers"] = [plain(asdict(layer)) for layer in trace.layers]
    head["progress"] = None if trace.progress is None else plain(asdict(trace.progress))
    return head


def trace_from_head(head: Mapping[str, Any], series: Mapping[str, Series] | None = None) -> Trace:
    """Return the trace that `trace_head` described, with ``series`` put back.

    Args:
        head: Plain data; fields of later versions are left out, missing ones get their defaults.
        series: What was recorded.

    Raises:
        ValueError: ``head`` is no such description.
    """
    known = {field.name: head[field.name] for field in fields(Trace) if field.name in head}
    try:
        known["layers"] = tuple(_record(Layer, {**layer, "shape": tuple(layer.get("shape", ()))}) for layer in head.get("layers", ()))
        known["blind"] = tuple(head.get("blind", ()))
        known["progress"] = None if head.get("progress") is None else _record(Progress, head["progress"])
        return Trace(**{"step": 0, **known, "series": dict(series or {})})
    except (TypeError, AttributeError) as error:
        raise ValueError(f"The description of the trace is not as kazami writes it: {error}") from None


def _record(kind: type[Record], data: Mapping[str, Any]) -> Record:
    names = {field.name for field in fields(kind)}
    return kind(**{key: value for key, value in data.items() if key in names})
