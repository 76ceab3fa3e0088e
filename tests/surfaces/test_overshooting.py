"""The overshooting step against a quadratic, where everything is known."""

import copy
import math

import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.surfaces import overshoot
from tests.surfaces.models import cases

CURVATURES = torch.tensor([3.0, 1.0], dtype=torch.float64)


def bowl():
    """Return a model whose loss is (3 w1² + w2²)/2, at (1, 1), with its batch."""
    model = nn.Linear(2, 1, bias=False).double()
    model.weight.data.fill_(1.0)
    return model, lambda o, t: (o.square().squeeze(1) * CURVATURES).sum() / 2, (torch.eye(2).double(), None)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_everything_is_known_on_a_quadratic(rate):
    model, loss, batch = bowl()
    step = overshoot(model, loss, batch, rate)
    gradient = CURVATURES * 1.0
    curvature = float((CURVATURES * gradient**2).sum() / (gradient**2).sum())  # 2.8
    assert step.curvature == pytest.approx(curvature)
    assert step.loop_gain == pytest.approx(rate * curvature - 1)
    assert step.is_runaway == (rate * curvature > 2)
    assert step.best == pytest.approx(1 / curvature, rel=1e-5)
    assert step.loss_before == pytest.approx(2.0)
    after = 1.0 - rate * gradient
    assert step.loss_after == pytest.approx(float((CURVATURES * after**2).sum() / 2))
    assert step.loss_best == pytest.approx(2.0 - 10.0 / curvature / 2)
    words = "Runaway" if step.is_runaway else "No overshoot" if rate < step.best else "went past"
    assert words in step.finding.en


def test_a_step_can_end_higher_though_its_first_curvature_is_small():
    model = nn.Linear(1, 1, bias=False).double()
    model.weight.data.fill_(0.05)
    step = overshoot(model, lambda o, t: (o.sum() - 1) ** 4 / 4 + 0.2 * (1 - o.sum()) ** 2, (torch.ones(1, 1).double(), None), 3.0)
    assert step.loss_after > step.loss_before
    flat = overshoot(model, lambda o, t: torch.exp(-10 * o.sum()) + torch.relu(o.sum() - 1) * 20, (torch.ones(1, 1).double(), None), 0.5)
    assert flat.loss_after > flat.loss_before


def test_an_overflow_is_an_answer_and_a_slope_without_end_has_no_best():
    model, _, batch = cases()["mlp"]
    wild = overshoot(model, lambda o, t: torch.exp(o.square().sum()), batch, 1e6)
    assert not math.isfinite(wild.loss_after)
    assert wild.to_dict()["loss_after"] is None
    wild.figure()
    endless = overshoot(nn.Linear(2, 1).double(), lambda o, t: o.sum(), (torch.ones(3, 2).double(), None), 0.1)
    assert endless.best == math.inf
    assert endless.curvature == pytest.approx(0.0, abs=1e-12)
    endless.figure(language="ja")


@pytest.mark.parametrize("name", ["batch_norm", "attention", "two_inputs", "lstm"])
def test_any_model_stays_as_it_was(name):
    model, loss, batch = cases()[name]
    before = copy.deepcopy(model.state_dict())
    step = overshoot(model, loss, batch, 0.5)
    assert math.isfinite(step.loop_gain)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_picture_has_three_places():
    model, loss, batch = bowl()
    figure = overshoot(model, loss, batch, 0.9).figure()
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert sum(label.startswith("where it") for label in labels) == 3
    assert "Runaway" in figure.get_suptitle()


def test_what_cannot_work_is_said():
    model, loss, batch = bowl()
    with pytest.raises(UsageError, match="positive"):
        overshoot(model, loss, batch, -1.0)
    model.weight.data.zero_()
    with pytest.raises(UsageError, match="gradient"):
        overshoot(model, loss, batch, 0.1)
    with pytest.raises(UsageError, match="one number"):
        overshoot(nn.Linear(2, 3), lambda o, t: o, (torch.eye(2), None), 0.1)
