"""The floor is a tenth of the largest rate, and holds."""

import torch

from kazami.cures.schedule_floor import ScheduleFloor
from tests.cures.cases import finding, prescribed, trace


def test_the_rate_stays_at_a_tenth_of_its_largest():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-9)
    seen = trace(numbers={"learning_rate": [0.3, 0.1, 1e-9]})
    exec(prescribed(ScheduleFloor(), finding("dead_schedule", step=3), seen).code, {"optimizer": optimizer})
    assert 0.1 * 0.3 * 0.9 < optimizer.param_groups[0]["lr"] <= 0.1 * 0.3 * 1.001
