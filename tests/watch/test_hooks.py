"""What is replaced in torch passes everything through: exceptions, compilers, scripting, copies, pickles, threads."""

import copy
import io
import pickle
import traceback

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from kazami.watch import hooks
from kazami.watch.observer import Observer
from kazami.watch.sampling import Sampling
from tests.watch.asserts import assert_does_not_disturb_training, assert_no_hook_is_left, bits
from tests.watch.trainings import data, mlp


@pytest.fixture
def observer():
    observer = Observer(sampling=Sampling(every=1))
    observer.attach()
    yield observer
    observer.detach()
    assert_no_hook_is_left()
    assert "kazami" not in observer.blind, observer.blind.get("kazami")


class Mine(Exception):
    """A user's own exception."""


class Exploding(torch.autograd.Function):
    """Raises in backward what it was given."""

    @staticmethod
    def forward(ctx, x, error):
        ctx.error = error
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        raise ctx.error


@pytest.mark.parametrize("error", [Mine("boom", 7), KeyboardInterrupt("stop"), SystemExit(5), ValueError("x")])
@pytest.mark.parametrize("where", ["forward", "backward", "closure", "hook"])
def test_exceptions_pass_unchanged(observer, error, where):
    weight = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.1)

    def fails(*_):
        raise error

    def run():
        if where == "forward":
            fails()
        if where == "closure":
            optimizer.step(fails)
        if where == "hook":
            weight.register_hook(fails)
        loss = weight.sum()
        (Exploding.apply(loss, error) if where == "backward" else loss).backward()

    with pytest.raises(type(error)) as caught:
        run()
    assert caught.value is error or str(caught.value) == str(error)
    weight._backward_hooks = None
    weight.sum().backward()
    assert not hooks._in_backward.locked()
    assert observer.n_backwards >= 1


def test_torchs_own_refusals_are_the_same(observer):
    with pytest.raises(RuntimeError, match="can be implicitly created only for scalar outputs"):
        torch.ones(2, requires_grad=True).exp().backward()
    loss = torch.ones(1, 2, requires_grad=True).exp().log_softmax(1)[range(1), torch.tensor([1])].sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="through the graph a second time"):
        loss.backward()
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.ones(()).backward()
    with pytest.raises(TypeError, match="not iterable"):
        torch.autograd.backward(3)
    changed = torch.ones(2, requires_grad=True).exp()
    loss = changed.sum() + changed.square().sum()
    with torch.no_grad():
        changed.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_roots_of_all_kinds(observer):
    weight = nn.Parameter(torch.ones(3))
    torch.autograd.backward([weight.sum(), (weight * 2).sum()])
    torch.autograd.backward(loss for loss in [weight.sum(), (weight * 2).sum()])
    torch.autograd.backward(torch.autograd.graph.get_gradient_edge(weight.sum()), torch.ones(()))
    (weight * 2).backward(torch.ones(3), inputs=[weight])
    assert weight.grad.tolist() == [9.0] * 3


def test_a_backward_inside_a_backward_is_not_followed(observer):
    class Nested(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            with torch.enable_grad():
                torch.ones(1, requires_grad=True).sum().backward()
            return g

    Nested.apply(torch.ones(1, requires_grad=True)).sum().backward()
    assert observer.n_backwards == 1


def test_a_mistake_of_ours_ends_the_watching_only():
    observer = Observer(sampling=Sampling(every=1))
    observer._reader.read = lambda *a, **k: 1 / 0
    weight = nn.Parameter(torch.ones(3))
    observer.attach()
    try:
        weight.sum().backward()
        weight.sum().backward()
    finally:
        observer.detach()
    assert weight.grad.tolist() == [2.0] * 3
    assert observer.is_off
    assert "ZeroDivisionError" in observer.blind["kazami"]


def test_tracebacks_end_in_the_users_own_frame(observer):
    def users_own():
        raise Mine

    weight = nn.Parameter(torch.ones(1))
    weight.register_hook(lambda g: users_own())
    with pytest.raises(Mine) as caught:
        weight.sum().backward()
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "users_own"


def test_copies_and_pickles_of_a_watched_model(observer):
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x, y = data()
    for _ in range(3):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        copies = [copy.deepcopy((model, optimizer)), pickle.loads(pickle.dumps((model, optimizer)))]
        buffer = io.BytesIO()
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, buffer)
        assert b"kazami" not in buffer.getvalue()
        assert b"kazami" not in pickle.dumps((model, optimizer))
        for twin, of_twin in copies:
            assert bits(twin.state_dict()) == bits(model.state_dict())
            assert bits(of_twin) == bits(optimizer)
        optimizer.step()


