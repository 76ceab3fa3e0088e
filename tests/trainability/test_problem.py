"""The six conditions, and problems of one's own."""

import numpy as np
import pytest

from kazami.errors import UnknownName, UsageError
from kazami.trainability import CONDITIONS, mean_field_problem


@pytest.mark.parametrize(("condition", "points"), [("tanh", 20), ("relu", 20), ("linear", 4), ("minibatch", 20), ("single", 1), ("offset", 20)])
def test_as_many_points_as_the_paper_has(condition, points):
    problem = mean_field_problem(condition, width=4, steps=7)
    assert problem.inputs.shape == (points, 4)
    assert (problem.batches is not None) == (condition == "minibatch")
    assert set(CONDITIONS) == {"tanh", "relu", "linear", "minibatch", "single", "offset"}


def test_the_draws_are_normal_and_told():
    """Anybody can draw the same: hidden weights, output weights, inputs, targets, batches."""
    problem = mean_field_problem("minibatch", width=4, steps=7, seed=9)
    generator = np.random.default_rng(9)
    assert np.array_equal(problem.hidden, generator.standard_normal((4, 4)))
    assert np.array_equal(problem.output, generator.standard_normal(4))
    assert np.array_equal(problem.inputs, generator.standard_normal((20, 4)))
    assert np.array_equal(problem.targets, generator.standard_normal(20))
    assert np.array_equal(problem.batches, generator.integers(0, 20, (7, 16)))


def test_ones_own_arrays():
    problem = mean_field_problem(data=(np.ones((3, 2)), np.zeros((3, 1))), weights=(np.ones((2, 5)), np.ones((5, 1))), batches=[[0, 2]] * 4, steps=4)
    assert (problem.points, problem.hidden.shape, problem.output.shape) == (3, (2, 5), (5,))
    assert mean_field_problem(weights=(np.ones((2, 5)), np.ones(5))).inputs.shape == (15, 2)


def test_a_fingerprint_is_that_of_everything():
    first = mean_field_problem(width=3, steps=5)
    assert first.fingerprint() == mean_field_problem(width=3, steps=5).fingerprint()
    others = [mean_field_problem(width=3, steps=6), mean_field_problem(width=3, steps=5, seed=1), mean_field_problem("relu", width=3, steps=5)]
    others.append(mean_field_problem(width=3, steps=5, offset="every_step"))
    assert len({first.fingerprint(), *(other.fingerprint() for other in others)}) == 5


def test_refusals():
    with pytest.raises(UnknownName, match="tanh"):
        mean_field_problem("tahn")
    with pytest.raises(UsageError, match="targets"):
        mean_field_problem(data=(np.ones((3, 2)), np.ones(2)))
    with pytest.raises(UsageError, match="hidden"):
        mean_field_problem(data=(np.ones((3, 2)), np.ones(3)), weights=(np.ones((4, 4)), np.ones(4)))
    with pytest.raises(UsageError, match="batches"):
        mean_field_problem(width=2, steps=3, batches=[[0], [1]])
    with pytest.raises(UsageError, match="finite"):
        mean_field_problem(data=(np.full((3, 2), np.nan), np.ones(3)))
    with pytest.raises(UsageError, match="positive"):
        mean_field_problem(width=0)
