"""Gradient descent becomes Adam with the same decay; Adam stays."""

import pytest
import torch

from kazami.cures.adaptive_optimizer import AdaptiveOptimizer
from tests.cures.cases import ADAM, SGD, finding, prescribed, trace
from tests.cures.examples import (
    carried_example,
)
from tests.cures.trainings import STYLES


def test_gradient_descent_becomes_adam():
    assert "torch.optim.Adam(model.parameters(), lr=0.001)" in prescribed(AdaptiveOptimizer(), finding("slow_convergence"), trace()).code
    assert (
        "AdamW(model.parameters(), lr=0.001, weight_decay=0.02)"
        in prescribed(AdaptiveOptimizer(), finding("slow_convergence"), trace(optimizer=SGD | {"weight_decay": 0.02})).code
    )


def test_adam_stays():
    assert AdaptiveOptimizer().prescribe(finding("slow_convergence"), trace(optimizer=ADAM)) is None


@pytest.mark.parametrize("style", STYLES)
def test_the_optimizer_is_another_one_over_the_same_parameters_with_their_decay(style):
    after = carried_example(AdaptiveOptimizer(), style)
    optimizer = after.start().optimizer
    assert type(optimizer) is torch.optim.Adam
    assert [group["lr"] for group in optimizer.param_groups] == [0.001]
    assert optimizer.param_groups[0]["weight_decay"] == 0.01
    assert len(optimizer.param_groups[0]["params"]) == 6
