"""Thresholds against real torch optimizers on a quadratic, just below and just above."""

import math

import numpy as np
import pytest
import torch

from kazami import sharpness
from kazami.curvature import optimizer_threshold, preconditioner, stability_threshold
from kazami.maps import Training

# Tiny weights and a large epsilon: the second moment is negligible beside it, so the scaling stands still (at 1) and the step is linear. Adam's
# correction of the first moment makes the first few dozen steps larger: they may grow by many decades before the settled law rules.
STILL = {"eps": 1.0}
OPTIMIZERS = [
    (torch.optim.SGD, {}),
    (torch.optim.SGD, {"momentum": 0.9}),
    (torch.optim.SGD, {"momentum": 0.9, "dampening": 0.5}),
    (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    (torch.optim.Adam, STILL),
    (torch.optim.Adam, {**STILL, "betas": (0.5, 0.99), "amsgrad": True}),
    (torch.optim.AdamW, {**STILL, "weight_decay": 0.3}),
    (torch.optim.RAdam, {**STILL, "betas": (0.9, 0.9)}),
    (torch.optim.NAdam, {**STILL, "momentum_decay": 10.0}),
    (torch.optim.Adamax, STILL),
    (torch.optim.RMSprop, STILL),
    (torch.optim.RMSprop, {**STILL, "momentum": 0.9, "centered": True}),
    (torch.optim.Adagrad, STILL),
]


def growth(kind, settings, sharpness):
    """Return how much the swing of the weight grew from step 1000 to step 2000 on sharpness x²/2, and the optimizer."""
    weight = torch.nn.Parameter(torch.tensor([1e-40], dtype=torch.float64))
    optimizer = kind([weight], lr=0.1, **settings)
    swing = []
    for _ in range(2000):
        weight.grad = sharpness * weight.detach()
        optimizer.step()
        swing.append(abs(weight.item()))
        if swing[-1] > 1e-6:
            return math.inf, optimizer
    return max(swing[1990:]) / max(swing[990:1000]), optimizer


@pytest.mark.parametrize(("kind", "settings"), OPTIMIZERS, ids=lambda value: value.__name__ if isinstance(value, type) else None)
def test_real_optimizer_turns_unstable_at_the_threshold(kind, settings):
    limit = optimizer_threshold(kind([torch.nn.Parameter(torch.ones(1))], lr=0.1, **settings)).value
    below, _ = growth(kind, settings, 0.98 * limit)
    above, _ = growth(kind, settings, 1.02 * limit)
    assert below < 1.0 < above


@pytest.mark.parametrize(("decay", "momentum"), [(5.0, 0.0), (5.0, 0.9)])
def test_coupled_decay_is_taken_off(decay, momentum):
    rule = "heavy_ball" if momentum else "gradient_descent"
    limit = stability_threshold(rule, 0.1, momentum=momentum, coupled_decay=decay)
    settings = {"weight_decay": decay, "momentum": momentum}
    assert growth(torch.optim.SGD, settings, 0.98 * limit)[0] < 1.0 < growth(torch.optim.SGD, settings, 1.02 * limit)[0]


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        ("gradient_descent", {}, 2.0),
        ("heavy_ball", {"momentum": 0.9}, 3.8),
        ("nesterov", {"momentum": 0.9}, 3.8 / 2.8),
        ("adam", {"momentum": 0.9}, 38.0),
        ("nadam", {"momentum": 0.9}, 3.8 / (0.1 * 2.8)),
        ("rmsprop", {}, 2.0),
        ("adagrad", {"momentum": 0.9}, 2.0),
        ("adam", {"momentum": 0.9, "decoupled_decay": 0.1}, 1.9 * 19.0),
    ],
)
def test_closed_forms(kind, settings, expected):
    assert stability_threshold(kind, torch.tensor(1.0), **settings) == pytest.approx(expected, rel=1e-12)


def test_zero_rate_unknown_kind_and_unknown_optimizer():
    assert stability_threshold("adam", 0.0) == math.inf
    with pytest.raises(ValueError, match="nesterov"):
        stability_threshold("lion", 0.1)
    weight = torch.nn.Parameter(torch.ones(1))
    assert optimizer_threshold(torch.optim.Rprop([weight])) is None
    assert optimizer_threshold(torch.optim.SGD([weight], lr=0.1, maximize=True)) is None
    assert preconditioner(torch.optim.Rprop([weight]), [weight]) is None


def test_rate_as_tensor_is_read():
    weight = torch.nn.Parameter(torch.ones(1))
    found = optimizer_threshold(torch.optim.Adam([weight], lr=torch.tensor(0.5)))
    assert found.value == pytest.approx(76.0)
    assert found.stability_ratio(76.0) == pytest.approx(1.0)


class Nameless(torch.optim.Optimizer):
    """An optimizer of somebody's own, which calls its step size something else."""

    def __init__(self, parameters):
        super().__init__(parameters, {"speed": 0.1})

    def step(self, closure=None):
        del closure
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.data.sub_(group["speed"] * parameter.grad)


def test_an_optimizer_without_a_learning_rate_has_sharpness_and_no_threshold():
    batch = (torch.randn(8, 2, generator=torch.Generator().manual_seed(0)), torch.zeros(8, 1))
    loss = torch.nn.functional.mse_loss
    found = sharpness(Training(model=lambda: torch.nn.Linear(2, 1), optimizer=lambda m: Nameless(m.parameters()), loss=loss, batches=lambda: [batch], steps=3))
    inputs = torch.cat([batch[0], torch.ones(8, 1)], dim=1).double()
    dense = 2.0 * torch.linalg.eigvalsh(inputs.T @ inputs / 8)[-1]
    assert float(np.atleast_1d(found.value)[0]) == pytest.approx(float(dense), rel=1e-3)
    assert found.threshold is None or np.isnan(found.threshold)
