"""Gradients that half precision would lose arrive, at the size they have."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures._scaling import with_loss_scale
from kazami.cures.gradient_scaler import GradientScaler
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import carried_example
from tests.cures.trainings import STYLES, network, rows, training


def faint(output, target):
    return 1e-8 * F.mse_loss(output, target)


class Cast(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = network("modules", "relu")

    def forward(self, x):
        with torch.autocast("cpu", dtype=torch.float16):
            return self.net(x).float()


RATE = 1e5


def descent(model):
    return torch.optim.SGD(model.parameters(), lr=RATE)


def moved(made):
    """By how much the first step moves the first weight."""
    return made.run(steps=1).model.net[0].weight.detach() - made.start().model.net[0].weight.detach()


def test_the_step_is_the_one_of_float32():
    lost = training(Cast, faint, optimizer=descent, evaluate=None)
    cured = with_loss_scale(lost)
    assert cured is not None
    model = lost.start().model
    x, y = rows(1)[0]
    faint(model.net(x), y).backward()
    assert float(moved(lost).abs().max()) == 0.0
    torch.testing.assert_close(moved(cured), -RATE * model.net[0].weight.grad, rtol=0.02, atol=1e-6)
    assert float(moved(cured).abs().max()) > 1e-5


def test_an_own_step_is_scaled_at_its_backward():
    def step(model, optimizer, batch):
        optimizer.zero_grad()
        loss = faint(model(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        return loss

    own = training(Cast, faint, train_step=step)
    after = with_loss_scale(own)
    assert after is not None
    seen = []

    def watched(model, optimizer, batch):
        loss = after.train_step(model, optimizer, batch)
        seen.append(float(model.net[0].weight.grad.abs().max()))
        return loss

    after.replaced(train_step=watched, steps=1).run()
    assert 0 < seen[0] < 1e-5


@pytest.mark.parametrize("style", STYLES)
def test_losses_keep_their_values(style):
    after = carried_example(GradientScaler(), style)
    from tests.cures.examples import EXAMPLES

    before, _ = EXAMPLES["gradient_scaler"](style)
    assert after.run(steps=1).losses == before.run(steps=1).losses


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_stored_in_half_precision_are_stored_whole(dtype):
    halves = training(lambda: network("modules").to(dtype), lambda output, target: F.mse_loss(output.float(), target), [(x.to(dtype), y) for x, y in rows()])
    after = GradientScaler().apply(halves.replaced(evaluate=None), {"full_weights": True, "scale": dtype is torch.float16})
    run = after.run()
    assert {p.dtype for p in run.model.parameters()} == {torch.float32}
    assert run.model(rows()[0][0]).dtype is dtype
    assert run.losses != halves.replaced(evaluate=None).run().losses


def test_a_step_that_overflows_is_left_out():
    batches = [(x if i else x * 1e30, y) for i, (x, y) in enumerate(rows())][::-1]
    after = with_loss_scale(training(Cast, faint, batches, evaluate=None))
    run = after.run(steps=3)
    assert all(bool(torch.isfinite(p).all()) for p in run.model.parameters())


def test_what_is_prescribed_follows_the_evidence():
    half = {"half_precision": {"format": "float16", "layers": ["0"], "weights": []}}
    stored = {"half_precision": {"format": "bfloat16", "layers": ["0"], "weights": ["0"]}}
    assert "GradScaler" in prescribed(GradientScaler(), finding("fp16_underflow"), trace(facts=half)).code
    given = prescribed(GradientScaler(), finding("fp16_underflow"), trace(facts=stored))
    assert given.parameters == {"full_weights": True, "scale": False}
    assert "GradScaler" not in given.code
    assert "model.float()" in given.code
    assert GradientScaler().prescribe(finding("fp16_underflow"), trace(facts={**half, "scaler": {"scale": 0.1}})) is None


def test_float32_without_a_scale_is_left_alone():
    assert GradientScaler().apply(training(lambda: network("modules")), {"full_weights": True, "scale": True}) is None
