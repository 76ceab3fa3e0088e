"""Only where the rate falls at nearly every step and ends early."""

import numpy as np
import pytest

from kazami.cures.slower_schedule import SlowerSchedule
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import carried_out, plain, rows


def test_a_rate_that_falls_at_every_batch_is_stepped_too_often():
    seen = trace(numbers={"learning_rate": 0.1 * 0.8 ** np.arange(100)})
    assert "epochs" in prescribed(SlowerSchedule(), finding("dead_schedule", step=30), seen).code


def test_a_rate_that_falls_in_a_few_large_steps_is_not():
    seen = trace(numbers={"learning_rate": np.repeat([0.1, 1e-3, 1e-5], 33)})
    assert SlowerSchedule().prescribe(finding("dead_schedule", step=67), seen) is None


def test_an_end_at_the_end_is_meant():
    seen = trace(numbers={"learning_rate": 0.1 * 0.9 ** np.arange(100)})
    assert SlowerSchedule().prescribe(finding("dead_schedule", step=95), seen) is None


def test_the_schedule_goes_on_once_a_pass():
    before, parameters = EXAMPLES["slower_schedule"]("modules")
    after = carried_out(SlowerSchedule(), before, **parameters)
    long = before.replaced(batches=lambda: rows(20))
    state = (changed := SlowerSchedule().apply(long, parameters)).start()
    schedule = changed.scheduler(state.optimizer)
    for _ in range(39):
        state.optimizer.step()
        schedule.step()
    assert state.optimizer.param_groups[0]["lr"] == pytest.approx(0.025)
    assert after.run().optimizer.param_groups[0]["lr"] == 0.05
    assert SlowerSchedule().apply(plain("modules"), parameters) is None


@pytest.mark.parametrize(("batches", "is_prescribed"), [(57, True), (10, False), (None, False)])
def test_a_staircase_that_falls_several_times_within_an_epoch_was_meant_for_epochs(batches, is_prescribed):
    rates = [0.05 * 0.5 ** (step // 5) for step in range(300)]
    facts = {} if batches is None else {"epoch": {"first": 1, "batches": batches}}
    seen = trace(step=300, numbers={"learning_rate": rates}, facts=facts)
    assert (SlowerSchedule().prescribe(finding("dead_schedule", step=51), seen) is not None) is is_prescribed
