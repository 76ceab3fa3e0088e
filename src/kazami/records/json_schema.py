"""From records to JSON Schema: what a document of ``--json`` holds, with the words of the records' docstrings."""

import re
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NUMBER = {
    "description": "A number; those that JSON cannot say are the strings NaN, Infinity and -Infinity.",
    "anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}],
}
PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"$ref": "#/$defs/Number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}
MAY_BE_ABSENT = "may be absent"  # Annotated[..., MAY_BE_ABSENT]: the key is not always there


@dataclass(frozen=True, slots=True)
class Key:
    """``Annotated[..., Key("x·w+b")]``: what the key is called, where it is no name of Python's.

    Attributes:
        name: The key.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Shown:
    """``Annotated[Record, Shown(...)]``: how a record stands in a document, where not as it is.

    Attributes:
        or_null: Whether numbers that are not finite are written as ``null``.
        without: Fields that are not written.
        always: The fields that are always written; ``None`` for all.
    """

    or_null: bool = False
    without: tuple[str, ...] = ()
    always: tuple[str, ...] | None = None


_AS_IT_IS = Shown()
_ATTRIBUTE = re.compile(r"^( {4,8})(\w+): (.*)$")


def schema_of(record: type, name: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one document.

    Objects may hold more than is said: later versions of the same ``"schema"`` number only add.

    Args:
        record: The dataclass that describes it.
        name: Its name, part of the schema's identifier.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass
        ... class Point:
        ...     '''A point.
        ...
        ...     Attributes:
        ...         x: Its place.
        ...     '''
        ...
        ...     x: float
        >>> schema_of(Point, "point")["properties"]
        {'x': {'$ref': '#/$defs/Number', 'description': 'Its place.'}}
    """
    known: dict[str, Any] = {"Number": NUMBER}
    body = _object(record, known)
    return {"$schema": DIALECT, "$id": f"urn:kazami:schema:{name}:1", "title": name, **body, "$defs": dict(sorted(known.items()))}


def _object(record: type, known: dict[str, Any], shown: Shown = _AS_IT_IS) -> dict[str, Any]:
    hints = get_type_hints(record, include_extras=True)
    said = {name: text for kind in reversed(record.__mro__) for name, text in _attributes(kind.__doc__ or "").items()}
    properties, required = {}, []
    for name in (field.name for field in fields(record) if field.name not in shown.without):
        notes = getattr(hints[name], "__metadata__", ())
        key = next((note.name for note in notes if isinstance(note, Key)), name)
        properties[key] = {**_typed(hints[name], known, shown), **({"description": said[name]} if name in said else {})}
        if MAY_BE_ABSENT not in notes and (shown.always is None or name in shown.always):
            required.append(key)
    return {"description": _first_sentence(record.__doc__ or ""), "type": "object", "properties": properties, "required": required}


def _typed(hint: Any, known: dict[str, Any], shown: Shown = _AS_IT_IS) -> dict[str, Any]:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _typed(inner[0], known, next((note for note in inner[1:] if isinstance(note, Shown)), shown))
    if origin is ClassVar:
        return _typed(inner[0], known, shown)
    if origin in (Union, types.UnionType):
        forms = [_typed(one, known, shown) for one in inner]
        flat = [part for form in forms for part in (form["anyOf"] if set(form) == {"anyOf"} else [form])]
        return {"anyOf": [part for place, part in enumerate(flat) if part not in flat[:place]]}
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is list or (origin is tuple and inner[-1] is Ellipsis):
        return {"type": "array", "items": _typed(inner[0], known, shown)}
    if origin is tuple:
        return {"type": "array", "prefixItems": [_typed(one, known, shown) for one in inner], "minItems": len(inner), "maxItems": len(inner)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _typed(inner[1], known, shown)}
    if isinstance(hint, type) and is_dataclass(hint):
        return _referred(hint, known, shown)
    if hint is float and shown.or_null:
        return {"anyOf": [dict(PLAIN[float]), dict(PLAIN[type(None)])]}
    if hint in PLAIN:
        return dict(PLAIN[hint])
    raise TypeError(f"{hint} has no form in JSON Schema")


def _referred(record: type, known: dict[str, Any], shown: Shown) -> dict[str, Any]:
    """Describe a record once; one name for two things is a mistake of the descriptions."""
    if record.__name__ not in known:
        known[record.__name__] = {}  # a record may hold itself
        known[record.__name__] = _object(record, known, shown)
    elif known[record.__name__] and known[record.__name__] != _object(record, dict(known), shown):
        raise TypeError(f"{record.__name__} is described in two ways in one document")
    return {"$ref": f"#/$defs/{record.__name__}"}


def _attributes(docstring: str) -> dict[str, str]:
    """Return the texts of the section ``Attributes``, one for each name, without the marks of reStructuredText."""
    _, _, section = docstring.partition("Attributes:\n")
    found: dict[str, str] = {}
    name, depth = "", 0
    for line in section.splitlines():
        match = _ATTRIBUTE.match(line)
        if match is not None and (not depth or len(match[1]) == depth):
            name, depth = match[2], len(match[1])
            found[name] = match[3]
        elif not line.strip() or len(line) - len(line.lstrip()) < depth:
            break
        elif name:
            found[name] += " " + line.strip()
    return {name: _without_marks(text) for name, text in found.items()}


def _first_sentence(docstring: str) -> str:
    return _without_marks(docstring.strip().partition("\n")[0])


def _without_marks(text: str) -> str:
    return re.sub(r"``(\"?)([^`]*)``", lambda match: match[1] + match[2], re.sub(r":\w+:`~?([^`]*)`", r"\1", text)).replace("`", "")
