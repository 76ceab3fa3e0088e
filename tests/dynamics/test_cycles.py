"""Returns in the phase space."""

import numpy as np
import pytest
import torch

from kazami.dynamics.cycles import cycle, multiplier
from kazami.maps import Henon, Linear, Logistic

STEPS = np.arange(900)


def test_exact_and_approached_returns():
    assert cycle(np.stack([np.cos(2 * np.pi * STEPS / 7)], 1)).period == 7
    near = cycle(np.stack([np.cos(2 * np.pi * STEPS / 7) * (1 + 0.5 * 0.995**STEPS)], 1))
    assert (near.period, near.is_exact) == (7, False)


@pytest.mark.parametrize("fall", [0.99**STEPS, 1 / (1 + STEPS), (-0.99) ** STEPS, (-1.0) ** STEPS / np.sqrt(1 + STEPS), 0.99**STEPS * np.cos(STEPS)])
def test_coming_to_rest_is_a_period_of_one(fall):
    assert cycle(fall[:, None]).period == 1


@pytest.mark.parametrize("series", [np.cos(STEPS), np.random.default_rng(0).normal(size=900), 0.1 * STEPS, np.log(1.0 + STEPS) * 0 + STEPS**0.5])
def test_no_return_where_there_is_none(series):
    assert cycle(series[:, None]) is None


def test_batches_are_the_unit():
    assert cycle(np.stack([np.cos(2 * np.pi * STEPS / 6)], 1), unit=3).period == 6
    assert cycle(np.stack([np.cos(2 * np.pi * STEPS / 3)], 1), unit=3).period == 3


def test_multipliers_have_the_closed_forms():
    """Of the logistic two-cycle 4 + 2r - r²; of a linear map its larger eigenvalue; of a rotation none is real."""
    m = Logistic(r=3.2)
    state = torch.from_numpy(m.orbit(m.current_state(), 5000)[-1].copy())
    assert multiplier(m, state, 0, 2) == pytest.approx(4 + 2 * 3.2 - 3.2**2, abs=1e-9)
    assert multiplier(Linear(p1=-0.9, p2=0.5, shear=0.0), torch.zeros(2, dtype=torch.float64), 0, 1) == pytest.approx(-0.9, abs=1e-6)
    henon = Henon(a=0.2)
    fixed = torch.from_numpy(henon.orbit(henon.current_state(), 3000)[-1].copy())
    x = float(fixed[0])
    exact = max(np.linalg.eigvals(np.array([[-2 * 0.2 * x, 1.0], [0.3, 0.0]])), key=abs)
    assert multiplier(henon, fixed, 0, 1) == pytest.approx(exact.real, abs=1e-3)
