"""Adam warms up over the memory of its second moment; a rate far above its limit gets no warm-up."""

import pytest

from kazami.cures.warm_up import WarmUp
from tests.cures.cases import ADAM, RATIO, finding, prescribed, trace
from tests.cures.examples import carried_example
from tests.cures.trainings import STYLES


@pytest.mark.parametrize("beta", [0.99, 0.999])
def test_adam_warms_up_over_the_memory_of_its_second_moment(beta):
    given = prescribed(WarmUp(), finding("lr_too_high", 5.0, RATIO), trace(optimizer=ADAM | {"betas": [0.9, beta]}))
    assert given.parameters["steps"] == round(2 / (1 - beta))
    assert 5.0 * given.parameters["start_factor"] <= 0.8


def test_far_above_the_limit_a_warm_up_does_not_reach():
    assert WarmUp().prescribe(finding("lr_too_high", 100.0, RATIO), trace()) is None


@pytest.mark.parametrize("style", STYLES)
def test_rates_rise_over_a_quarter_of_the_steps_at_most(style):
    after = carried_example(WarmUp(), style)
    state, rates = after.start(), []
    schedule = after.scheduler(state.optimizer)
    for _ in range(4):
        rates.append(state.optimizer.param_groups[0]["lr"])
        state.optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0.005, 0.0275, 0.05, 0.05])
