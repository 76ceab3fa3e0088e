"""The range test by its published rule, and the stability limit, where both are known."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from kazami.dynamics.range_test import middle_rate, range_test, stability_rate
from kazami.maps import Training

ONE = torch.ones(1, 1, dtype=torch.float64)


def line(optimizer, curvature=1.0):
    """Return the training of w, from 1, on curvature w^2 / 2: a step multiplies w by 1 - rate curvature."""

    def model():
        made = nn.Linear(1, 1, bias=False).double()
        nn.init.ones_(made.weight)
        return made

    return Training(model=model, optimizer=optimizer, loss=lambda z, y: curvature * ((z - y) ** 2).mean() / 2, batches=lambda: [(ONE, 0 * ONE)], steps=100)


def test_losses_and_suggestion_follow_the_rule():
    found = range_test(line(lambda m: torch.optim.SGD(m.parameters(), 0.1)), low=1e-3, high=10.0, steps=60)
    w, smoothed, rates = 1.0, [], []
    for number in range(60):
        rate = 1e-3 * (10.0 / 1e-3) ** (number / 59)
        loss = w * w / 2
        smoothed.append(loss if not smoothed else 0.05 * loss + 0.95 * smoothed[-1])
        rates.append(rate)
        w *= 1 - rate
        if smoothed[-1] > 5 * min(smoothed):
            break
    assert found.losses == pytest.approx(smoothed, rel=1e-9)
    assert found.learning_rates == pytest.approx(rates, rel=1e-12)
    kept = np.array(smoothed[10:-5])
    slopes = [kept[1] - kept[0], *((kept[2:] - kept[:-2]) / 2), kept[-1] - kept[-2]]
    assert found.suggestion == pytest.approx(rates[10 + int(np.argmin(slopes))], rel=1e-12)


def test_too_short_a_test_suggests_nothing():
    found = range_test(line(lambda m: torch.optim.SGD(m.parameters(), 0.1)), low=50.0, high=100.0, steps=40)
    assert len(found.losses) < 16
    assert math.isnan(found.suggestion)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (lambda m: torch.optim.SGD(m.parameters(), 0.1), 2.0),
        (lambda m: torch.optim.SGD(m.parameters(), 0.1, momentum=0.9), 3.8),
        (lambda m: torch.optim.SGD(m.parameters(), 0.1, momentum=0.9, nesterov=True), 3.8 / 2.8),
    ],
)
def test_stability_limits_in_closed_form(optimizer, expected):
    assert stability_rate(line(optimizer, curvature=4.0)) == pytest.approx(expected / 4.0, rel=1e-3)


def test_no_theory_no_rate():
    assert math.isnan(stability_rate(line(lambda m: torch.optim.Adadelta(m.parameters(), 1.0))))
    assert middle_rate([math.nan, 1.0, 100.0, 10.0]) == pytest.approx(10.0)
    assert math.isnan(middle_rate([math.nan]))
