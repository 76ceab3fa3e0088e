"""Each map knows where it turns unstable."""

import pytest
import torch
from torch import nn

from kazami.dynamics import stability_limits
from kazami.maps import TrainingMap
from tests.maps.properties import classification


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (lambda m: torch.optim.SGD(m.parameters(), 0.1), 20.0),
        (lambda m: torch.optim.SGD(m.parameters(), 0.1, momentum=0.9), 38.0),
        (lambda m: torch.optim.SGD(m.parameters(), 0.1, momentum=0.9, nesterov=True), 3.8 / 0.28),
        (lambda m: torch.optim.Adam(m.parameters(), 0.1), 380.0),
        (lambda m: torch.optim.RMSprop(m.parameters(), 0.1), 20.0),
    ],
)
def test_thresholds(optimizer, expected):
    (limit,) = stability_limits(TrainingMap(classification(optimizer)))
    assert limit.value == pytest.approx(expected)


def test_no_threshold_where_theory_has_none():
    assert stability_limits(TrainingMap(classification(lambda m: torch.optim.Adadelta(m.parameters())))) == (None,)


def test_groups_and_schedules_are_followed():
    def optimizer(model: nn.Module) -> torch.optim.Optimizer:
        first, second = list(model[0].parameters()), list(model[2].parameters())
        return torch.optim.SGD([{"params": first}, {"params": second, "lr": 0.2}], lr=0.1)

    m = TrainingMap(classification(optimizer, scheduler=lambda made: torch.optim.lr_scheduler.StepLR(made, 5, gamma=0.5)))
    assert [limit.value for limit in stability_limits(m)] == pytest.approx([20.0, 10.0])
    m.step(5)
    assert [limit.value for limit in stability_limits(m)] == pytest.approx([40.0, 20.0])
