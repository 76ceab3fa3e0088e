"""Bifurcation diagrams of a map and of the training that is the same map."""

import numpy as np
import pytest

from kazami.dynamics import bifurcation_diagram
from kazami.errors import UsageError
from kazami.maps import CubicDescent, Henon
from kazami.reports.figures import save_figure
from tests.dynamics.test_regimes import square

VALUES = [0.7, 0.97, 1.1, 1.25, 1.29, 2.3]
PERIODS = [1, 1, 2, 4, 8, -1]


def test_periods_of_the_map():
    found = bifurcation_diagram(CubicDescent(), "a", VALUES, transient=3000)
    assert found.periods().tolist() == PERIODS
    assert found.observed.shape == (6, 200)
    assert np.isnan(found.observed[-1]).all()


def test_periods_of_the_training_all_rates_at_once():
    found = bifurcation_diagram(square(0.1), "learning_rate", VALUES, transient=900)
    assert found.periods().tolist() == PERIODS
    assert found.how.startswith("batched")


def test_the_two_cycle_is_where_algebra_puts_it():
    """Its points satisfy x² + x'² = 1 + 1/a and x x' = 1/a."""
    found = bifurcation_diagram(square(0.1), "learning_rate", [1.1, 1.12, 1.15, 1.2], transient=300, keep=40, observe=0)
    for rate, row in zip(found.values, found.observed, strict=True):
        assert row[-1] * row[-2] == pytest.approx(1 / rate, abs=1e-9)
        assert row[-1] ** 2 + row[-2] ** 2 == pytest.approx(1 + 1 / rate, abs=1e-9)


def test_the_map_stays_as_it_was():
    m = CubicDescent(a=1.7)
    before = m.current_state()
    bifurcation_diagram(m, "a", [0.5, 0.6], transient=10, keep=5)
    assert m.current_parameters()["a"] == 1.7
    assert m.current_state() == before


def test_a_function_of_the_state_is_observed():
    found = bifurcation_diagram(Henon(), "a", [0.2], observe=lambda state: float(state[0] - state[1]), transient=2000, keep=50)
    x = (-0.7 + np.sqrt(0.49 + 0.8)) / 0.4  # the fixed point of x' = 1 - a x² + y, y' = b x
    assert found.observed[0, -1] == pytest.approx(x - 0.3 * x, abs=1e-9)


def test_what_cannot_be_is_refused():
    with pytest.raises(UsageError, match="no loss"):
        bifurcation_diagram(CubicDescent(), "a", [1.0], observe="loss")
    with pytest.raises(UsageError):
        bifurcation_diagram(CubicDescent(), "b", [1.0])


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_picture(tmp_path, language):
    found = bifurcation_diagram(CubicDescent(), "a", np.linspace(0.6, 1.3, 15), transient=2000)
    figure = found.figure(language=language)
    assert "0.95" in figure.axes[0].get_title(loc="left")
    save_figure(figure, str(tmp_path / "diagram.svg"))
