"""The loss of each step: the closed form w₀² (1 - 2η)^{2t}."""

import pytest

from kazami.sweeps import Sweep

from ..trainings import linear


def test_the_losses_are_those_of_the_closed_form_at_the_steps_kept():
    found = Sweep(linear(), learning_rate=[0.1, 0.6]).run(record="loss", every=7)
    first = linear().run(steps=1).losses[0]
    rows = found.table.to_pylist()
    assert sorted({row["step"] for row in rows}) == [0, 7, 14, 21, 28, 29]
    for row in rows:
        assert row["loss"] == pytest.approx(first * (1 - 2 * row["learning_rate"]) ** (2 * row["step"]), rel=1e-9)


def test_a_long_training_has_a_bounded_number_of_rows():
    assert Sweep(linear(), learning_rate=[0.1]).run(steps=1500, record="loss").table.num_rows <= 201
