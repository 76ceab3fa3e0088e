"""Regimes of maps and trainings with known truths."""

import json
import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from torch import nn

import kazami
from kazami.dynamics import regime
from kazami.dynamics.orbit import walked
from kazami.errors import UsageError
from kazami.maps import (
    AbstractMap,
    CubicDescent,
    FoldedTowel,
    Henon,
    Ikeda,
    Linear,
    Logistic,
    Lorenz,
    MultiscaleDescent,
    ProductDescent,
    StandardMap,
    Tent,
    Training,
)
from tests.dynamics.test_perturbation import iris


@pytest.mark.parametrize(
    ("a", "label", "period"),
    [
        (0.4, "convergent", None),
        (0.5, "convergent", None),  # superstable
        (0.82, "convergent", None),
        (0.95, "convergent", None),  # beyond the catapult's bound, below the doubling
        (1.0, "convergent", None),  # at the doubling the steps shrink like a root
        (1.1, "periodic", 2),
        (1.236, "periodic", 2),  # the doubling is at 1.23607
        (1.25, "periodic", 4),
        (1.29, "periodic", 8),
        (1.3, "periodic", 16),
        (1.31, "chaos", None),  # beyond the accumulation at 1.30228: narrow bands
        (1.5, "chaos", None),
        (1.7, "periodic", 6),  # a window
        (2.0, "chaos", None),
    ],
)
def test_the_windows_of_the_cubic_map(a, label, period):
    found = regime(CubicDescent(a=a), 3000)
    assert found.label == label
    assert found.parameters.get("period") == period
    json.dumps(found.to_dict())


def test_the_multiplier_of_the_two_cycle_is_the_closed_form():
    """Its multiplier is 9 - 2 (1 + a)^2."""
    for a in (1.05, 1.1, 1.2):
        assert regime(CubicDescent(a=a), 3000).parameters["multiplier"] == pytest.approx(9 - 2 * (1 + a) ** 2, abs=1e-6)


