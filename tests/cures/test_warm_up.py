"""Adam warms up over the memory of its second moment; a rate far above its limit gets no warm-up."""

import pytest

from kazami.cures.warm_up import WarmUp
from tests.cures.cases import ADAM, RATIO, finding, prescribed, trace


@pytest.mark.parametrize("beta", [0.99, 0.999])
def test_adam_warms_up_over_the_memory_of_its_second_moment(beta):
    given = prescribed(WarmUp(), finding("lr_too_high", 5.0, RATIO), trace(optimizer=ADAM | {"betas": [0.9, beta]}))
    assert given.parameters["steps"] == round(2 / (1 - beta))
    assert 5.0 * given.parameters["start_factor"] <= 0.8


def test_far_above_the_limit_a_warm_up_does_not_reach():
    assert WarmUp().prescribe(finding("lr_too_high", 100.0, RATIO), trace()) is None
