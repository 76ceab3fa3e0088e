"""Exactly the samples that are not finite go, inputs and targets together."""

import pytest
import torch

from kazami.cures.clean_data import CleanData
from tests.cures.cases import bad, finding, prescribed, trace
from tests.cures.examples import (
    carried_example,
)
from tests.cures.trainings import plain, rows


@pytest.mark.parametrize("source", ["batch", "target"])
def test_bad_samples_are_left_out(source):
    inputs, target = torch.ones(4, 3), torch.ones(4)
    (inputs if source == "batch" else target)[2] = float("nan")
    scope = {"torch": torch, "inputs": inputs, "target": target}
    exec(prescribed(CleanData(), finding("nan_inf", step=7), trace(facts=bad("", source))).code, scope)
    assert scope["inputs"].shape == (3, 3)
    assert scope["target"].shape == (3,)
    assert torch.isfinite(scope["inputs"]).all()


def test_an_operation_is_no_datum():
    assert CleanData().prescribe(finding("nan_inf", step=7), trace(facts=bad("sqrt"))) is None


def test_bad_samples_leave_the_batches():
    after = carried_example(CleanData(), "modules")
    assert [len(x) for x, _ in after.batches()] == [7, 7, 8]
    assert all(torch.isfinite(x).all() and len(x) == len(y) for x, y in after.batches())


def test_targets_are_looked_at_where_they_are_to_blame_and_structures_are_followed():
    data = [((x, {"more": x}), y.clone()) for x, y in rows()]
    data[0][1][0] = float("nan")
    before = plain("modules", data=data)
    assert CleanData().apply(before, {"data": "inputs", "step": 1}) is None
    cleaned = list(CleanData().apply(before, {"data": "target", "step": 1}).batches())
    assert [(len(x), len(more["more"]), len(y)) for (x, more), y in cleaned] == [(7, 7, 7), (8, 8, 8), (8, 8, 8)]


def test_nothing_is_left_out_where_nothing_would_be_left():
    data = [(torch.full_like(x, float("nan")), y) for x, y in rows()]
    assert CleanData().apply(plain("modules", data=data), {"data": "inputs", "step": 1}) is None
    assert CleanData().apply(plain("modules"), {"data": "inputs", "step": 1}) is None
