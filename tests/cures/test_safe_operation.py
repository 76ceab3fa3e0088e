"""The safe form is finite, with its gradient, where the operation's own value or derivative is not."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.safe_operation import SafeOperation
from kazami.maps import Training
from tests.cures.cases import bad, finding, prescribed, trace
from tests.cures.examples import EXAMPLES, Halved
from tests.cures.trainings import STYLES, carried_out, first_output, network, plain, rows, training

SINGULAR = {
    "sqrt": (torch.sqrt, [0.0, 1.0]), "rsqrt": (torch.rsqrt, [0.0, 1.0]), "log": (torch.log, [0.0, 1.0]), "log1p": (torch.log1p, [-1.0, 1.0]),
    "exp": (torch.exp, [100.0, 1.0]), "std": (lambda x: x.std(0), [2.0]), "norm": (lambda x: x / x.norm(), [0.0, 0.0]),
    "acos": (torch.acos, [1.0, 0.0]), "asin": (torch.asin, [-1.0, 0.0]), "pow": (lambda x: x**0.5, [0.0, 1.0]),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:std")  # torch says itself that the spread of one value is no number
@pytest.mark.parametrize("operation", sorted(SINGULAR))
def test_value_and_gradient_are_finite(operation):
    unsafe, values = SINGULAR[operation]
    x = torch.tensor(values, requires_grad=True)
    (gradient,) = torch.autograd.grad(unsafe(x).sum(), x)
    assert not torch.isfinite(gradient).all() or not torch.isfinite(unsafe(x)).all()
    scope = {"torch": torch, "x": x, "p": 0.5}
    exec(prescribed(SafeOperation(), finding("nan_inf", step=7), trace(facts=bad(operation))).code, scope)
    (gradient,) = torch.autograd.grad(scope["y"].sum(), x)
    assert torch.isfinite(scope["y"]).all()
    assert torch.isfinite(gradient).all()


def test_a_row_that_is_masked_as_a_whole_stays_finite():
    scope = {"scores": torch.randn(2, 3), "mask": torch.tensor([[True, True, True], [True, False, False]])}
    exec(prescribed(SafeOperation(), finding("nan_inf", step=7), trace(facts=bad("softmax"))).code, scope)
    rows = scope["scores"].softmax(-1)
    assert torch.isfinite(rows).all()
    assert float(rows[1, 0]) == 0.0


def test_the_layer_before_it_is_named():
    given = prescribed(SafeOperation(), finding("nan_inf", step=7), trace(facts=bad("sqrt")))
    assert "model[2]" in given.code
    assert "`2`" in given.sentence.ja


def test_the_operation_is_read_from_the_place_where_facts_are_missing():
    assert prescribed(SafeOperation(), finding("nan_inf", step=7, place="the gradient of 0.weight (sqrt after 2)"), trace()).parameters == {
        "operation": "sqrt",
        "layer": "2",
    }


@pytest.mark.parametrize(
    "found",
    [finding("nan_inf", step=7, rank=60, place="exp after 2"), finding("nan_inf", step=7, place="the batch"), finding("nan_inf", step=7, place="the loss")],
)
def test_growth_data_and_the_unknown_are_for_others(found):
    assert SafeOperation().prescribe(found, trace()) is None


@pytest.mark.parametrize("style", STYLES)
def test_the_gradient_is_finite_and_other_values_stay(style):
    before, parameters = EXAMPLES["safe_operation"](style)
    after = carried_out(SafeOperation(), before, **parameters)
    assert all(map(math.isfinite, after.run().losses))
    assert not all(map(math.isfinite, before.run().losses))
    torch.testing.assert_close(first_output(after)[1:], first_output(before)[1:])


CALLS = {
    "sqrt": (torch.sqrt, [0.0, 4.0]), "rsqrt": (torch.rsqrt, [0.0, 4.0]), "log": (torch.log, [0.0, 4.0]), "log2": (torch.log2, [0.0, 4.0]),
    "log10": (torch.log10, [0.0, 4.0]), "log1p": (torch.log1p, [-1.0, 4.0]), "div": (lambda x: x / x, [0.0, 4.0]), "reciprocal": (lambda x: 1 / x, [0.0, 4.0]),
    "exp": (torch.exp, [1000.0, 4.0]), "expm1": (torch.expm1, [1000.0, 4.0]), "sinh": (torch.sinh, [-1000.0, 4.0]), "cosh": (torch.cosh, [1000.0, 4.0]),
    "std": (lambda x: x.std(0, keepdim=True), [2.0]), "var": (lambda x: x.var(0, keepdim=True), [2.0]), "norm": (lambda x: x / x.norm(), [0.0, 0.0]),
    "softmax": (lambda x: torch.softmax(x.masked_fill(x < 9, -torch.inf), 0), [0.0, 4.0]), "pow": (lambda x: x**0.5, [0.0, 4.0]),
    "log_softmax": (lambda x: F.log_softmax(x.masked_fill(x < 9, -torch.inf), 0).exp(), [0.0, 4.0]), "acos": (torch.acos, [1.0, 0.5]),
    "asin": (torch.asin, [-1.0, 0.5]), "atan2": (lambda x: torch.atan2(x, x), [0.0, 4.0]),
    "bce": (lambda x: F.binary_cross_entropy(x, torch.zeros(2), reduction="none"), [1.0, 0.5]),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:std", "ignore:var")
@pytest.mark.parametrize("operation", sorted(CALLS))
@pytest.mark.parametrize("place", ["model", "loss"])
def test_the_twin_is_finite_where_the_operation_is_not_and_the_same_elsewhere(operation, place):
    call, values = CALLS[operation]

    class Calling(nn.Module):
        def __init__(self):
            super().__init__()
            self.x = nn.Parameter(torch.tensor(values))

        def forward(self, one):
            return call(self.x) if place == "model" else self.x

    def loss(output, target):
        return (output if place == "model" else call(output)).sum()

    before = Training(model=Calling, optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.0), loss=loss, batches=lambda: [(torch.ones(1), None)], steps=1)
    after = SafeOperation().apply(before, {"operation": operation, "layer": ""})
    run = after.run()
    assert math.isfinite(run.losses[0])
    assert torch.isfinite(run.model.x.grad).all()
    if place == "model" and operation not in ("std", "var", "norm", "softmax", "log_softmax"):
        torch.testing.assert_close(run.model(torch.ones(1))[1], call(torch.tensor(values))[1])


def test_exponentials_that_cancel_are_exact():
    def by_hand(output, target):
        e = torch.exp(output)
        return -torch.log((e / e.sum(1, keepdim=True))[torch.arange(len(target)), target]).mean()

    def loud():
        model = network("functions", "relu", 4)
        model.c.weight.data.mul_(1e4)
        return model

    before = training(loud, by_hand, rows(classes=4))
    after = carried_out(SafeOperation(), before, operation="exp", layer="c")
    exact = before.replaced(loss=F.cross_entropy)
    torch.testing.assert_close(torch.tensor(after.run().losses), torch.tensor(exact.run().losses), rtol=1e-4, atol=0)

    soft = before.replaced(loss=lambda output, target: torch.log(1 + torch.exp(output)).mean())
    smooth = before.replaced(loss=lambda output, target: F.softplus(output).mean())
    torch.testing.assert_close(torch.tensor(SafeOperation().apply(soft, {"operation": "exp", "layer": "c"}).run().losses), torch.tensor(smooth.run().losses))


def test_half_precision_is_widened_and_operations_that_are_not_called_are_left_alone():
    energies = training(lambda: Halved("modules"), lambda output, target: (output * 1000).half().square().sum())
    assert not all(map(math.isfinite, energies.run().losses))
    assert all(map(math.isfinite, SafeOperation().apply(energies.replaced(steps=1), {"operation": "pow", "layer": ""}).run().losses))
    assert SafeOperation().apply(plain("modules"), {"operation": "sqrt", "layer": ""}) is None
    assert SafeOperation().apply(plain("modules"), {"operation": "addmm", "layer": ""}) is None
