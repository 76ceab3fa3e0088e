"""A bad gradient leaves the weights as they are, a good one does not."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.skip_bad_step import SkipBadStep
from tests.cures.cases import NORMS, finding, prescribed, trace
from tests.cures.examples import EXAMPLES, holed
from tests.cures.trainings import STYLES, carried_out, own_step, plain


@pytest.mark.parametrize(
    ("name", "gradient", "is_stepped"),
    [
        ("nan_inf", float("nan"), False),
        ("nan_inf", 1.0, True),
        ("loss_spike", 100.0, False),
        ("loss_spike", 2.0, True),
    ],
)
def test_only_good_steps_are_taken(name, gradient, is_stepped):
    model = nn.Linear(1, 1, bias=False)
    before = float(model.weight.detach())
    model.weight.grad = torch.full((1, 1), gradient)
    code = prescribed(SkipBadStep(), finding(name, step=40, place="sqrt after 2"), trace(numbers=NORMS)).code
    exec(code, {"torch": torch, "model": model, "optimizer": torch.optim.SGD(model.parameters(), lr=0.1)})
    assert (float(model.weight.detach()) != before) is is_stepped


def test_after_a_storm_every_step_would_be_skipped():
    assert SkipBadStep().prescribe(finding("nan_inf", step=40, rank=60), trace()) is None


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("step", [None, own_step])
def test_bad_batches_move_nothing(style, step):
    before, parameters = EXAMPLES["skip_bad_step"](style)
    before = before.replaced(train_step=step, evaluate=None)
    after = carried_out(SkipBadStep(), before, **parameters)
    good = before.replaced(batches=lambda: holed()[2:], steps=1)  # of four steps over three batches only the third is good, and no momentum is left from it
    assert all(torch.isfinite(p).all() for p in after.run().model.parameters())
    for p, q in zip(after.run().model.parameters(), good.run().model.parameters(), strict=True):
        torch.testing.assert_close(p, q)


def test_steps_above_the_limit_are_left_out():
    after = carried_out(SkipBadStep(), plain("modules", loss=lambda output, target: 1e4 * F.mse_loss(output, target)), max_norm=10.0)
    begin, end = after.start().model, after.run().model
    assert all(torch.equal(p, q) for p, q in zip(begin.parameters(), end.parameters(), strict=True))


def test_an_optimizer_that_takes_a_closure_is_left_alone():
    before = plain("modules", optimizer=lambda model: torch.optim.LBFGS(model.parameters()))
    assert SkipBadStep().apply(before, {"max_norm": None}) is None
