"""The distance from the start: |w₀| |1 - (1 - 2η)^t| for one weight."""

import math

import pytest

from kazami.sweeps import Sweep

from ..trainings import linear


def test_the_distance_is_that_of_the_closed_form():
    rows = Sweep(linear(), learning_rate=[0.1, 0.7]).run(record=["distance", "loss"], every=5).table.to_pylist()
    weight = math.sqrt(linear().run(steps=1).losses[0])
    for row in rows:
        assert row["distance"] == pytest.approx(weight * abs(1 - (1 - 2 * row["learning_rate"]) ** row["step"]), rel=1e-9, abs=1e-15)
