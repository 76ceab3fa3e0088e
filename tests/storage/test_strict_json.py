"""JSON that every parser accepts, and that gives back what was put in."""

import json
import math
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from kazami.storage.strict_json import dumps, loads, plain


def refuse(word):
    raise AssertionError(f"{word} is no JSON")


@pytest.mark.parametrize(
    "value",
    [
        math.inf,
        -math.inf,
        [1.5, None, True, -3],
        {"a": {"b": [math.inf, "x"]}},
        "NaN",
        "-Infinity",
        "~NaN",
        "~~Infinity",
        "~",
        "風見",
        "line\nbreak",
        {"NaN": 1},
    ],
)
def test_value_comes_back_through_strict_json(value):
    text = dumps(value)
    json.loads(text, parse_constant=refuse)
    assert "\n" not in text
    assert loads(text) == value


def test_nan_comes_back():
    assert math.isnan(loads(dumps({"x": [math.nan]}))["x"][0])


def test_odd_objects_become_plain():
    @dataclass
    class Point:
        x: float

    class Level(IntEnum):
        HIGH = 3

    odd = {
        "array": np.arange(3),
        "number": np.float32(0.5),
        "nan": np.float64("nan"),
        "set": {2, 1},
        "path": Path("a/b"),
        "point": Point(1.0),
        "level": Level.HIGH,
        "half": Fraction(1, 2),
        "type": int,
        ("a", 1): (1,),
    }
    result = loads(dumps(odd))
    assert math.isnan(result.pop("nan"))
    assert result == {
        "array": [0, 1, 2],
        "number": 0.5,
        "set": [1, 2],
        "path": "a/b",
        "point": {"x": 1.0},
        "level": 3,
        "half": 0.5,
        "type": "<class 'int'>",
        "('a', 1)": [1],
    }


def test_undecodable_path_can_be_written():
    name = b"train-\xff.py".decode("utf-8", "surrogateescape")
    assert loads(dumps({name: name}).encode()) == {"train-?.py": "train-?.py"}


def test_plain_is_a_copy():
    value = {"a": [1]}
    copy = plain(value)
    value["a"].append(2)
    assert copy == {"a": [1]}
