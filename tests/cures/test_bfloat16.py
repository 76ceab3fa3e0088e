"""The forward pass runs in a type with float32's range."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.bfloat16 import Bfloat16
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import (
    EXAMPLES,
    carried_example,
)
from tests.cures.trainings import STYLES, first_output, network, plain, rows, training


def test_the_type_has_the_range_of_float32():
    given = prescribed(Bfloat16(), finding("fp16_overflow"), trace())
    dtype = getattr(torch, given.parameters["dtype"])
    assert str(dtype) in given.code
    assert torch.finfo(dtype).max > 0.9 * torch.finfo(torch.float32).max


@pytest.mark.parametrize("style", STYLES)
def test_half_precision_becomes_bfloat16(style):
    after = carried_example(Bfloat16(), style)
    before, _ = EXAMPLES["bfloat16"](style)
    x = rows(1)[0][0]
    raw = before.start().model.net(x)
    assert torch.equal(first_output(before), raw.half().float())
    assert torch.equal(first_output(after), raw.bfloat16().float())


def test_a_model_in_float16_and_autocast_take_the_other_format():
    halves = training(lambda: network("modules").half(), lambda output, target: F.mse_loss(output.float(), target), [(x.half(), y) for x, y in rows()])
    after = Bfloat16().apply(halves.replaced(evaluate=None), {"dtype": "bfloat16"})
    assert {p.dtype for p in after.start().model.parameters()} == {torch.bfloat16}
    assert all(math.isfinite(loss) for loss in after.run().losses)

    seen = []

    class Cast(nn.Linear):
        def forward(self, x):
            with torch.autocast("cpu", dtype=torch.float16):
                y = super().forward(x)
            seen.append(y.dtype)
            return y.float()

    cast = Bfloat16().apply(training(lambda: Cast(3, 1), evaluate=None), {"dtype": "bfloat16"})
    seen.clear()
    cast.run()
    assert set(seen) == {torch.bfloat16}
    assert torch.get_autocast_dtype("cpu") is torch.bfloat16  # as torch has it by default


def test_float32_is_left_alone():
    assert Bfloat16().apply(plain("modules"), {"dtype": "bfloat16"}) is None
