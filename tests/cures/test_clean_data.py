"""Exactly the samples that are not finite go, inputs and targets together."""

import pytest
import torch

from kazami.cures.clean_data import CleanData
from tests.cures.cases import bad, finding, prescribed, trace


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
