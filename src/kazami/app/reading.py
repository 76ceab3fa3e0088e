"""Reads what a browser sent: strict JSON into records, every field checked, nothing ever executed."""

import json
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from .refusals import BadRequest

Record = TypeVar("Record")
MOST_ITEMS = 100_000
DEEPEST = 12
LARGEST = 2**53 - 1  # of whole numbers that a browser knows one by one


def json_from(body: bytes) -> Any:
    """Return the value of strict JSON.

    Raises:
        BadRequest: It is none, or too deep.
    """

    def refuse(word: str) -> float:
        raise BadRequest(f"{word} is no number of JSON.", f"{word} は JSON の数ではありません。")

    try:
        return json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body should be JSON ({type(error).__name__}).", f"本文は JSON で送ってください（{type(error).__name__}）。") from None


def record_from(kind: type[Record], data: Any, place: str = "body", depth: int = 0) -> Record:
    """Return a record of ``kind`` made from JSON data: fields of the right type, none missing, none unknown.

    >>> from kazami.app.wire import MarkRequest
    >>> record_from(MarkRequest, {"step": 3, "text": "here"})
    MarkRequest(step=3, text='here')

    Raises:
        BadRequest: The data are not that; the sentence names the field.
    """
    if not isinstance(data, Mapping):
        raise BadRequest(f"{place} should be an object.", f"{place} はオブジェクトにしてください。")
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(cast("Any", kind))}
    strangers = set(data) - set(known)
    if strangers:
        name = sorted(strangers)[0][:40]
        raise BadRequest(f"{place} has an unknown field {name!r}.", f"{place} に未知のフィールド {name!r} があります。")
    values = {}
    for name, field in known.items():
        if name in data:
            values[name] = _value(hints[name], data[name], f"{place}.{name}", depth + 1)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise BadRequest(f"{place}.{name} is missing.", f"{place}.{name} がありません。")
    return kind(**values)


def _value(kind: Any, data: Any, place: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise BadRequest(f"{place} is too deep.", f"{place} の入れ子が深すぎます。")
    if kind is Any:  # the route looks at it itself
        return data
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return (
            None if data is None and type(None) in get_args(kind) else _value(next(one for one in get_args(kind) if one is not type(None)), data, place, depth)
        )
    if origin is Literal:
        if data not in get_args(kind) or isinstance(data, bool) not in {isinstance(one, bool) for one in get_args(kind)}:
            known = ", ".join(map(str, get_args(kind)))
            raise BadRequest(f"{place} should be one of {known}.", f"{place} は次のいずれかにしてください：{known}。")
        return data
    if origin in (list, tuple):
        return _items(kind, data, place, depth)
    if is_dataclass(kind):
        return record_from(cast("type[Any]", kind), data, place, depth)
    return _scalar(kind, data, place)


def _items(kind: Any, data: Any, place: str, depth: int) -> Any:
    if not isinstance(data, list) or len(data) > MOST_ITEMS:
        raise BadRequest(f"{place} should be a list of at most {MOST_ITEMS} items.", f"{place} は {MOST_ITEMS} 個以下のリストにしてください。")
    inner = get_args(kind)[0]
    found = [_value(inner, item, f"{place}[{at}]", depth + 1) for at, item in enumerate(data)]
    return tuple(found) if get_origin(kind) is tuple else found


def _scalar(kind: Any, data: Any, place: str) -> Any:
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        number = float(data) if abs(data) < 1e300 else math.inf
        if math.isfinite(number):
            return number
    elif kind is int and type(data) is int:
        if abs(data) <= LARGEST:
            return data
    elif kind is str and isinstance(data, str):
        return data.encode("utf-8", "replace").decode()  # half a letter could be written nowhere
    elif kind is not float and isinstance(kind, type) and type(data) is kind:
        return data
    name = getattr(kind, "__name__", kind)
    raise BadRequest(f"{place} should be a {name}.", f"{place} は {name} にしてください。")
