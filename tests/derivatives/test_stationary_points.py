"""One neuron has several stationary points, each of them exact."""

import json

import numpy as np
import pytest
import torch

from kazami.derivatives import no_closed_form
from kazami.errors import UsageError
from kazami.reports.figures import save_figure

FOUND = no_closed_form()


def loss_of(x, y, squash=True):
    def loss(theta):
        total = theta[0] * torch.from_numpy(x) + theta[1]
        return (((torch.tanh(total) if squash else total) - torch.from_numpy(y)) ** 2).mean()

    return loss


def test_there_are_two_different_minima_and_more():
    assert len(FOUND.minima) >= 2
    assert len({round(point.loss, 6) for point in FOUND.minima}) == len(FOUND.minima)
    assert any(point.kind == "saddle" for point in FOUND.points)


@pytest.mark.parametrize("point", FOUND.points, ids=lambda point: f"{point.kind} {point.loss:.3f}")
def test_gradient_and_hessian_are_autograds(point):
    theta = torch.tensor([point.w, point.b], dtype=torch.float64)
    loss = loss_of(FOUND.x, FOUND.y)
    gradient = torch.autograd.functional.jacobian(loss, theta)
    assert float(gradient.norm()) < 1e-10
    assert loss(theta).item() == pytest.approx(point.loss, abs=1e-14)
    values = np.linalg.eigvalsh(torch.autograd.functional.hessian(loss, theta).numpy())
    np.testing.assert_allclose(values, point.eigenvalues, atol=1e-12)
    assert (values[0] > 0) == (point.kind == "minimum")


def test_descent_from_near_each_minimum_stays_there():
    for point in FOUND.minima:
        theta = torch.tensor([point.w + 1e-3, point.b - 1e-3], dtype=torch.float64)
        for _ in range(400):
            theta = theta - 0.5 / point.eigenvalues[1] * torch.autograd.functional.jacobian(loss_of(FOUND.x, FOUND.y), theta)
        assert loss_of(FOUND.x, FOUND.y)(theta).item() == pytest.approx(point.loss, abs=1e-6)


def test_the_linear_case_has_one_point_and_a_linear_gradient():
    assert FOUND.linear_point.gradient_norm < 1e-12
    assert FOUND.linear_defect < 1e-14
    assert FOUND.defect > 0.1
    slope, shift = np.polyfit(FOUND.x, FOUND.y, 1)
    assert (FOUND.linear_point.w, FOUND.linear_point.b) == pytest.approx((slope, shift))


def test_own_data_can_be_given_and_must_fit():
    x = np.linspace(-1, 1, 5)
    found = no_closed_form(x, np.tanh(0.7 * x - 0.2))
    assert found.points[0].loss < 1e-20
    assert (found.points[0].w, found.points[0].b) == pytest.approx((0.7, -0.2))
    with pytest.raises(UsageError, match="one shape"):
        no_closed_form([1.0, 2.0], [1.0])


def test_it_is_plain_data_and_a_figure(tmp_path):
    assert len(json.loads(json.dumps(FOUND.to_dict()))["points"]) == len(FOUND.points)
    for language in ("en", "ja"):
        save_figure(FOUND.figure(language), str(tmp_path / f"{language}.svg"))
    assert str(len(FOUND.points)) in FOUND.sentence.ja
