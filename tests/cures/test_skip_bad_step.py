"""A bad gradient leaves the weights as they are, a good one does not."""

import pytest
import torch
from torch import nn

from kazami.cures.skip_bad_step import SkipBadStep
from tests.cures.cases import NORMS, finding, prescribed, trace


@pytest.mark.parametrize(
    ("name", "gradient", "is_stepped"),
    [
        ("nan_inf", float("nan"), False),
        ("nan_inf", 1.0, True),
        ("loss_spike", 100.0, False),
        ("loss_spike", 2.0, True),
    ],
)
def test_only_good_steps_are_taken(name, gradient, is_stepped):
    model = nn.Linear(1, 1, bias=False)
    before = float(model.weight.detach())
    model.weight.grad = torch.full((1, 1), gradient)
    code = prescribed(SkipBadStep(), finding(name, step=40, place="sqrt after 2"), trace(numbers=NORMS)).code
    exec(code, {"torch": torch, "model": model, "optimizer": torch.optim.SGD(model.parameters(), lr=0.1)})
    assert (float(model.weight.detach()) != before) is is_stepped


def test_after_a_storm_every_step_would_be_skipped():
    assert SkipBadStep().prescribe(finding("nan_inf", step=40, rank=60), trace()) is None
