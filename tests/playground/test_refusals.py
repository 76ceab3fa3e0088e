"""Refusals: a whole sentence in each language."""

import re

import pytest

from kazami.errors import UnknownName, UsageError
from kazami.playground.curves import activation_curve
from kazami.playground.reading import read_spec
from kazami.playground.refusals import Refused, UnknownWord
from kazami.playground.tables import read_csv

LINEAR = {"kind": "linear", "width": 4}
DEEP = {"kind": "residual", "blocks": [{"kind": "residual", "blocks": [{"kind": "residual", "blocks": [{"kind": "residual", "blocks": []}]}]}]}
SPECS = [
    [1, 2],
    {"task": "teapot"},
    {"nothing": 1},
    {"samples": 10**9},
    {"samples": 20.5},
    {"learning_rate": "fast"},
    {"is_linear": "yes"},
    {"blocks": "many"},
    {"blocks": [LINEAR] * 10_000},
    {"blocks": [DEEP]},
    {"blocks": [{"kind": "linear", "width": 0}]},
    {"blocks": [{"kind": "magic"}]},
    {"blocks": [{"kind": "activation", "name": "rleu"}]},
    {"blocks": [{**LINEAR, "colour": "red"}]},
    {"blocks": [{"kind": "residual", "shortcut": "tunnel", "blocks": []}]},
]
TABLES = [
    "a,b\n1,2",
    "a,b\n" + "1,2\n" * 9 + "1,2,3\n",
    "a,b\n" + "x,2\n" * 9,
    "a,b\n" + "1,\n" * 9,
    "a,b\n" + "\n".join(f"{i},word{i}" for i in range(90)),
    "a,b\n" + "1e200,0.5\n" * 5 + "-1e200,0.7\n" * 5,
    'a,b\n"1,2',
    ",".join("abcdefghijklmnopqrstuvwxyz" * 20) + "\n" + ("1," * 519 + "1\n") * 9,
    "a,b\n" + "1,2\n" * 600_000,
]


def said(function, data):
    with pytest.raises(UsageError) as caught:
        function(data)
    assert isinstance(caught.value, Refused | UnknownWord), caught.value
    return caught.value.say


@pytest.mark.parametrize(("function", "data"), [(read_spec, data) for data in SPECS] + [(read_csv, text) for text in TABLES], ids=lambda data: str(data)[:24])
def test_the_japanese_sentence_is_japanese_and_names_the_same_numbers(function, data):
    say = said(function, data)
    words = re.findall(r"[A-Za-z]{2,}(?: [A-Za-z]{2,}){2,}", say.ja)  # three English words in a row are an English sentence
    assert words == []
    assert any("\u3040" <= letter <= "\u9fff" for letter in say.ja)
    numbers = [set(re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", text)) for text in (say.en.replace("eight", "8").replace("two columns", "2 columns"), say.ja)]
    assert numbers[0] == numbers[1]


def test_an_unknown_name_has_the_closest_one():
    with pytest.raises(UnknownName, match=r'Did you mean "sigmoid"\?') as caught:
        activation_curve("sigmod")
    assert "「sigmoid」" in caught.value.say.ja