@pytest.mark.parametrize(
    ("m", "label"),
    [
        (Logistic(r=4.0), "chaos"),
        (Logistic(r=3.7), "chaos"),
        (Logistic(r=1 + 8**0.5 - 1e-4), "intermittent"),
        (Logistic(r=1 + 8**0.5 - 1e-5), "intermittent"),
        (Tent(), "chaos"),
        (Henon(), "chaos"),
        (Henon(a=0.2), "convergent"),
        (Ikeda(), "chaos"),
        (FoldedTowel(), "chaos"),
        (StandardMap(k=10.0), "chaos"),
        (StandardMap(k=0.5, state=(1.0, 2.0)), "quasi_periodic"),
        (StandardMap(k=0.5, state=(2.0, 1.3)), "quasi_periodic"),
        (Lorenz(), "chaos"),
        (MultiscaleDescent(epsilon=0.01, learning_rate=0.003), "chaos"),
        (ProductDescent(learning_rate=0.1), "convergent"),
        (Linear(p1=0.9, p2=0.8), "convergent"),
        (Linear(p1=1.1, p2=0.5), "divergent"),
        (CubicDescent(a=2.3, state=(1.9,)), "divergent"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.notes[0].split(", float64")[0],
)
def test_toy_maps(m: AbstractMap, label: str):
    assert regime(m, 4000).label == label


def test_a_period_three_window_and_its_exponent():
    found = regime(Logistic(r=3.83), 5000)
    assert (found.label, found.parameters["period"]) == ("periodic", 3)
    assert found.parameters["exponent"] == pytest.approx(-0.3697, abs=3e-3)


def test_chaos_that_ends_in_a_cycle_is_transient():
    """Just inside the window of period 5 of the logistic map (r = 3.738173), chaos lasts long before the orbit falls into the cycle."""
    labels = {}
    for state in np.linspace(0.11, 0.89, 14):
        found = regime(Logistic(r=3.73818, state=(float(state),)), 4000)
        labels[found.label] = found
    assert "transient_chaos" in labels
    assert labels["transient_chaos"].parameters["period"] == 5
    assert labels["transient_chaos"].parameters["rate"] > 0.1
    assert set(labels) <= {"transient_chaos", "periodic", "chaos", "intermittent"}


def test_laminar_phases_grow_towards_the_onset():
    lengths = [regime(Logistic(r=1 + 8**0.5 - epsilon), 8000).parameters["mean_laminar_length"] for epsilon in (1e-4, 1e-5)]
    assert 2.0 < lengths[1] / lengths[0] < 5.0  # theory: the root of ten


def test_a_series_goes_to_signals_and_has_its_own_length():
    assert kazami.regime(np.random.default_rng(0).standard_normal(1000)).label == "noise"
    assert kazami.regime([0.1, 0.7, 0.4] * 60).parameters["period"] == 3
    with pytest.raises(UsageError, match="series"):
        kazami.regime([0.1, 0.2] * 100, steps=50)


def test_too_few_steps_say_how_many_are_needed():
    found = regime(Logistic(), 20)
    assert found.label == "unsure"
    assert "100" in found.sentence.en
    assert "100" in found.sentence.ja


def test_the_map_stays_where_it_is():
    m = CubicDescent(a=1.1)
    m.step(3)
    before = m.current_state()
    regime(m, 500)
    assert torch.equal(before, m.current_state())
    assert m.time == 3


# trainings

ONE = torch.ones(1, dtype=torch.float64)


class Square(nn.Module):
    """The function w² x: gradient descent on (w² - 1)² / 4 is the cubic map with a equal to the learning rate."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.9, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.w * self.w * x


def square(rate: float) -> Training:
    """Return the training whose map is the cubic map."""
    return Training(
        model=Square,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), rate),
        loss=lambda output, target: ((output - target) ** 2).mean() / 4,
        batches=lambda: [(ONE, ONE)],
        steps=1200,
    )


@pytest.mark.parametrize(("rate", "letter"), [(0.7, "C"), (1.1, "P"), (1.9, "X"), (2.5, "V")])
def test_a_training_that_is_the_cubic_map(rate, letter):
    found = regime(square(rate))
    assert found.letter == letter


def exclusive_or(optimizer, *, shuffles: bool = False, dropout: float = 0.0, batch: int = 96, dead: bool = False, steps: int = 600) -> Training:
    """Return a small classification."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(96, 4, generator=generator, dtype=torch.float64)
    labels = (inputs[:, 0] * inputs[:, 1] > 0).long()

    def batches():
        order = torch.randperm(96) if shuffles else torch.arange(96)
        return [(inputs[order[begin : begin + batch]], labels[order[begin : begin + batch]]) for begin in range(0, 96, batch)]

    def model() -> nn.Module:
        made = nn.Sequential(nn.Linear(4, 8), nn.ReLU() if dead else nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 2)).double()
        if dead:
            nn.init.constant_(made[0].bias, -50.0)
        return made

    return Training(model=model, optimizer=optimizer, loss=nn.functional.cross_entropy, batches=batches, steps=steps)


@pytest.mark.parametrize(
    "training",
    [
        exclusive_or(lambda m: torch.optim.SGD(m.parameters(), 0.1), batch=16),
        exclusive_or(lambda m: torch.optim.SGD(m.parameters(), 0.1), batch=16, shuffles=True),
        exclusive_or(lambda m: torch.optim.SGD(m.parameters(), 0.1), dropout=0.3),
        exclusive_or(lambda m: torch.optim.SGD(m.parameters(), 0.1, momentum=0.9)),
        exclusive_or(lambda m: torch.optim.Adam(m.parameters(), 0.01)),
    ],
    ids=["cyclic batches", "shuffled batches", "dropout", "momentum", "adam"],
)
def test_noise_is_never_chaos_and_a_healthy_training_converges(training):
    found = regime(training)
    assert found.label == "convergent"
    assert found.parameters["rests"] == []


def test_a_dead_network_is_dead_though_its_output_bias_moves():
    found = regime(exclusive_or(lambda m: torch.optim.SGD(m.parameters(), 0.1), dead=True), 300)
    assert found.label == "dead"
    assert found.parameters["moves"] == ["3.bias"]
    assert found.parameters["flat_share"] == 1.0


def test_nothing_moves_at_the_learning_rate_zero():
    found = regime(exclusive_or(lambda m: torch.optim.SGD(m.parameters(), 0.0)), 150)
    assert found.label == "dead"
    assert "Nothing moves" in found.sentence.en


def test_least_squares_converges_and_too_large_a_step_diverges():
    data = torch.randn(30, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def least_squares(rate: float) -> Training:
        return Training(
            model=lambda: nn.Linear(3, 1).double(),
            optimizer=lambda m: torch.optim.SGD(m.parameters(), rate),
            loss=nn.functional.mse_loss,
            batches=lambda: [(data, data[:, :1])],
            steps=500,
        )

    assert regime(least_squares(0.1)).label == "convergent"
    assert regime(least_squares(10.0)).label == "divergent"


def test_the_network_of_danovski_at_a_high_learning_rate_is_dead_inside():
    """Independent of kazami: the hidden sigmoid layer gives the same numbers for all flowers, and only the output layer still moves."""
    training = iris(5.0).replaced(seed=1, steps=1200)
    found = regime(training)
    run = training.run()
    features, _ = next(iter(training.batches()))
    with torch.no_grad():
        hidden = torch.sigmoid(run.model[0](features))
    assert float(hidden.std(dim=0).max()) < 1e-3
    assert found.label == "dead"
    assert found.parameters["awake_share"] < 0.2
    assert found.parameters["moves"] == ["2.weight", "2.bias"]
    assert found.parameters["rests"] == ["0.weight", "0.bias"]
    assert found.parameters["motion"] != "convergent"
    assert found.parameters["gain"] == pytest.approx(5.0 * (1.0 + float((hidden.mean(dim=0) ** 2).sum())), rel=1e-3)
    assert "no learning" in found.sentence.en


def test_a_low_learning_rate_of_the_same_network_is_no_chaos():
    assert regime(iris(0.1), 500).label == "convergent"


def standardised_iris(rate: float) -> Training:
    """Return the cheap reproduction of the edge of stability."""
    features, labels = load_iris(return_X_y=True)
    inputs = torch.tensor((features - features.mean(axis=0)) / features.std(axis=0))
    targets = nn.functional.one_hot(torch.tensor(labels), 3).double()

    def model() -> nn.Module:
        made = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3)).double()
        for layer in made:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        return made

    return Training(
        model=model,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), rate),
        loss=lambda output, target: 0.5 * ((output - target) ** 2).sum(dim=1).mean(),
        batches=lambda: [(inputs, targets)],
        steps=6000,
        seed=1,
    )


