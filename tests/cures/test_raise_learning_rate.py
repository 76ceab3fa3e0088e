"""Updates of a thousandth, but never beyond 0.3 of the stability limit."""

import pytest
import torch

from kazami.cures.raise_learning_rate import HEALTHY_UPDATE, LEAST, SAFE, RaiseLearningRate
from kazami.records import Evidence
from tests.cures.cases import RATIO, SGD, UPDATE, finding, prescribed, trace
from tests.cures.examples import (
    EXAMPLES,
    falling,
)
from tests.cures.trainings import STYLES, carried_out


@pytest.mark.parametrize(("ratio", "update"), [(0.04, 1e-6), (0.001, 1e-4), (1e-5, 1e-5), (0.02, 2e-4)])
def test_the_new_rate_stays_below_its_share_of_the_limit(ratio, update):
    found = finding("lr_too_low").replaced(evidence=(Evidence(RATIO, ratio), Evidence(UPDATE, update)))
    given = prescribed(RaiseLearningRate(), found, trace())
    factor = given.parameters["learning_rate"] / SGD["learning_rate"]
    assert ratio * factor <= SAFE * 1.0001
    assert factor > 2
    assert update * factor <= HEALTHY_UPDATE * 1.0001 or factor <= LEAST


def test_without_numbers_it_is_ten_times():
    assert prescribed(RaiseLearningRate(), finding("lr_too_low"), trace()).parameters["learning_rate"] == pytest.approx(10 * SGD["learning_rate"])


@pytest.mark.parametrize("style", STYLES)
def test_the_new_rate_is_that_of_the_first_group_and_schedules_start_from_it(style):
    before, parameters = EXAMPLES["raise_learning_rate"](style)

    def optimizer(model):
        first, *others = model.parameters()
        return torch.optim.SGD([{"params": [first]}, {"params": others, "lr": 0.5}], lr=0.05)

    groups = before.replaced(optimizer=optimizer, scheduler=falling)
    after = carried_out(RaiseLearningRate(), groups, **parameters)
    rate = parameters["learning_rate"]
    assert [group["lr"] for group in after.start().optimizer.param_groups] == pytest.approx([rate, 10 * rate])
    assert after.run().optimizer.param_groups[0]["lr"] == pytest.approx(rate / 2**4)
