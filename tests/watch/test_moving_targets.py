"""Targets that move with the network, told from those that only are noisy."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.watch.seeing import trained

X = torch.randn(24, 4, generator=torch.Generator().manual_seed(1))


def fact(target, steps=12, x=X):
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    count = iter(range(1, steps + 1))
    inputs = x if callable(x) else lambda: x

    def loss():
        rows = inputs()
        with torch.no_grad():
            wanted = target(model, rows, next(count))
        return F.mse_loss(model(rows), wanted)

    return trained(loss, model.parameters(), [model], lr=0.01, steps=steps).facts.get("moving_targets")


def test_targets_that_grow_with_the_network_move():
    told = fact(lambda model, x, step: 1.0 + 2.0 * model(x).abs() + 0.1 * step)
    assert told is not None
    assert told["changed"] > 0.9
    assert told["coherence"] > 0.5
    assert told["repeated"] >= 16


def noisy(model, x, step):
    del model
    return torch.randn(len(x), 1, generator=torch.Generator().manual_seed(step))


@pytest.mark.parametrize("target", [lambda model, x, step: x.sum(1, keepdim=True), noisy], ids=["fixed", "noisy"])
def test_data_does_not_move(target):
    assert fact(target) is None


def test_samples_that_never_come_again_tell_nothing():
    generator = torch.Generator().manual_seed(2)
    assert fact(lambda model, x, step: step * x.sum(1, keepdim=True), x=lambda: torch.randn(24, 4, generator=generator)) is None
