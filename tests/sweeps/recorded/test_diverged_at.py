"""The step of divergence: when w₀² (1 - 2η)^{2t} leaves the range of float64."""

import math

from kazami.sweeps import Sweep

from ..trainings import by_factors, linear


def test_a_member_diverges_when_its_closed_form_leaves_the_range():
    rate = 50.0
    found = by_factors(Sweep(linear(), learning_rate=[0.1, rate]).run(steps=120, record="diverged_at"), "diverged_at")
    first = linear().run(steps=1).losses[0]
    steps = (math.log(1.7976931348623157e308) - math.log(first)) / (2 * math.log(abs(1 - 2 * rate)))
    assert math.isnan(found[(0.1,)])
    assert found[(rate,)] == math.ceil(steps)
