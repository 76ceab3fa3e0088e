"""What wraps torch's losses changes nothing, and goes away."""

import pickle

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.watch.evaluation_hooks import LOSSES, listen, stop_listening


@pytest.fixture
def told():
    seen = []

    def sink(kind, function, arguments, result):
        seen.append((kind, float(result.sum())))

    listen(sink)
    yield seen
    stop_listening(sink)


X, Y = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 3


def test_only_what_has_no_gradient_is_told(told):
    weights = X.clone().requires_grad_()
    F.cross_entropy(weights, Y).backward()
    assert told == []
    with torch.no_grad():
        value = F.cross_entropy(weights, Y)
    assert told == [("cross_entropy", float(value))]


def test_the_last_to_leave_takes_the_wrappers_away():
    before = [getattr(owner, name) for owner, name, _ in LOSSES]

    def first(*given):
        del given

    def second(*given):
        del given

    listen(first)
    listen(second)
    stop_listening(first)
    assert [getattr(owner, name) for owner, name, _ in LOSSES] != before
    stop_listening(second)
    assert [getattr(owner, name) for owner, name, _ in LOSSES] == before


def test_exceptions_pass(told):
    with pytest.raises((RuntimeError, IndexError)), torch.no_grad():
        F.cross_entropy(X, torch.full((6,), 9))
    assert told == []


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize(
    "criterion", [nn.CrossEntropyLoss(), nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss(), nn.HuberLoss(), nn.BCEWithLogitsLoss(), nn.NLLLoss()]
)
def test_scripting_while_watched(told, criterion):
    target = Y if isinstance(criterion, nn.CrossEntropyLoss | nn.NLLLoss) else torch.rand(6, 3)
    assert torch.equal(torch.jit.script(criterion)(X, target), criterion(X, target))


@pytest.mark.filterwarnings("ignore")
def test_compiling_in_one_graph(told):
    import torch._dynamo

    torch._dynamo.reset()
    compiled = torch.compile(lambda x: F.cross_entropy(x, Y) + F.mse_loss(x, 2 * x), backend="eager", fullgraph=True)
    with torch.no_grad():
        assert float(compiled(X)) == pytest.approx(float(F.cross_entropy(X, Y) + F.mse_loss(X, 2 * X)))


def test_transforms_are_left_alone(told):
    per_sample = torch.func.vmap(torch.func.grad(F.mse_loss))(X, X + 1)
    torch.testing.assert_close(per_sample, torch.full((6, 3), -2 / 3))
    assert told == []


def test_criteria_can_be_pickled(told):
    assert isinstance(pickle.loads(pickle.dumps(nn.CrossEntropyLoss())), nn.CrossEntropyLoss)
