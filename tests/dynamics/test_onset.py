"""The onset of chaos of a training whose map is known, and of a network."""

import json
import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

import kazami
from kazami.dynamics.onset import _fastest, _warnings, crossing
from kazami.errors import UsageError
from kazami.maps import Training

ONE = torch.ones(1, dtype=torch.float64)


class Square(nn.Module):
    """The function w² x from a random start: gradient descent on (w² - 1)² / 4 is the cubic map."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(0.3 + 0.5 * torch.rand((), dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.w * self.w * x


SQUARE = Training(
    model=Square,
    optimizer=lambda m: torch.optim.SGD(m.parameters(), 1.0),
    loss=lambda output, target: ((output - target) ** 2).mean() / 4,
    batches=lambda: [(ONE, ONE)],
    steps=400,
)


def test_the_onset_of_the_cubic_map_is_the_accumulation_point():
    """Exact 1.30228; between rates 0.02 apart and after 400 steps within that grid. Fastest is the superstable rate 1/2."""
    rates = np.array([0.3, 0.4, 0.5, 0.6, 0.9, 1.1, 1.26, 1.28, 1.30, 1.32, 1.34])
    found = kazami.onset_of_chaos(SQUARE, rates, seeds=4, acceptable=1e-12, rivals=False)
    assert found.onset == pytest.approx(1.30228, abs=0.025)
    assert found.interval[0] <= found.onset <= found.interval[1]
    assert found.fastest == 0.5
    assert found.is_proved
    assert set(found.proof) == {0.4, 0.5, 0.6}
    assert found.exponents.shape == (11, 4)
    assert found.how.startswith("batched")
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_exponents_are_those_of_the_closed_form():
    """ln |1 - 2a| below the first doubling."""
    found = kazami.onset_of_chaos(SQUARE.replaced(steps=400), [0.7, 0.8, 0.9], seeds=2, rivals=False)
    for row in found.table:
        assert row["exponent"] == pytest.approx(math.log(abs(1 - 2 * row["learning_rate"])), abs=0.02)
    assert math.isnan(found.onset)
    assert any("threshold" in text for text in found.warnings)


def test_crossing_is_the_last_one():
    assert crossing(np.array([1.0, 2.0, 4.0, 8.0, 16.0]), np.array([-1.0, 1.0, -1.0, -1.0, 1.0])) == pytest.approx(8 * 2**0.5)
    assert math.isnan(crossing(np.array([1.0, 2.0]), np.array([1.0, -1.0])))


def test_refusals():
    with pytest.raises(UsageError, match="three"):
        kazami.onset_of_chaos(SQUARE, [1.0, 2.0])
    with pytest.raises(UsageError, match="Training"):
        kazami.onset_of_chaos("train.py")


@pytest.mark.slow
def test_digits_train_fastest_at_the_onset():
    """arXiv 2506.08523 on scikit-learn's digits: the fastest rate is at the onset, and far beyond it learning fails."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    inputs, targets = torch.tensor(images[order] / 16), torch.tensor(labels[order])

    def model() -> nn.Module:
        made = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10)).double()
        for layer in (made[0], made[2]):
            nn.init.normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        return made

    def score(trained: nn.Module) -> float:
        with torch.no_grad():
            return float((trained(inputs[200:700]).argmax(dim=1) == targets[200:700]).double().mean())

    training = Training(
        model=model,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), 1.0),
        loss=nn.functional.cross_entropy,
        batches=lambda: [(inputs[:200], targets[:200])],
        steps=150,
        evaluate=score,
    )
    found = kazami.onset_of_chaos(training, np.geomspace(0.2, 15, 10), seeds=8)
    assert 0.5 < found.fastest / found.onset < 2.0
    assert found.is_proved
    assert found.table[-1]["final"] < 0.3
    assert found.figure().axes


def test_rates_that_are_all_as_fast_have_no_fastest():
    rates, times = np.array([0.1, 0.2, 0.4]), np.full((3, 5), 139.0)
    median, fastest, span = _fastest(rates, times)
    assert math.isnan(fastest)
    assert np.isnan(span).all()
    (remark,) = _warnings(rates, fastest, 0.3, np.zeros((3, 5)), median)
    assert "after 139 steps: none is faster" in remark.in_language("en")
    times[1] -= 10
    assert _fastest(rates, times)[1] == 0.2
