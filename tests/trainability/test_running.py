"""Who trains the pixels."""

import numpy as np
import pytest

from kazami.errors import UnknownName
from kazami.trainability import Window, mean_field_problem
from kazami.trainability.reference import Reference
from kazami.trainability.running import Computer, chosen_runner


def test_the_reference_is_there_for_everybody():
    runner, why = chosen_runner(mean_field_problem(width=3, steps=3), "float64", "reference")
    assert runner.name == "reference"
    assert "as asked for" in why
    assert chosen_runner(mean_field_problem(width=3, steps=3), "float64")[1]
    with pytest.raises(UnknownName):
        chosen_runner(mean_field_problem(width=3, steps=3), "float64", "nobody")


def test_pixels_by_row_and_column():
    problem, window = mean_field_problem(width=3, steps=10), Window(x=(0.1, 10.0), y=(0.1, 10.0))
    x, y = window.coordinates(3)
    computer = Computer(problem, Reference(), "float64")
    found = computer.on_grid(x, y, window)(np.array([2, 0]), np.array([0, 1]))
    expected = Reference().run(problem, np.array([[x[0], y[2], 0.0], [x[1], y[0], 0.0]]), "float64").values()
    assert np.array_equal(found, expected)
    assert (computer.done, computer.asked, computer.is_interrupted) == (2, 2, False)
