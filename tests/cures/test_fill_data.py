"""Inputs are filled, targets never."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.fill_data import FillData
from tests.cures.cases import bad, finding, prescribed, trace
from tests.cures.examples import EXAMPLES, holed
from tests.cures.trainings import STYLES, carried_out, rows, training


def test_all_inputs_are_finite_afterwards():
    scope = {"torch": torch, "inputs": torch.tensor([1.0, float("nan"), float("inf")])}
    exec(prescribed(FillData(), finding("nan_inf", step=7), trace(facts=bad("", "batch"))).code, scope)
    assert scope["inputs"].tolist() == [1.0, 0.0, 1.0]


def test_targets_are_not_made_up():
    assert FillData().prescribe(finding("nan_inf", step=7), trace(facts=bad("", "target"))) is None


@pytest.mark.parametrize("style", STYLES)
def test_the_model_fills_what_it_is_given(style):
    before, parameters = EXAMPLES["fill_data"](style)
    after = carried_out(FillData(), before, **parameters)
    x = holed()[0][0]
    expected = before.start().model(torch.where(torch.isnan(x), 0.0, x))
    torch.testing.assert_close(after.start().model(x), expected)


def test_what_the_model_itself_makes_infinite_is_filled_before_the_first_layer():
    class Logged(nn.Linear):
        def forward(self, x):
            return super().forward(torch.log(x.relu()))

    after = carried_out(FillData(), training(lambda: Logged(3, 1)), value=0.0)
    model, x = after.start().model, rows(1)[0][0]
    logs = torch.log(x.relu())
    expected = F.linear(torch.where(torch.isinf(logs), logs[torch.isfinite(logs)].min(), logs), model.weight, model.bias)
    torch.testing.assert_close(model(x), expected)


def test_masks_that_are_infinite_on_purpose_stay():
    class Attending(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention, self.head = nn.MultiheadAttention(2, 1, batch_first=True), nn.Linear(2, 1)

        def forward(self, x):
            x = x[:, :, None].expand(-1, -1, 2)
            mask = torch.full((3, 3), float("-inf")).triu(1)
            return self.head(self.attention(x, x, x, attn_mask=mask, need_weights=False)[0][:, -1])

    assert FillData().apply(training(Attending), {"value": 0.0}) is None
