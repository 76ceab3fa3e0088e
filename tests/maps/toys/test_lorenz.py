"""The Lorenz flow."""

import math

import pytest
from scipy.integrate import solve_ivp

from kazami.maps.toys.lorenz import Lorenz
from tests.maps.properties import assert_toy_conforms


def test_conforms():
    assert_toy_conforms(Lorenz())


def test_the_fixed_point_stays():
    c = math.sqrt(8 / 3 * 27)
    m = Lorenz(state=(c, c, 27.0))
    assert m.advance(m.current_state(), 0).tolist() == pytest.approx([c, c, 27.0], abs=1e-12)


def test_is_a_step_of_the_flow():
    """Against SciPy's integrator at a tolerance far below the step's own error."""
    m = Lorenz(time_step=0.001)
    begin = m.current_state().numpy()

    def velocity(_, x):
        return [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]

    exact = solve_ivp(velocity, (0.0, 0.1), begin, method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
    assert m.orbit(m.current_state(), 100)[-1] == pytest.approx(exact, abs=1e-8)


def test_knows_its_time():
    assert Lorenz(time_step=0.005).time_per_step == 0.005
