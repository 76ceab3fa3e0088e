"""Pixels in machine code against torch's."""

import numpy as np
import pytest

from kazami.trainability import mean_field_problem
from kazami.trainability.kernels import Kernels
from kazami.trainability.reference import Reference
from tests.trainability.naive import losses, measure

pytest.importorskip("llvmlite", reason="the extra fast")

RATES = np.stack([np.geomspace(1e-2, 1e3, 40), np.geomspace(1e-1, 1e3, 40), np.zeros(40)], axis=1)


@pytest.mark.parametrize("condition", ["tanh", "relu", "linear", "minibatch", "single"])
def test_they_agree_where_nothing_is_chaotic(condition):
    problem = mean_field_problem(condition, width=5, steps=30, seed=2)
    first, second = (runner.run(problem, RATES, "float64").values() for runner in (Kernels(), Reference()))
    assert ((first < 0) == (second < 0)).all()
    assert (np.abs(first / second - 1) < 1e-9).mean() > 0.8
    assert first[:10] == pytest.approx(second[:10], rel=1e-11)  # small rates


def test_a_pixel_is_the_plain_program_with_an_offset():
    problem = mean_field_problem("offset", width=4, steps=15)
    found = Kernels().run(problem, np.array([[0.5, 0.5, 0.7], [0.2, 2.0, -0.4]]), "float64").values()
    expected = [measure(losses(problem, (0.5, 0.5), 0.7)), measure(losses(problem, (0.2, 2.0), -0.4))]
    assert found == pytest.approx(expected, rel=1e-10)


def test_other_shapes():
    generator = np.random.default_rng(0)
    data, weights = (generator.normal(size=(7, 3)), generator.normal(size=7)), (generator.normal(size=(3, 6)), generator.normal(size=6))
    problem = mean_field_problem(data=data, weights=weights, steps=18)
    assert Kernels().run(problem, RATES[:12], "float64").values() == pytest.approx(Reference().run(problem, RATES[:12], "float64").values(), rel=1e-10)


def test_what_is_over_counts_as_the_clip():
    """A retired pixel has the sums that the reference finds without retiring anybody."""
    problem = mean_field_problem("linear", width=4, steps=100)
    rates = np.stack([np.geomspace(1e-1, 1e6, 64)] * 2 + [np.zeros(64)], axis=1)
    first, second = Kernels().run(problem, rates, "float32"), Reference().run(problem, rates, "float32", is_retiring=False)
    over = second.stopped_at >= 0
    assert 0.2 < over.mean() < 1.0
    assert ((first.stopped_at >= 0) == over).mean() > 0.95
    assert first.total[over] == pytest.approx(second.total[over], rel=0.05)
    assert first.inverse[over] == pytest.approx(second.inverse[over], rel=0.05)
    assert (first.tail[over] == 1e6).all()


def test_a_pixel_does_not_depend_on_its_neighbours():
    problem = mean_field_problem("tanh", width=6, steps=40)
    together = Kernels().run(problem, RATES, "float32").values()
    alone = np.concatenate([Kernels().run(problem, RATES[place : place + 1], "float32").values() for place in (0, 20, 39)])
    assert np.array_equal(together[[0, 20, 39]], alone)


def test_what_is_no_optimizer_step_is_refused():
    assert Kernels().refusal(mean_field_problem("offset", width=3, steps=3, offset="every_step"), "float64") is not None
    assert Kernels().refusal(mean_field_problem("offset", width=3, steps=3), "float64") is None
