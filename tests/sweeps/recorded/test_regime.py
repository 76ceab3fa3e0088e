"""The regimes: those that kazami.regime names for the same trainings, one after another."""

import torch
from torch import nn

import kazami
from kazami.sweeps import Sweep

from ..trainings import by_factors, linear

STEPS = 160


def cubic():
    """Return one weight on the loss (w² - 1)² / 4: a cubic map, which converges, turns periodic, then chaotic, then leaves."""

    class Weight(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.tensor([0.3], dtype=torch.float64))

        def forward(self, x):
            return self.w * x

    return linear(model=Weight, loss=lambda output, target: ((output**2 - 1.0) ** 2).mean() / 4, steps=STEPS)


def test_the_regimes_are_those_of_the_estimator():
    rates = [0.3, 0.9, 1.1, 1.25, 1.5, 3.0]
    found = Sweep(cubic(), learning_rate=rates).run(record=["regime"])
    letters, sure = by_factors(found, "regime_letter"), by_factors(found, "regime_confidence")
    for rate in rates:
        training = cubic().replaced(optimizer=lambda m, rate=rate: torch.optim.SGD(m.parameters(), rate))
        expected = kazami.regime(training)
        assert (rate, letters[(rate,)], sure[(rate,)]) == (rate, expected.letter, expected.confidence)
    assert len(set(letters.values())) >= 4  # several kinds were asked for


def test_too_few_steps_are_unsure():
    found = Sweep(cubic(), learning_rate=[0.3]).run(steps=50, record="regime")
    assert by_factors(found, "regime") == {(0.3,): "unsure"}
