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


def test_the_doublings_of_a_training_are_at_the_exact_places():
    """The period doubles at 1 and at √5 - 1; every interval holds the truth, the estimates come within 1e-4."""
    found = bifurcation_diagram(square(0.1), "learning_rate", np.linspace(0.95, 1.27, 97), transient=800, keep=160, observe=0)
    doublings = [point for point in found.points() if point.kind == "doubling"]
    for point, truth in zip(doublings, (1.0, 5**0.5 - 1), strict=True):
        assert point.low <= truth <= point.high
        assert point.estimate == pytest.approx(truth, abs=1e-4)
    below = found.values < 0.99
    assert found.exponents[below] == pytest.approx(np.log(np.abs(1 - 2 * found.values[below])), abs=1e-4)


def test_changes_are_located():
    found = bifurcation_diagram(CubicDescent(), "a", np.linspace(1.1, 1.35, 40), transient=1000, keep=240)
    closer = found.located(2, most=1)
    first, second = found.points()[0], closer.points()[0]
    assert second.low <= 5**0.5 - 1 <= second.high
    assert second.high - second.low < (first.high - first.low) / 4
    assert np.all(np.diff(closer.values) > 0)


def test_a_window_is_computed_anew():
    found = bifurcation_diagram(CubicDescent(), "a", np.linspace(0.9, 1.9, 50), transient=300, keep=40)
    part = found.refine(1.30, 1.32, 0.6, 0.9, members=30)
    assert (part.values[0], part.values[-1], len(part.values)) == (1.30, 1.32, 30)
    counts, ends = part.density(rows=20)
    inside = (part.observed >= 0.6) & (part.observed <= 0.9)
    assert ends == (0.6, 0.9)
    assert counts.sum() == inside.sum() > 0
    with pytest.raises(UsageError, match="window"):
        found.refine(2.0, 1.0)


def test_density_counts_every_point():
    found = bifurcation_diagram(CubicDescent(), "a", np.linspace(0.9, 2.1, 50), transient=300, keep=40)
    assert found.density()[0].sum() == found.n_points == np.isfinite(found.observed).sum()
    assert found.density(columns=7)[0].shape == (400, 7)


def test_chaos_has_the_exponent_of_the_closed_form():
    """Chebyshev's third polynomial: ln 3 just below a = 2."""
    found = bifurcation_diagram(CubicDescent(), "a", [1.5, 2.0], transient=100, keep=4000)
    assert found.exponents[1] == pytest.approx(np.log(3), abs=0.03)
    assert found.letters() == "XX"


def test_ctrl_c_leaves_a_thinner_diagram():
    def interrupt(done):
        if done >= 300:
            raise KeyboardInterrupt

    values = np.linspace(0.9, 1.9, 512)
    found = bifurcation_diagram(CubicDescent(), "a", values, transient=100, keep=30, progress=interrupt)
    assert not found.is_complete
    assert len(found.values) == 256
    assert np.diff(found.values).max() < 8 * (values[1] - values[0])
    assert found.values[-1] - found.values[0] > 0.98
    whole = bifurcation_diagram(CubicDescent(), "a", values, transient=100, keep=30)
    assert np.array_equal(found.observed, whole.observed[np.isin(whole.values, found.values)], equal_nan=True)


def test_losses_over_decades_are_shown_by_their_logarithm(tmp_path):
    found = bifurcation_diagram(square(0.1), "learning_rate", np.linspace(0.6, 1.2, 8), transient=20, keep=16)
    assert found.is_logarithmic
    save_figure(found.figure(), str(tmp_path / "d.svg"))
    with np.load(found.save(str(tmp_path / "d.npz"))) as held:
        assert np.array_equal(held["observed"], found.observed)
    with pytest.raises(UsageError, match="npz"):
        found.save("d.txt")
