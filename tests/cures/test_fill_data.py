"""Inputs are filled, targets never."""

import torch

from kazami.cures.fill_data import FillData
from tests.cures.cases import bad, finding, prescribed, trace


def test_all_inputs_are_finite_afterwards():
    scope = {"torch": torch, "inputs": torch.tensor([1.0, float("nan"), float("inf")])}
    exec(prescribed(FillData(), finding("nan_inf", step=7), trace(facts=bad("", "batch"))).code, scope)
    assert scope["inputs"].tolist() == [1.0, 0.0, 1.0]


def test_targets_are_not_made_up():
    assert FillData().prescribe(finding("nan_inf", step=7), trace(facts=bad("", "target"))) is None
