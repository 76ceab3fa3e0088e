"""Updates smaller than the spacing of half-precision numbers."""

import math

import pytest
import torch

from kazami.watch.observables.lost_update_share import LostUpdateShare
from tests.watch.observables.sights import made


@pytest.mark.parametrize(("rate", "share"), [(1e-5, 1.0), (4e-4, 0.5), (0.1, 0.0)])
def test_the_share_follows_from_the_spacing(rate, share):
    """bfloat16 has a spacing of 2^-8 below 1 and of 2^-10 below 1/4: an update is lost below half of it."""
    before = torch.tensor([[1.0, 0.25]]).bfloat16()
    gradient = torch.ones(1, 2).bfloat16() * 2.5
    after = before - rate * gradient
    assert LostUpdateShare().measure(made(after, gradient=gradient, update=(after - before).reshape(-1))) == share


def test_entries_without_a_gradient_do_not_count():
    weight = torch.ones(1, 4).half()
    gradient = torch.tensor([[0.0, 0.0, 1e-6, 1.0]]).half()
    update = torch.tensor([0.0, 0.0, 0.0, -0.1]).half()
    assert LostUpdateShare().measure(made(weight, gradient=gradient, update=update)) == 0.5
    assert math.isnan(LostUpdateShare().measure(made(weight, gradient=torch.zeros(1, 4).half(), update=update)))


def test_float32_has_none():
    assert math.isnan(LostUpdateShare().measure(made(torch.ones(2, 2), gradient=torch.ones(2, 2), update=torch.zeros(4))))