@pytest.mark.slow
def test_the_edge_of_stability():
    found = regime(standardised_iris(0.5), 4000)
    assert found.label == "edge_of_stability"
    assert found.parameters["ratio"] == pytest.approx(0.99, abs=0.05)
    assert regime(standardised_iris(0.1), 2000).label == "convergent"


def test_the_edge_of_stability_of_the_raw_data_at_a_moderate_rate():
    """A loss that does not fall monotonically, at the learning rate 0.3, while the sharpness stays at 2 / learning rate."""
    found = regime(iris(0.3), 1000)
    assert found.label == "edge_of_stability"
    assert 0.9 < found.parameters["ratio"] < 1.1
    assert math.isfinite(found.parameters["exponent"])


@pytest.mark.parametrize(
    "optimizer", [lambda m: torch.optim.Adam(m.parameters(), 2e-3), lambda m: torch.optim.RMSprop(m.parameters(), 2e-3)], ids=["adam", "rmsprop"]
)
def test_the_scale_of_an_optimizers_memory_is_no_growth(optimizer):
    """Second moments are as small as squared gradients: a unit step along them would be stretched a millionfold at once, in any training."""
    m = kazami.TrainingMap(exclusive_or(optimizer, steps=150))
    local = walked(m, 150).local
    assert np.abs(local[:5]).max() < 3.0
    assert regime(m, 150).label == "convergent"


@pytest.mark.parametrize("batch", [8, 24])
def test_mini_batches_in_a_fixed_order_are_still_on_their_way_down(batch):
    """From batch to batch the loss goes up and down; from pass to pass it falls, and nothing is unsure about that."""
    found = regime(exclusive_or(lambda m: torch.optim.NAdam(m.parameters(), 2e-3), batch=batch, steps=360))
    assert found.label == "convergent"
    assert found.parameters["still_moving"]


@pytest.mark.parametrize("r", [3.5724, 3.5785])
def test_narrow_bands_of_chaos_are_chaos(r):
    x, total = 0.4, 0.0
    for step in range(60_000):
        x = r * x * (1 - x)
        total += math.log(abs(r * (1 - 2 * x))) if step >= 10_000 else 0.0
    found = regime(Logistic(r=r), 6000)
    assert total / 50_000 > 0.02
    assert found.label == "chaos"
    assert found.parameters["exponent"] == pytest.approx(total / 50_000, rel=0.2)
