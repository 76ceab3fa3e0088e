"""The floor is a tenth of the largest rate, and holds."""

import pytest
import torch

from kazami.cures.schedule_floor import ScheduleFloor
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import (
    carried_example,
)
from tests.cures.trainings import plain


def test_the_rate_stays_at_a_tenth_of_its_largest():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-9)
    seen = trace(numbers={"learning_rate": [0.3, 0.1, 1e-9]})
    exec(prescribed(ScheduleFloor(), finding("dead_schedule", step=3), seen).code, {"optimizer": optimizer})
    assert 0.1 * 0.3 * 0.9 < optimizer.param_groups[0]["lr"] <= 0.1 * 0.3 * 1.001


def test_the_rate_stops_at_the_floor():
    after = carried_example(ScheduleFloor(), "modules")
    rates, run = [], after.start()
    schedule = after.scheduler(run.optimizer)
    for _ in range(4):
        rates.append(run.optimizer.param_groups[0]["lr"])
        run.optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0.05, 0.025, 0.02, 0.02])
    assert ScheduleFloor().apply(plain("modules"), {"floor": 0.02, "largest": 0.05}) is None
