"""Half precision: what of a gradient is lost, told apart from what is zero anyway; scalers at work."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.watch.seeing import latest, trained, watched

X, Y = torch.randn(32, 6, generator=torch.Generator().manual_seed(1)), torch.randn(32, 1, generator=torch.Generator().manual_seed(2))


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))


def cast(model, factor, *, dtype=torch.float16):
    def forward():
        with torch.autocast("cpu", dtype=dtype):
            output = model(X)
        return factor * F.mse_loss(output.float(), Y)

    return forward


@pytest.mark.parametrize(("factor", "lost"), [(1.0, (0.0, 0.01)), (1e-9, (0.99, 1.0))])
def test_the_lost_share_is_that_of_the_true_gradient(factor, lost):
    model = network()
    trace = trained(cast(model, factor), model.parameters(), [model])
    assert lost[0] <= latest(trace, "underflow_share", "0") <= lost[1]
    assert trace.facts["half_precision"]["format"] == "float16"
    assert trace.facts["half_precision"]["layers"] == ["0", "2"]
    assert trace.facts["half_precision"]["weights"] == []


def test_a_share_in_between_is_the_one_that_float32_shows():
    """The gradient in float32, and in float16: what is missing is what the second backward finds."""
    model, factor = network(), 3e-6
    cast(model, factor)().backward()
    half = model[0].weight.grad.double()
    model.zero_grad()
    (factor * F.mse_loss(model(X), Y)).backward()
    whole = model[0].weight.grad.double()
    expected = 1 - float((half * whole.sign()).sum() / whole.abs().sum())
    model.zero_grad()
    trace = trained(cast(model, factor), model.parameters(), [model])
    assert 0.02 < expected < 0.9
    assert latest(trace, "underflow_share", "0") == pytest.approx(expected, abs=0.05)


def test_dead_units_and_unused_inputs_are_not_lost():
    model = network()
    with torch.no_grad():
        model[0].bias[:12] = -100.0
    x = X.clone()
    x[:, 3:] = 0.0

    def forward():
        with torch.autocast("cpu", dtype=torch.float16):
            output = model(x)
        return F.mse_loss(output.float(), Y)

    trace = trained(forward, model.parameters(), [model])
    assert latest(trace, "zero_gradient_share", "0") > 0.8
    assert latest(trace, "zeroed_share", "0") == 0.0
    assert latest(trace, "underflow_share", "0") < 0.01


def test_float32_and_bfloat16_have_none():
    model = network()
    assert not trained(lambda: F.mse_loss(model(X), Y), model.parameters(), [model]).has("underflow_share")
    trace = trained(cast(model, 1e-9, dtype=torch.bfloat16), model.parameters(), [model])
    assert not trace.has("underflow_share")
    assert trace.facts["half_precision"]["format"] == "bfloat16"


def test_weights_stored_in_half_precision_are_named():
    model = network().half()
    trace = trained(lambda: F.mse_loss(model(X.half()).float(), Y), model.parameters(), [model])
    assert trace.facts["half_precision"]["weights"] == ["0", "2"]


def test_the_first_number_beyond_float16_tells_its_format():
    model = network()
    trace = trained(lambda: (model(X).half() * 3000).square().float().mean() * 1e5, model.parameters(), [model])
    assert trace.facts["first_bad"]["format"] == "float16"
    assert trace.facts["first_bad"]["operation"] in ("pow", "mul")


def scaled_steps(n, *, init_scale, bad=(), growth_interval=2000, fused=False):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=init_scale, growth_interval=growth_interval)
    count = iter(range(n))

    def step():
        optimizer.zero_grad()
        factor = math.inf if next(count) in bad else 1.0
        scaler.scale(factor * F.mse_loss(model(X), Y)).backward()
        scaler.step(optimizer)
        scaler.update()

    return watched(step, n, [model]), scaler


@pytest.mark.parametrize("fused", [False, True])
def test_a_scalers_updates_are_counted(fused):
    (trace,), scaler = scaled_steps(10, init_scale=1024.0, bad=(3, 7), fused=fused)
    told = trace.facts["scaler"]
    assert (told["updates"], told["skipped"], told["in_a_row"]) == (10, 2, 0)
    assert told["scale"] == scaler.get_scale() == 256.0


def test_a_training_of_which_every_step_is_left_out_is_seen():
    (trace,), scaler = scaled_steps(20, init_scale=1024.0, bad=range(20))
    assert trace.step == 0
    assert trace.facts["scaler"] == {"scale": scaler.get_scale(), "first": 512.0, "updates": 20, "skipped": 20, "in_a_row": 20}
    assert trace.facts["scaler"]["scale"] < 1


def test_without_a_scaler_there_is_no_such_fact():
    model = network()
    assert "scaler" not in trained(lambda: F.mse_loss(model(X), Y), model.parameters(), [model]).facts
