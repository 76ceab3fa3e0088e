"""What a browser sends is plain data within limits, or refused with one sentence."""

import json

import pytest

from kazami.errors import UsageError
from kazami.playground import PRESETS, Block, Spec, read_spec


@pytest.mark.parametrize("preset", PRESETS, ids=lambda one: one.name)
def test_what_is_written_is_read_again(preset):
    assert read_spec(json.loads(json.dumps(preset.spec.to_dict()))) == preset.spec


def test_nothing_given_is_the_first_session():
    assert read_spec({}) == Spec()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "object"),
        ({"task": "import os"}, "task"),
        ({"tasks": "xor"}, "task"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"learning_rate": "0.1"}, "learning_rate"),
        ({"learning_rate": True}, "learning_rate"),
        ({"samples": 1e9}, "samples"),
        ({"samples": 20.5}, "whole"),
        ({"seed": -1}, "seed"),
        ({"seed": 10**400}, "seed"),
        ({"clip": 0}, "clip"),
        ({"is_linear": 1}, "is_linear"),
        ({"blocks": "linear"}, "blocks"),
        ({"blocks": [{"kind": "linear", "width": 129}]}, r"width at blocks\[0\]"),
        ({"blocks": [{"kind": "linear", "width": 4, "code": "x"}]}, "code"),
        ({"blocks": [{"kind": "activation", "name": "__import__"}]}, r"blocks\[0\]"),
        ({"blocks": [{"kind": "norm", "name": "tanh"}]}, "norm"),
        ({"blocks": [{}]}, "kind"),
        ({"blocks": [{"kind": "linear"}] * 65}, "64"),
        ({"blocks": [{"kind": "residual", "blocks": [{"kind": "linear"}] * 50}] * 2}, "64"),
        ({"blocks": [{"kind": "residual", "blocks": [{"kind": "residual", "blocks": [{"kind": "residual"}]}]}]}, "deeper"),
    ],
)
def test_what_is_out_of_bounds_is_refused(data, said):
    with pytest.raises(UsageError, match=said):
        read_spec(data)


def test_a_normalisation_without_a_name_is_a_layer_norm():
    assert read_spec({"blocks": [{"kind": "norm"}]}).blocks == (Block("norm", name="layer"),)
