"""Frozen layers stay bit for bit, and cost what they must in a task with a known answer."""

import math
from dataclasses import dataclass, field, replace

import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets import freeze_layers


@dataclass
class Result:
    model: nn.Module
    losses: list = field(default_factory=list)
    score: float | None = None


@dataclass(frozen=True)
class Fit:
    """A training of this room's own: y = 3 x by a product of two numbers."""

    model: object
    seed: int = 0
    keep: list = field(default_factory=list)

    def replaced(self, **changes):
        return replace(self, **changes)

    def run(self):
        torch.manual_seed(self.seed)
        model = self.model()
        optimizer = torch.optim.SGD(model.parameters(), 0.05)
        made = Result(model)
        x = torch.linspace(-1, 1, 8)[:, None]
        for _ in range(100):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), 3 * x)
            loss.backward()
            optimizer.step()
            made.losses.append(float(loss.detach()))
        self.keep.append((self.seed, model))
        return made


def two_layers():
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    nn.init.constant_(model[0].weight, 0.0)  # frozen at zero nothing can be learned
    nn.init.constant_(model[1].weight, 1.0)
    return model


def test_a_dead_first_layer_costs_everything_and_the_second_nothing():
    training = Fit(two_layers)
    state = torch.get_rng_state()
    found = freeze_layers(training, seeds=(0, 1))
    assert torch.equal(state, torch.get_rng_state())
    rows = {row.name: row for row in found.rows}
    assert found.unit == "minus loss"
    truth = float((9 * torch.linspace(-1, 1, 8) ** 2).mean())  # the loss of the constant 0
    assert rows["0"].cost == pytest.approx(truth, rel=1e-2)
    assert abs(rows["1"].cost) < 1e-2
    assert rows["0"].standard_error == pytest.approx(0.0, abs=1e-9)
    models = [model for _, model in training.keep]
    assert [float(model[0].weight.detach()) for model in models[2:4]] == [0.0, 0.0]
    assert [float(model[1].weight.detach()) for model in models[4:6]] == [1.0, 1.0]


def test_nothing_left_to_train_is_said():
    found = freeze_layers(Fit(lambda: nn.Sequential(nn.Linear(1, 1))), seeds=(0,))
    assert "does not require grad" in found.rows[0].why_not
    assert math.isnan(found.rows[0].cost)


def test_chosen_layers_and_mistakes():
    assert [row.name for row in freeze_layers(Fit(two_layers), layers=["1"], seeds=(0,)).rows] == ["1"]
    with pytest.raises(UsageError, match="layer"):
        freeze_layers(Fit(two_layers), layers=["7"])
    with pytest.raises(UsageError, match="at least one seed"):
        freeze_layers(Fit(two_layers), seeds=())


@dataclass(frozen=True)
class Diverging(Fit):
    """A training whose last losses are these, whatever is frozen."""

    last: tuple = (math.inf, math.inf)

    def run(self):
        return Result(self.model(), losses=[1.0, self.last[self.seed]])


@pytest.mark.parametrize("last", [(math.inf, math.inf), (math.inf, 1.0), (math.nan, 1.0)])
def test_a_training_that_diverges_has_a_cost_that_is_no_number(last):
    (row, _) = freeze_layers(Diverging(two_layers, last=last), seeds=(0, 1)).rows
    assert math.isnan(row.cost)
    assert math.isnan(row.standard_error)
