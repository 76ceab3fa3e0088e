"""Growth over time in decades, positive where the gradient explodes on its way back."""

import math

import pytest
import torch

from kazami.watch.observables.time_growth import TimeGrowth
from tests.watch.observables.sights import made


@pytest.mark.parametrize(("rate", "n_uses"), [(2.0, 10), (0.5, 10), (1.0, 5)])
def test_a_geometric_course_is_exact(rate, n_uses):
    gradients = [1e-3 * rate ** (n_uses - 1 - use) for use in range(n_uses)]  # first use first: backward reaches it last
    expected = math.log10(rate) * (n_uses - 1)
    assert TimeGrowth().measure(made(torch.ones(2, 2), "recurrent", output_gradients=gradients)) == pytest.approx(expected, abs=1e-9)


def test_three_uses_or_no_recurrence_say_nothing():
    assert math.isnan(TimeGrowth().measure(made(torch.ones(2, 2), "recurrent", output_gradients=[1.0, 2.0, 3.0])))
    assert math.isnan(TimeGrowth().measure(made(torch.ones(2, 2), output_gradients=[1.0, 2.0, 3.0, 4.0])))
