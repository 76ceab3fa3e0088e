import importlib.util
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from tests.house.tree import ROOT

spec = importlib.util.spec_from_file_location("wire_types", ROOT / "tools" / "wire_types.py")
wire_types = importlib.util.module_from_spec(spec)
spec.loader.exec_module(wire_types)


def test_the_types_of_the_page_are_those_of_the_records():
    assert wire_types.TARGET.read_text(encoding="utf-8") == wire_types.typescript(), "run: python tools/wire_types.py"


@dataclass
class Inner:
    """A record inside another."""

    a: int


@dataclass
class Outer:
    """One field of each kind."""

    a: Inner
    b: list[Inner | None]
    c: Literal["x", "y"]
    d: Annotated[float, "Num"]
    e: dict[str, Any]
    f: tuple[int, str]


def test_each_kind_of_field_has_its_type():
    known = {}
    wire_types.add(Outer, known)
    text = known["Outer"]
    assert known["Inner"] == "export interface Inner {\n  a: number;\n}\n"
    for line in ("a: Inner;", "b: (Inner | null)[];", 'c: "x" | "y";', "d: Num;", "e: Record<string, unknown>;", "f: [number, string];"):
        assert line in text


def test_what_has_no_type_in_the_page_is_refused():
    with pytest.raises(TypeError, match="has no type in the page"):
        wire_types.typed(bytes, {})
