"""The trace without its series goes into run.json and comes back."""

import math
from dataclasses import replace

import numpy as np
import pytest

from kazami.records import Layer, Progress, Series, Trace
from kazami.storage import dumps, loads, trace_from_head, trace_head

PROGRESS = Progress(2.3, 2.2, 2.1, 2.30, 2.30, 0.04, 0.02, math.nan, False, False, 0.1, True)
TRACE = Trace(
    step=300,
    series={"loss": Series(np.arange(1, 3), np.array([1.0, math.nan]))},
    layers=(Layer("0", "linear", (3, 2), 2, 3, "sigmoid"), Layer("1", "conv", (3, 2, 1, 1), 2, 3, is_output=True)),
    facts={"softmax_before_cross_entropy": ["net.3"], "n": 3},
    optimizer={"name": "SGD", "learning_rate": 0.1},
    loss_kind="cross_entropy",
    trivial_loss=2.30,
    blind=("One module was compiled.",),
    settings={"seed": 1},
)


def test_trace_comes_back_through_json():
    back = trace_from_head(loads(dumps(trace_head(TRACE))), TRACE.series)
    assert back == TRACE


def test_progress_comes_back():
    back = trace_from_head(loads(dumps(trace_head(TRACE.replaced(progress=PROGRESS)))))
    assert back.progress is not None
    assert math.isnan(back.progress.pace)
    assert replace(back.progress, pace=0.0) == replace(PROGRESS, pace=0.0)


def test_series_are_not_in_the_head():
    assert "series" not in trace_head(TRACE)


def test_fields_of_a_later_version_are_left_out_and_missing_ones_have_defaults():
    head = {"weather": 1, "layers": [{"name": "0", "kind": "linear", "shape": [1], "fan_in": 1, "fan_out": 1, "colour": "red"}]}
    assert trace_from_head(head).layers == (Layer("0", "linear", (1,), 1, 1),)
    assert trace_from_head({}) == Trace(step=0)


@pytest.mark.parametrize("head", [{"layers": [3]}, {"layers": [{}]}, {"layers": 4}, {"progress": {"first": 1}}])
def test_nonsense_is_a_value_error(head):
    with pytest.raises(ValueError, match="not as kazami writes it"):
        trace_from_head(head)
