"""The safe form is finite, with its gradient, where the operation's own value or derivative is not."""

import pytest
import torch

from kazami.cures.safe_operation import SafeOperation
from tests.cures.cases import bad, finding, prescribed, trace

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
