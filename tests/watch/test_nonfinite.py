"""The first non-finite number is named: operation, layer, batch, target or weight."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.watch.seeing import readings_of, watched

X, Y = torch.linspace(-1.0, 1.5, 24).view(6, 4), torch.arange(6) % 3  # of both signs in each column: a ReLU lets some through


class Net(nn.Module):
    """Two layers with something between."""

    def __init__(self, between, loss=None):
        super().__init__()
        torch.manual_seed(1)
        self.first, self.last = nn.Linear(4, 5), nn.Linear(5, 3)
        self.between, self.loss = between, loss or (lambda z: F.cross_entropy(z, Y))

    def forward(self, x):
        return self.loss(self.last(self.between(self.first(x))))


def first_bad(between, loss=None, x=X):
    net = Net(between, loss)
    reading = readings_of(net(x))
    return net, reading.bad


def zero(z):
    return z * 0


@pytest.mark.parametrize(
    ("between", "operation"),
    [
        (lambda z: torch.log(zero(z)), "log"),
        (lambda z: torch.log(z.abs() * -1), "log"),
        (lambda z: zero(z) / zero(z), "div"),
        (lambda z: torch.ones(()) / zero(z), "div"),
        (lambda z: torch.exp(z.abs() * 1000 + 500), "exp"),
        (lambda z: torch.sqrt(z.abs() * -1 - 1), "sqrt"),
        (lambda z: torch.rsqrt(zero(z)), "rsqrt"),
        (lambda z: torch.reciprocal(zero(z)), "reciprocal"),
        (lambda z: torch.softmax(z.masked_fill(torch.ones(6, 5, dtype=torch.bool), float("-inf")), -1), "softmax"),
        (lambda z: zero(z).pow(-1.5), "pow"),
        (lambda z: z - z[:1].std(0, unbiased=True), "std"),
    ],
    ids=["log_0", "log_negative", "0/0", "1/0", "exp", "sqrt", "rsqrt", "reciprocal", "masked_softmax", "pow", "std_of_one"],
)
@pytest.mark.filterwarnings("ignore:std\\(\\)")
def test_the_operation_and_the_layer_before_it_are_named(between, operation):
    _, bad = first_bad(between)
    assert (bad["source"], bad["operation"], bad["layer"]) == ("operation", operation, "first")
    assert bad["place"] == f"{operation} after first"


def test_a_nan_in_the_batch():
    x = X.clone()
    x[2, 1] = float("nan")
    _, bad = first_bad(torch.relu, x=x)
    assert (bad["source"], bad["place"], bad["value"]) == ("batch", "the batch", "nan")


def test_an_infinity_in_the_batch():
    x = X.clone()
    x[2, 1] = float("inf")
    _, bad = first_bad(torch.relu, x=x)
    assert (bad["source"], bad["value"]) == ("batch", "inf")


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.smooth_l1_loss])
def test_a_nan_in_the_target(loss):
    target = torch.randn(6, 3)
    target[1, 1] = float("nan")
    _, bad = first_bad(torch.relu, lambda z: loss(z, target))
    assert (bad["source"], bad["place"]) == ("target", "the target of the loss")


def test_a_nan_in_the_target_of_a_hand_written_loss():
    target = torch.randn(6, 3)
    target[1, 1] = float("nan")
    _, bad = first_bad(torch.relu, lambda z: ((z - target) ** 2).mean())
    assert bad["source"] == "target"


def test_an_infinite_weight():
    net = Net(torch.relu)
    with torch.no_grad():
        net.first.weight[0, 0] = float("inf")
    bad = readings_of(net(X)).bad
    assert (bad["source"], bad["place"], bad["value"]) == ("weight", "first.weight", "inf")


def trained_trace(net, steps=1):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def step():
        optimizer.zero_grad()
        net(X).backward()
        optimizer.step()

    (trace,) = watched(step, steps, [net])
    return trace


@pytest.mark.parametrize(
    ("between", "operation"),
    [
        (lambda z: torch.sqrt(zero(z)), "sqrt"),
        (lambda z: torch.norm(zero(z), dim=1, keepdim=True) + z * 0, None),
        (lambda z: zero(z).abs().pow(0.5), "pow"),
    ],
    ids=["sqrt_0", "norm_0", "root_as_power"],
)
def test_a_finite_loss_with_a_gradient_that_is_not(between, operation):
    trace = trained_trace(Net(between))
    if operation is None:  # torch gives the norm a zero gradient at zero: nothing is wrong
        assert "bad_gradient" not in trace.facts
        return
    bad = trace.facts["bad_gradient"]
    assert bad["step"] == 1
    assert (bad["singular"]["operation"], bad["singular"]["layer"]) == (operation, "first")


def test_a_finite_training_has_no_bad_place():
    trace = trained_trace(Net(torch.relu), 3)
    assert not {"first_bad", "bad_gradient", "bad_update"} & trace.facts.keys()


def test_the_first_bad_step_is_kept():
    calls = []

    def sometimes(z):
        calls.append(1)
        return torch.log(zero(z)) if len(calls) >= 3 else torch.relu(z)

    trace = trained_trace(Net(sometimes), 5)
    assert (trace.facts["first_bad"]["step"], trace.facts["first_bad"]["operation"]) == (3, "log")