def test_torchs_functions_can_still_be_pickled(observer):
    for function in (torch.nn.utils.clip_grad_norm_, torch.autograd.backward, torch.amp.GradScaler.scale):
        assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_scripting_and_tracing_while_watched(observer):
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3)).eval()
    x, y = data()
    traced = torch.jit.trace(model, x)
    assert torch.equal(traced(x), model(x))
    F.cross_entropy(traced(x), y).backward()
    assert torch.equal(torch.jit.script(model)(x), model(x))


def counted(function, arguments, *, attach=None, fullgraph=False, calls=4):
    """Return what a compiled function gave, and how often it was compiled and broke."""
    import torch._dynamo
    from torch._dynamo.utils import counters

    torch._dynamo.reset()
    counters.clear()
    observer = Observer(sampling=Sampling(every=1))
    try:
        if attach == "before":
            observer.attach()
        compiled = torch.compile(function, backend="eager", fullgraph=fullgraph)
        given = []
        for number in range(calls):
            if attach == "after" and number == calls // 2:
                observer.attach()
            given.append(compiled(*arguments).detach().clone())
    finally:
        observer.detach()
    assert "kazami" not in observer.blind, observer.blind["kazami"]
    return [value.tolist() for value in given], dict(counters["stats"]), sorted(counters["graph_break"].values()), counters["frames"]["total"]


def compiled_parts():
    torch.manual_seed(0)
    layer, x = nn.Linear(4, 4), torch.ones(2, 4)

    def plain(x):
        return torch.tanh(layer(x)).sum()

    def checkpointed(x):
        return checkpoint(lambda h: torch.tanh(layer(h)), x, use_reentrant=False).sum()

    def hooked(x):
        y = layer(x)
        y.register_hook(lambda g: g * 2)
        return y.sum()

    def retained(x):
        y = layer(x)
        y.retain_grad()
        return y.sum()

    def offloaded(x):
        with torch.autograd.graph.save_on_cpu():
            y = torch.tanh(layer(x))
        return y.sum()

    def whole_step(x):
        loss = torch.tanh(layer(x)).sum()
        loss.backward()
        return loss

    return {f.__name__: (f, (x,)) for f in (plain, checkpointed, hooked, retained, offloaded, whole_step)}


@pytest.mark.parametrize("attach", ["before", "after"])
@pytest.mark.parametrize("name", ["plain", "checkpointed", "hooked", "retained", "offloaded", "whole_step"])
@pytest.mark.filterwarnings("ignore")
def test_watching_adds_no_graph_break_and_no_compilation(name, attach):
    function, arguments = compiled_parts()[name]
    fullgraph = name in ("plain", "checkpointed")
    plain = counted(function, arguments, fullgraph=fullgraph)
    watched = counted(function, arguments, attach=attach, fullgraph=fullgraph)
    assert watched[:3] == plain[:3]
    assert watched[3] <= plain[3]


@pytest.mark.parametrize("attach_at", [0, 3])
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_model_trains_the_same_and_what_is_not_seen_is_said(backend, attach_at):
    def start():
        torch._dynamo.reset()
        model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        compiled = torch.compile(model, backend=backend)
        x, y = data()

        def step(number):
            optimizer.zero_grad()
            loss = F.cross_entropy(compiled(x), y)
            loss.backward()
            optimizer.step()
            return loss.item()

        return [model, optimizer], step

    import torch._dynamo

    observer = assert_does_not_disturb_training(start, attach_at=attach_at)
    assert ("compiled" in observer.blind) is (backend == "aot_eager")
