"""Strict JSON: what numpy and Python floats can say beyond it is said in strings, as in the stored runs."""

import json
import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Return ``value`` as data that strict JSON can hold.

    Arrays become lists, records become objects, NaN and the infinities become ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``, keys and anything else
    unknown become strings.

    >>> plain({"a": float("inf"), 2: (1, True, None)})
    {'a': 'Infinity', '2': [1, True, None]}
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and np.isfinite(value).all():
        return value.tolist()
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else _named(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    return str(value)


def _named(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


# In a script element "<" may end the element or open a comment that swallows it, "&" changes meaning in XHTML, and the two separators
# end a line in old JavaScript. Inside JSON all five can only stand in strings, where an escape means the same.
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def for_script(value: Any) -> str:
    r"""Return strict JSON that may stand inside a ``<script>`` element, whatever its strings say.

    >>> for_script("</script><!--")
    '"\\u003c/script\\u003e\\u003c!--"'
    """
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES)
