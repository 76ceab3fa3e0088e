"""Compiled trainings: the same weights, no more graph breaks, no more compilations, no false alarm, and whatever is not seen is said."""

import warnings
from contextlib import nullcontext

import pytest
import torch
import torch._dynamo
from torch import nn
from torch._dynamo import compiled_autograd
from torch._dynamo.utils import counters
from torch.nn import functional as F

from kazami.watch import watch
from kazami.watch.names import Names

X = torch.randn(64, 6, generator=torch.Generator().manual_seed(1))
Y = (X[:, 0] * X[:, 1] > 0).long()
WAYS = ["model before", "model after", "method", "loss", "step", "optimizer"]
FAST = [("model before", "eager"), ("model after", "aot_eager"), ("loss", "aot_eager"), ("step", "eager"), ("optimizer", "eager")]
CASES = [pytest.param(w, b, marks=[] if (w, b) in FAST else pytest.mark.slow) for b in ("eager", "aot_eager", "inductor") for w in WAYS]


class Net(nn.Module):
    """Two hidden layers with a normalisation between them; ``bend`` may be no bend at all."""

    def __init__(self, bend=torch.relu):
        super().__init__()
        self.first, self.norm, self.second, self.last, self.bend = nn.Linear(6, 16), nn.BatchNorm1d(16), nn.Linear(16, 16), nn.Linear(16, 2), bend

    def forward(self, x):
        return self.last(self.bend(self.second(self.bend(self.norm(self.first(x))))))


@pytest.fixture(autouse=True)
def fresh_compiler():
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()
    compiled_autograd.reset()


def trained(way, backend, *, watched, steps=8, rate=0.1, bend=torch.relu, rows=(), compiles_backward=False):
    """Train compiled in one of the ways; return weights, what the compiler counted, and the watch."""
    torch._dynamo.reset()
    counters.clear()
    torch.manual_seed(0)
    model = Net(bend)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    forward = torch.compile(model, backend=backend) if way == "model before" else model
    if way == "model before":
        forward.eval()(X)
        model.train()
    w = watch(model, optimizer) if watched else None
    if way == "model after":
        forward = torch.compile(model, backend=backend)
    if way == "method":
        model.compile(backend=backend)
    loss_of = torch.compile(lambda x, y: F.cross_entropy(forward(x), y), backend=backend) if way == "loss" else lambda x, y: F.cross_entropy(forward(x), y)
    take = torch.compile(optimizer.step, backend=backend) if way == "optimizer" else optimizer.step

    def step(x, y):
        optimizer.zero_grad()
        loss = loss_of(x, y)
        loss.backward()
        take()
        return loss

    step = torch.compile(step, backend=backend) if way == "step" else step
    backward = compiled_autograd._enable(lambda graph: torch.compile(graph, backend="eager")) if compiles_backward else nullcontext()
    with warnings.catch_warnings(record=True) as said, backward:
        warnings.simplefilter("always")
        for number in range(steps):
            n = rows[number % len(rows)] if rows else len(X)
            step(X[:n], Y[:n])
    if w is not None:
        w.close()
    assert not any("perf_counter" in str(one.message) or "kazami" in str(one.message) for one in said)
    found = {
        "captures": counters["compiled_autograd"]["captures"],
        "breaks": sum(counters["graph_break"].values()),
        "graphs": counters["stats"]["unique_graphs"],
        "frames": counters["frames"]["total"],
    }
    return [p.detach().clone() for p in model.state_dict().values()], found, w


@pytest.mark.parametrize(("way", "backend"), CASES)
def test_watching_changes_no_bit_and_adds_no_break_and_no_compilation(way, backend):
    plain, counted, _ = trained(way, backend, watched=False)
    weights, watched, w = trained(way, backend, watched=True)
    assert all(map(torch.equal, plain, weights))
    assert watched["breaks"] <= counted["breaks"]
    assert watched["graphs"] == counted["graphs"]
    assert watched["frames"] <= counted["frames"]
    assert w.trace.step == 8
    assert w.trace.has("loss", "total_gradient_norm", "update_ratio", "learning_rate", "weight_norm")
    opaque = backend != "eager" and way != "optimizer"
    assert any("compiled" in sentence for sentence in w.trace.blind) is opaque
    assert w.trace.has("sharpness") is not opaque


@pytest.mark.slow
def test_batches_of_changing_size_compile_as_often_as_without_watching():
    _, plain, _ = trained("model after", "aot_eager", watched=False, rows=(64, 32, 48))
    _, watched, _ = trained("model after", "aot_eager", watched=True, rows=(64, 32, 48))
    assert plain == watched


def test_compiled_autograd_compiles_as_often_and_the_blindness_is_said():
    plain, counted, _ = trained("none", "eager", watched=False, compiles_backward=True)
    weights, watched, w = trained("none", "eager", watched=True, compiles_backward=True)
    assert all(map(torch.equal, plain, weights))
    assert counted["captures"] == watched["captures"] == 1
    assert watched["graphs"] == counted["graphs"]
    assert any("backward pass is compiled" in sentence for sentence in w.trace.blind)
    assert w.trace.has("gradient_norm", "update_ratio", "dead_share")
    assert not w.trace.has("output_gradient_rms")
    assert not w.trace.has("sharpness")


def test_a_healthy_compiled_training_raises_no_alarm():
    _, _, w = trained("model after", "aot_eager", watched=True, steps=150, rate=0.01)
    assert [finding.name for finding in w.findings if finding.severity != "info"] == []
    assert w.trace["loss"].latest < 0.2


def test_what_only_a_look_inside_can_tell_is_not_claimed_of_an_opaque_graph():
    _, _, w = trained("model after", "aot_eager", watched=True, steps=60, bend=torch.nn.Identity(), rate=0.01)
    told = {finding.name for finding in w.findings}
    assert told.isdisjoint({"no_nonlinearity", "unregistered_parameters", "parameters_not_in_optimizer", "dead_units", "saturated"})


def test_a_step_far_too_long_is_found_in_a_compiled_training():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 1))
    compiled, optimizer = torch.compile(model, backend="aot_eager"), torch.optim.SGD(model.parameters(), lr=1.0)
    target = 3 * X.sum(1, keepdim=True)
    with watch(model, optimizer) as w:
        for _ in range(40):
            optimizer.zero_grad()
            F.mse_loss(compiled(X), target).backward()
            optimizer.step()
    assert "lr_too_high" in {finding.name for finding in w.findings}


@pytest.mark.filterwarnings("ignore")
def test_the_sign_of_a_compiled_piece_is_nobodys_mistake():
    torch.manual_seed(0)
    model = nn.Linear(6, 2)
    turned = torch.compile(lambda x: 1 - x, backend="aot_eager")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer) as w:
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(turned(model(X)), Y).backward()
            optimizer.step()
    assert "turned" not in w.trace.facts


@pytest.mark.filterwarnings("ignore")
def test_wrappers_are_not_part_of_a_layers_name():
    inner = nn.Sequential(nn.Linear(2, 2), torch.compile(nn.Sequential(nn.Linear(2, 2)), backend="eager"))
    names = Names((torch.compile(nn.DataParallel(inner), backend="eager"),))
    assert [names.of(p) for p in inner.parameters()] == ["0.weight", "0.bias", "1.0.weight", "1.0.bias"]
    module = nn.ModuleDict({"module": nn.Linear(1, 1)})
    assert Names((module,)).of(module["module"].weight) == "module.weight"
