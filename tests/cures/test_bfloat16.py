"""The forward pass runs in a type with float32's range."""

import torch

from kazami.cures.bfloat16 import Bfloat16
from tests.cures.cases import finding, prescribed, trace


def test_the_type_has_the_range_of_float32():
    given = prescribed(Bfloat16(), finding("fp16_overflow"), trace())
    dtype = getattr(torch, given.parameters["dtype"])
    assert str(dtype) in given.code
    assert torch.finfo(dtype).max > 0.9 * torch.finfo(torch.float32).max
