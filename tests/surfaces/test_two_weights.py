"""Losses of two weights against closed forms and finite differences; formulas that are none."""

import numpy as np
import pytest
import torch

from kazami.errors import UsageError
from kazami.surfaces import critical_points, two_weight_surface
from kazami.surfaces.two_weights import LOSSES, NETWORKS, two_weights

POINTS = torch.tensor([[0.7, -1.2], [1.3, 0.4], [-0.9, -0.8]], dtype=torch.float64)


@pytest.mark.parametrize("name", [*NETWORKS, *LOSSES, "sin(w1)*exp(-w2) + sqrt(2 + w1^2)/3", "w2*gelu(w1*x + 1)"])
def test_gradient_and_hessian_are_those_of_central_differences(name):
    loss = two_weights(name)
    step = 1e-5
    for k in (0, 1):
        away = torch.zeros(2, dtype=torch.float64)
        away[k] = step
        slope = (loss.value(POINTS + away) - loss.value(POINTS - away)) / (2 * step)
        torch.testing.assert_close(loss.gradient(POINTS)[:, k], slope, rtol=1e-6, atol=1e-6)
        bend = (loss.gradient(POINTS + away) - loss.gradient(POINTS - away)) / (2 * step)
        torch.testing.assert_close(loss.hessian(POINTS)[:, :, k], bend, rtol=1e-5, atol=1e-5)


def test_a_network_on_data_is_half_the_mean_square():
    x, y = np.array([0.5, -1.0, 2.0]), np.array([0.1, 0.4, -0.3])
    found = two_weight_surface("tanh", data=(x, y), resolution=3, extent=(-1.0, 1.0, -2.0, 2.0))
    for row, w2 in enumerate((-2.0, 0.0, 2.0)):
        for column, w1 in enumerate((-1.0, 0.0, 1.0)):
            assert found.values[row, column] == pytest.approx(((w2 * np.tanh(w1 * x) - y) ** 2).mean() / 2, rel=1e-14)
    assert found.hidden.en.startswith("Nothing is hidden")


def test_a_sample_of_all_examples_has_the_whole_gradient():
    loss = two_weights("tanh")
    everything = torch.arange(loss.n_examples).expand(3, -1)
    torch.testing.assert_close(loss.sampled_gradient(POINTS, everything), loss.gradient(POINTS))
    one = loss.sampled_gradient(POINTS, torch.tensor([[4], [4], [4]]))
    assert not torch.allclose(one, loss.gradient(POINTS))


def test_a_function_of_ones_own_and_one_beyond_the_formulas():
    loss = two_weights(lambda w1, w2: torch.maximum(w1, w2))
    torch.testing.assert_close(loss.value(POINTS), POINTS.max(1).values)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("w1 +", "formula"),
        ("__import__('os')", "function"),
        ("w1.real", "none of them"),
        ("(lambda: w1)()", "none of them"),
        ("[w1][0]", "none of them"),
        ("foo(w1)", "function"),
        ("w1 + w3", "w3"),
        ("w1**1000", "power"),
        ("tanh(w1, w2)", "none of them"),
        ("doubel_well", "Did you mean"),
        ("w1 if w2 else 1", "none of them"),
        ("True * w1", "none of them"),
        ("w1*" * 300 + "w2", "formula"),
    ],
)
def test_what_is_no_formula_is_refused(formula, words):
    with pytest.raises(UsageError, match=words):
        two_weights(formula)


def test_data_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match="as many x as y"):
        two_weights("product", data=([1.0, 2.0], [1.0]))
    with pytest.raises(UsageError, match="no x"):
        two_weights("quadratic", data=([1.0], [1.0]))
    with pytest.raises(UsageError, match="two points"):
        two_weight_surface("quadratic", resolution=1)


def kinds(points):
    """Return (kind, w1, w2) of each, rounded."""
    return {(point.kind, round(point.w1, 6) + 0.0, round(point.w2, 6) + 0.0) for point in points}


def test_the_product_has_a_saddle_and_two_branches_of_degenerate_minima():
    points = critical_points("product", data=([1.0], [1.0]))  # L = (w1 w2 - 1)²/2
    (saddle,) = [point for point in points if point.kind == "saddle"]
    assert (saddle.w1, saddle.w2, saddle.loss) == pytest.approx((0.0, 0.0, 0.5), abs=1e-9)
    assert saddle.eigenvalues == pytest.approx((-1.0, 1.0))
    valley = [point for point in points if point.kind == "degenerate"]
    assert len(points) == len(valley) + 1
    assert {point.w1 > 0 for point in valley} == {True, False}
    for point in valley:
        assert point.w1 * point.w2 == pytest.approx(1.0, abs=1e-8)
        assert point.eigenvalues == pytest.approx((0.0, point.w1**2 + point.w2**2), abs=1e-6)  # the trace of H on the valley


def test_wells_saddles_and_hills_in_closed_form():
    assert kinds(critical_points("double_well")) == {("minimum", -1.0, 0.0), ("minimum", 1.0, 0.0), ("saddle", 0.0, 0.0)}
    assert kinds(critical_points("saddle")) == {("minimum", -1.0, 0.0), ("minimum", 1.0, 0.0), ("saddle", 0.0, 0.0)}
    assert kinds(critical_points("-w1^2 - 2*w2^2")) == {("maximum", 0.0, 0.0)}
    assert kinds(critical_points("bent_valley")) == {("minimum", 1.0, 1.0)}
    waves = critical_points("sin(w1)*sin(w2)", extent=(-2.0, 2.0, -2.0, 2.0))
    half = round(np.pi / 2, 6)
    hills = {("maximum", half, half), ("maximum", -half, -half)}
    assert kinds(waves) == {("saddle", 0.0, 0.0), ("minimum", half, -half), ("minimum", -half, half), *hills}


def test_an_uneven_double_well_has_its_roots_where_the_cubic_has():
    roots = np.sort(np.roots([1.0, 0.0, -1.0, 0.1]))  # w³ - w + 1/10
    points = sorted(critical_points("uneven_wells"), key=lambda point: point.w1)
    np.testing.assert_allclose([point.w1 for point in points], roots, atol=1e-9)
    assert [point.kind for point in points] == ["minimum", "saddle", "minimum"]
    assert points[0].loss < points[2].loss
    np.testing.assert_allclose([point.eigenvalues[0] for point in points], np.minimum(3 * roots**2 - 1, 1), atol=1e-8)


def test_four_minima_four_saddles_one_hill():
    found = [point.kind for point in critical_points("four_minima")]
    assert sorted(found) == ["maximum", *["minimum"] * 4, *["saddle"] * 4]


def test_a_higher_order_point_is_degenerate():
    (point,) = critical_points("w1^4 + w2^2")
    assert point.kind == "degenerate"
    assert (point.w1, point.w2) == pytest.approx((0.0, 0.0), abs=1e-3)


def test_level_points_outside_and_on_plateaus_are_not_listed():
    assert critical_points("double_well", extent=(0.5, 2.0, -1.0, 1.0))[0].w1 == pytest.approx(1.0)
    assert len(critical_points("double_well", extent=(0.5, 2.0, -1.0, 1.0))) == 1
    assert critical_points("w1 + w2") == []
    tanh = critical_points("tanh")
    assert [point.kind for point in tanh] == ["minimum", "minimum", "saddle"]
    assert tanh[0].w1 == pytest.approx(-tanh[1].w1)
