import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.watch import hooks, watch
from kazami.watch.announced import announce_begin, announce_clipping, announce_end, announced_optimizer


def train(steps, *, limit):
    """Train by hand, as an optimizer of another library would, with a clipped copy of the gradients; return the watch and what ``.grad`` was after."""
    torch.manual_seed(0)
    model, x = nn.Linear(3, 1, bias=False), torch.randn(8, 3)
    weights = list(model.parameters())
    optimizer = announced_optimizer("Ftrl", weights, {"lr": 0.1})
    left = []
    with watch(model) as seen:
        for step in range(steps):
            model.zero_grad()
            nn.functional.mse_loss(model(x), torch.ones(8, 1)).backward()
            raw = [p.grad for p in weights]
            total = torch.linalg.vector_norm(torch.cat([g.reshape(-1) for g in raw]))
            consumed = [g * (limit / total) for g in raw]
            optimizer.param_groups[0]["lr"] = 0.1 / (step + 1)
            announce_clipping(hooks._announce, lambda total=total: total, limit)
            announce_begin(hooks._announce, optimizer, dict(zip(weights, consumed, strict=True)))
            with torch.no_grad():
                torch._foreach_add_(weights, consumed, alpha=-optimizer.param_groups[0]["lr"])
            announce_end(hooks._announce, optimizer)
            left.append(all(p.grad is g for p, g in zip(weights, raw, strict=True)))
    return seen, left


def test_an_announced_step_is_a_step_with_the_gradient_that_was_consumed():
    seen, left = train(5, limit=0.01)
    trace = seen.trace
    assert trace.step == 5
    assert trace.optimizer["name"] == "Ftrl"
    assert trace["total_gradient_norm"].values == pytest.approx([0.01] * 5)
    assert min(trace["norm_before_clipping"].values) > 0.01
    assert trace["learning_rate"].values == pytest.approx([0.1 / n for n in range(1, 6)])
    assert trace["update_norm"].values == pytest.approx([0.001 / n for n in range(1, 6)], rel=1e-3)
    assert all(left), "the parameters keep their own gradients"


def test_who_announces_steps_takes_them():
    with pytest.raises(UsageError, match="Ftrl takes its steps elsewhere"):
        announced_optimizer("Ftrl", [nn.Parameter(torch.ones(1))], {"lr": 0.1}).step()


def test_nobody_hears_after_the_watch():
    seen, _ = train(2, limit=1.0)
    announce_end(hooks._announce, announced_optimizer("Ftrl", [nn.Parameter(torch.ones(1))], {"lr": 0.1}))
    assert seen.trace.step == 2
