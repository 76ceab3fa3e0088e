"""Strict JSON that keeps NaN and infinity: no browser and no other language stumbles over what kazami writes.

JSON knows no NaN. Here the three numbers it lacks are the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``; `loads` turns them back into floats.
A text that happens to be one of these words is written with a ``~`` in front, so every value comes back as it was.
"""

import json
import math
import re
from collections.abc import Mapping, Set
from dataclasses import asdict, is_dataclass
from typing import Any, SupportsFloat

import numpy as np

_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_LOOKS_LIKE_A_NUMBER = re.compile(r"~*(NaN|-?Infinity)")


def plain(value: Any) -> Any:
    """Return ``value`` as plain data: dicts with text keys, lists, text, numbers, booleans and ``None``; a copy, so later changes do not reach it.

    Args:
        value: Anything. NumPy numbers and arrays, dataclasses, sets, paths and what can be made a float are converted; the rest becomes its text.

    Example:
        >>> plain({"shape": (2, 3), 4: np.float32(0.5)})
        {'shape': [2, 3], '4': 0.5}
    """
    match value:
        case None | bool() | str():
            return value
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case int() | float():
            return value if type(value) in (int, float) else plain(value.real)  # an enum or other subclass becomes its number
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case Set():
            return sorted((plain(item) for item in value), key=str)
        case _:
            return _plain_object(value)


def _plain_object(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, SupportsFloat):
        try:
            return float(value)  # a tensor with one element, a Fraction, a Decimal
        except Exception:  # a tensor with more than one: its text will do
            return str(value)
    return str(value)


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Return strict JSON in one line (or indented).

    Args:
        value: Anything; `plain` is applied first.
        indent: Spaces a level, ``None`` for one line.

    Example:
        >>> dumps({"loss": float("nan"), "word": "NaN"})
        '{"loss": "NaN", "word": "~NaN"}'
    """
    return json.dumps(_without_nan(plain(value)), allow_nan=False, ensure_ascii=False, indent=indent)


def loads(text: str | bytes) -> Any:
    """Return the value that `dumps` wrote.

    Raises:
        ValueError: ``text`` is no JSON.

    Example:
        >>> loads('{"loss": "-Infinity", "word": "~NaN"}')
        {'loss': -inf, 'word': 'NaN'}
    """
    return _with_nan(json.loads(text))


def _without_nan(value: Any) -> Any:
    match value:
        case str():
            safe = _without_surrogates(value)
            return "~" + safe if _LOOKS_LIKE_A_NUMBER.fullmatch(safe) else safe
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case dict():
            return {_without_surrogates(key): _without_nan(item) for key, item in value.items()}
        case list():
            return [_without_nan(item) for item in value]
        case _:
            return value


def _without_surrogates(text: str) -> str:
    # a lone surrogate (an undecodable byte in a path) cannot be written as UTF-8
    return text.encode("utf-8", "replace").decode("utf-8")


def _with_nan(value: Any) -> Any:
    match value:
        case str():
            return _NUMBERS.get(value, value[1:] if value.startswith("~") and _LOOKS_LIKE_A_NUMBER.fullmatch(value) else value)
        case dict():
            return {key: _with_nan(item) for key, item in value.items()}
        case list():
            return [_with_nan(item) for item in value]
        case _:
            return value
