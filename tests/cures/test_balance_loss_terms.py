"""Terms of a loss get other weights: the gradient is the re-weighted one, to the last digit, and the reported loss stays."""

import pytest
import torch
from torch.nn import functional as F

from kazami.cures._scaling import with_term_weights
from kazami.cures.balance_loss_terms import BalanceLossTerms
from tests.cures.cases import TERMS, finding, prescribed, trace
from tests.cures.trainings import STYLES, network, plain, rows, training

LOSSES = {
    "a sum": (lambda o, t: F.mse_loss(o, t) + 0.01 * o.abs().mean(), lambda o, t, f, g: f * F.mse_loss(o, t) + g * 0.01 * o.abs().mean()),
    "the other way round": (
        lambda o, t: 0.5 * (o.square().mean() - 3 * F.l1_loss(o, t)),
        lambda o, t, f, g: 0.5 * (f * o.square().mean() - 3 * g * F.l1_loss(o, t)),
    ),
    "made in another order": (lambda o, t: _swapped(o, t), lambda o, t, f, g: f * o.abs().mean() + g * F.mse_loss(o, t)),
    "python's sum": (lambda o, t: sum([F.mse_loss(o, t), o.std()]), lambda o, t, f, g: f * F.mse_loss(o, t) + g * o.std()),
}


def _swapped(o, t):
    first = F.mse_loss(o, t)
    return o.abs().mean() + first


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("factors", [{1: 7.0}, {2: 40.0}, {1: 0.5, 2: 3.0}])
def test_the_gradient_is_that_of_the_weighted_sum(name, factors):
    loss, weighted = LOSSES[name]
    before = training(lambda: network("modules"), loss, evaluate=None)
    after = with_term_weights(before, factors)
    assert after is not None
    x, y = rows(1)[0]
    first, second = before.start().model, before.start().model
    value = after.loss(first(x), y)
    value.backward()
    weighted(second(x), y, factors.get(1, 1.0), factors.get(2, 1.0)).backward()
    for ours, theirs in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)
    assert float(value.detach()) == float(before.loss(second(x), y).detach())


def test_a_step_of_the_users_own():
    loss, weighted = LOSSES["a sum"]

    def step(of):
        def own(model, optimizer, batch):
            optimizer.zero_grad()
            value = of(model(batch[0]), batch[1])
            value.backward()
            optimizer.step()
            return value

        return own

    own = training(lambda: network("modules"), train_step=step(loss))
    after = with_term_weights(own, {2: 40.0})
    other = own.replaced(train_step=step(lambda o, t: weighted(o, t, 1.0, 40.0)))
    ours, theirs = (run.run().model.state_dict() for run in (after, other))
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-6) for name in ours)


@pytest.mark.parametrize("style", STYLES)
def test_one_loss_has_no_terms(style):
    assert BalanceLossTerms().apply(plain(style), {"factors": {"2": 9.0}}) is None
    assert BalanceLossTerms().apply(plain(style, loss=LOSSES["a sum"][0]), {"factors": {"3": 9.0}}) is None


def test_the_factors_make_the_gradients_alike():
    given = prescribed(BalanceLossTerms(), finding("loss_term_imbalance"), trace(facts=TERMS))
    assert given.parameters == {"factors": {"2": 500.0}}
    assert "loss = 1 * term_1 + 250 * term_2" in given.code
    assert BalanceLossTerms().prescribe(finding("loss_term_imbalance"), trace()) is None
