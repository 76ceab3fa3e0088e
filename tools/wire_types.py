"""Writes the page's types from the Python records: ``python tools/wire_types.py`` (``--check`` only says whether they are the same).

Read are ``kazami/reports/view_data.py`` and every ``kazami/app/wire*.py``; written is ``web/src/wire.ts``.
"""

import importlib
import json
import pkgutil
import sys
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

TARGET = Path(__file__).resolve().parent.parent / "web" / "src" / "wire.ts"
HEAD = "// Written by tools/wire_types.py from the Python records. Do not edit: change the record, then run the tool.\n"
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", Any: "unknown", object: "unknown"}


def typescript() -> str:
    """Return the whole file."""
    known: dict[str, str] = {}
    for module in modules():
        for kind in vars(module).values():
            if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.__name__:
                add(kind, known)
    parts = [HEAD, 'export type Num = number | "NaN" | "Infinity" | "-Infinity";\n', *(known[name] for name in sorted(known)), constants()]
    return "\n".join(parts)


def modules() -> list[types.ModuleType]:
    """Return the modules whose records cross."""
    import kazami.app

    names = sorted(file.name for file in pkgutil.iter_modules(kazami.app.__path__) if file.name.startswith("wire"))
    return [importlib.import_module(name) for name in ("kazami.reports.view_data", *(f"kazami.app.{name}" for name in names))]


def add(kind: type, known: dict[str, str]) -> None:
    """Add a record and what it refers to."""
    if kind.__name__ in known:
        return
    known[kind.__name__] = ""
    hints = get_type_hints(kind, include_extras=True)
    lines = [f"  {field.name}: {typed(hints[field.name], known)};" for field in fields(kind)]
    known[kind.__name__] = "\n".join([f"export interface {kind.__name__} {{", *lines, "}\n"])


def typed(hint: Any, known: dict[str, str]) -> str:
    """Return the type in the page."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return inner[1]
    if origin in (Union, types.UnionType):
        return " | ".join(typed(one, known) for one in inner)
    if origin is Literal:
        return " | ".join(json.dumps(one) for one in inner)
    if origin is list or (origin is tuple and inner[-1] is Ellipsis):
        text = typed(inner[0], known)
        return f"({text})[]" if " | " in text else f"{text}[]"
    if origin is tuple:
        return f"[{', '.join(typed(one, known) for one in inner)}]"
    if origin in (dict, Mapping):
        return f"Record<string, {typed(inner[1], known)}>"
    if isinstance(hint, type) and is_dataclass(hint):
        add(hint, known)
        return hint.__name__
    if hint in PLAIN:
        return PLAIN[hint]
    raise TypeError(f"{hint} has no type in the page")


def constants() -> str:
    """Return what the page must know before any run: the colours and the words of the wind."""
    from dataclasses import asdict

    from kazami.records.wind import SCALE
    from kazami.reports import palette

    colours = {"light": palette.stops(), "dark": palette.stops(is_dark=True), "limits": palette.LIMITS, "healthy": palette.HEALTHY, "nan": palette.NOT_FINITE}
    scale = [{"word": {"en": one.word, "ja": one.word_ja}, "symbol": asdict(one)["symbol"], "value": one.value} for one in SCALE]
    spelled = "{ light: [number, string][]; dark: [number, string][]; limits: [number, number]; healthy: [number, number]; nan: string }"
    return f"export const PALETTE: {spelled} = {json.dumps(colours)};\n\nexport const SCALE: WindWord[] = {json.dumps(scale, ensure_ascii=False)};\n"


if __name__ == "__main__":
    text = typescript()
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text else "web/src/wire.ts is out of date: python tools/wire_types.py")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
