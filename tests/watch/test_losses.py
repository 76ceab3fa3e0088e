"""The trivial predictor's loss has a closed form for each loss, however it is written and reduced."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.watch.seeing import of_model, readings_of, trained, watched

Y = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
X = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
T = torch.tensor([[0.0, 1.0], [1.0, 1.0], [2.0, -1.0], [3.0, 0.0], [0.5, 0.5], [1.5, 2.0], [-1.0, 1.0], [4.0, 0.0]])
B = (T > 0.6).float()


def entropy(*shares):
    return -sum(p * math.log(p) for p in shares if p > 0)


ENTROPY = entropy(0.5, 0.25, 0.25)
VARIANCE = float(T.double().var(0, unbiased=False).mean())
DEVIATION = float((T - T.median(0).values).abs().mean())
BINARY = sum(entropy(p, 1 - p) for p in B.double().mean(0).tolist()) / 2
SMOOTH = entropy(*(0.8 * p + 0.2 / 3 for p in (0.5, 0.25, 0.25)))


def trace_of(loss, units=3):
    torch.manual_seed(0)
    model = nn.Linear(5, units)
    with torch.no_grad():
        model.weight.mul_(0.01)
    return of_model(model, loss, X, lr=0.001, steps=3)


@pytest.mark.parametrize(
    ("loss", "kind", "trivial"),
    [
        (lambda z: F.cross_entropy(z, Y), "cross_entropy", ENTROPY),
        (lambda z: F.cross_entropy(z, Y, reduction="sum"), "cross_entropy", 8 * ENTROPY),
        (lambda z: F.cross_entropy(z, Y, reduction="none").mean(), "cross_entropy", ENTROPY),
        (lambda z: F.cross_entropy(z, torch.where(torch.arange(8) < 2, -100, Y)), "cross_entropy", entropy(1 / 3, 1 / 3, 1 / 3)),
        (lambda z: F.cross_entropy(z, torch.where(torch.arange(8) < 2, 7, Y), ignore_index=7, reduction="sum"), "cross_entropy", 6 * math.log(3)),
        (lambda z: F.cross_entropy(z, Y, label_smoothing=0.2), "cross_entropy", SMOOTH),
        (lambda z: F.cross_entropy(z, F.one_hot(Y, 3).float()), "cross_entropy", ENTROPY),
        (lambda z: F.nll_loss(z.log_softmax(-1), Y), "cross_entropy", ENTROPY),
        (lambda z: 5 * F.cross_entropy(z, Y), "cross_entropy", 5 * ENTROPY),
        (lambda z: -z.log_softmax(-1)[torch.arange(8), Y].mean(), "nll", ENTROPY),
        (lambda z: -z.log_softmax(-1).gather(1, Y[:, None]).mean(), "nll", ENTROPY),
        (lambda z: -(F.one_hot(Y, 3) * z.log_softmax(-1)).sum(1).mean(), "cross_entropy", ENTROPY),
    ],
)
def test_classes(loss, kind, trivial):
    trace = trace_of(loss)
    assert trace.loss_kind == kind
    assert trace.trivial_loss == pytest.approx(trivial, rel=0.03)


@pytest.mark.parametrize(
    ("loss", "kind", "trivial"),
    [
        (lambda z: F.mse_loss(z, T), "mse", VARIANCE),
        (lambda z: F.mse_loss(z, T, reduction="sum"), "mse", 16 * VARIANCE),
        (lambda z: F.mse_loss(z, T, reduction="none").mean(), "mse", VARIANCE),
        (lambda z: ((z - T) ** 2).mean(), "mse", VARIANCE),
        (lambda z: (T - z).pow(2).mean(), "mse", VARIANCE),
        (lambda z: (z - T).square().mean(), "mse", VARIANCE),
        (lambda z: ((z - T) * (z - T)).mean(), "mse", VARIANCE),
        (lambda z: ((z - T) ** 2).mean() / 2, "mse", VARIANCE / 2),
        (lambda z: F.l1_loss(z, T), "l1", DEVIATION),
        (lambda z: (z - T).abs().mean(), "l1", DEVIATION),
        (lambda z: F.binary_cross_entropy_with_logits(z, B), "bce_with_logits", BINARY),
        (lambda z: F.binary_cross_entropy(z.sigmoid(), B), "bce", BINARY),
        (lambda z: F.binary_cross_entropy_with_logits(z, B, reduction="sum"), "bce_with_logits", 16 * BINARY),
        (lambda z: -(B * z.sigmoid().log() + (1 - B) * (1 - z.sigmoid()).log()).mean(), "bce", BINARY),
    ],
)
def test_values(loss, kind, trivial):
    trace = trace_of(loss, units=2)
    assert trace.loss_kind == kind
    assert trace.trivial_loss == pytest.approx(trivial, rel=0.03)


def test_the_trivial_loss_stays_where_it_is_while_the_loss_falls():
    model = nn.Linear(5, 3)
    for loss in (
        lambda z: F.cross_entropy(z, Y, label_smoothing=0.2),
        lambda z: F.cross_entropy(z, Y) + 0.05 * model.weight.square().mean(),
    ):
        first = of_model(model, loss, X, lr=0.3, steps=3).trivial_loss
        assert of_model(nn.Linear(5, 3), loss, X, lr=0.6, steps=40).trivial_loss == pytest.approx(first, rel=0.2)


def test_unknown_losses_have_no_trivial_value():
    trace = trace_of(lambda z: z.exp().mean() - z.mean())
    assert (trace.loss_kind, trace.trivial_loss) == ("unknown", None)


def test_the_loss_is_recorded_as_it_was():
    torch.manual_seed(3)
    model, values = nn.Linear(5, 3), []

    def forward():
        loss = F.cross_entropy(model(X), Y)
        values.append(loss.item())
        return loss

    assert trained(forward, model.parameters(), [model], steps=5)["loss"].values.tolist() == values


def test_nothing_of_the_forward_pass_is_kept():
    z = nn.Linear(5, 3)(X)
    reading = readings_of(F.cross_entropy(z, Y))
    (call,) = reading.calls
    assert call.value == pytest.approx(F.cross_entropy(z, Y).item(), rel=1e-5)
    call.let_go()
    assert (call.node, call.output.device.type, call.output.shape) == (None, "meta", (8, 3))


SHARES = torch.tensor([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]).repeat(4, 1)
GREY = (T - T.min()) / (T.max() - T.min())
OWN = sum(entropy(p, 1 - p) for p in GREY.double().flatten().tolist()) / GREY.numel()


@pytest.mark.parametrize(
    ("loss", "units", "least"),
    [
        (lambda z: F.binary_cross_entropy_with_logits(z, GREY), 2, OWN),
        (lambda z: F.binary_cross_entropy(z.sigmoid(), GREY, reduction="sum"), 2, 16 * OWN),
        (lambda z: F.cross_entropy(z, SHARES), 3, (entropy(0.2, 0.3, 0.5) + entropy(0.1, 0.1, 0.8)) / 2),
        (lambda z: F.cross_entropy(z, Y, label_smoothing=0.2), 3, entropy(0.8 + 0.2 / 3, 0.2 / 3, 0.2 / 3)),
        (lambda z: F.cross_entropy(z, Y), 3, 0.0),
        (lambda z: F.binary_cross_entropy_with_logits(z, B), 2, 0.0),
        (lambda z: F.mse_loss(z, T), 2, 0.0),
    ],
)
def test_no_answer_costs_less_than_the_targets_own_entropy(loss, units, least):
    assert trace_of(loss, units).facts.get("least_loss", 0.0) == pytest.approx(least, rel=0.03)


def test_the_least_is_what_the_best_answer_costs():
    z = torch.logit(GREY.clamp(1e-6, 1 - 1e-6))
    assert float(F.binary_cross_entropy_with_logits(z, GREY)) == pytest.approx(OWN, rel=1e-4)


@pytest.mark.parametrize("per_step", [1, 3, 8])
@pytest.mark.parametrize("written", ["mean", "sum over samples", "sum"])
def test_guessing_costs_as_much_as_in_a_typical_step_however_many_batches_it_gathers(written, per_step):
    torch.manual_seed(0)
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    sizes = iter([8] * (5 * per_step) + [2] * per_step)  # the last step of an epoch has less

    def step() -> None:
        optimizer.zero_grad()
        parts = [next(sizes) for _ in range(per_step)]
        for rows in parts:
            loss = F.cross_entropy(model(X[:rows]), Y[::2].repeat(2)[:rows], reduction="mean" if written == "mean" else "sum")
            (loss / {"mean": per_step, "sum over samples": sum(parts), "sum": 1}[written]).backward()
        optimizer.step()

    (trace,) = watched(step, 6, [model])
    samples = 8 * per_step if written == "sum" else 1
    assert trace.trivial_loss == pytest.approx(ENTROPY * samples, rel=0.15)
