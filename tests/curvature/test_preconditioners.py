"""The preconditioner against the steps torch's optimizers really make."""

import math

import pytest
import torch

from kazami.curvature import coupled_decay, preconditioner

OPTIMIZERS = [
    (torch.optim.Adam, {}, "exp_avg"),
    (torch.optim.Adam, {"amsgrad": True, "eps": 1e-2}, "exp_avg"),
    (torch.optim.AdamW, {"weight_decay": 0.0}, "exp_avg"),
    (torch.optim.RAdam, {}, "exp_avg"),
    (torch.optim.RAdam, {"betas": (0.9, 0.6)}, "exp_avg"),
    (torch.optim.Adamax, {}, "exp_avg"),
    (torch.optim.RMSprop, {}, "grad"),
    (torch.optim.RMSprop, {"centered": True}, "grad"),
    (torch.optim.Adagrad, {"lr_decay": 0.1}, "grad"),
]


def stepped(kind, n_steps, **settings):
    """Return (optimizer, weight, its last update) after ``n_steps`` with random gradients, float64."""
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(5, dtype=torch.float64))
    optimizer = kind([weight], lr=0.01, **settings)
    for _ in range(n_steps):
        before = weight.detach().clone()
        weight.grad = torch.randn(5, dtype=torch.float64)
        optimizer.step()
    return optimizer, weight, weight.detach() - before


@pytest.mark.parametrize("n_steps", [1, 7, 40])
@pytest.mark.parametrize(("kind", "settings", "numerator"), OPTIMIZERS, ids=lambda value: value.__name__ if isinstance(value, type) else None)
def test_is_what_the_step_is_divided_by(kind, settings, numerator, n_steps):
    optimizer, weight, update = stepped(kind, n_steps, **settings)
    above = weight.grad if numerator == "grad" else optimizer.state[weight]["exp_avg"]
    torch.testing.assert_close(-0.01 * above / preconditioner(optimizer, [weight])[0], update, rtol=1e-10, atol=1e-14)


def test_nadam_is_divided_by_it_once_its_corrections_are_over():
    optimizer, weight, update = stepped(torch.optim.NAdam, 60)
    beta, decay, now = 0.9, 4e-3, 60
    present, following = (beta * (1 - 0.5 * 0.96 ** (step * decay)) for step in (now, now + 1))
    above = (1 - present) * weight.grad + following * optimizer.state[weight]["exp_avg"]
    torch.testing.assert_close(-0.01 * above / preconditioner(optimizer, [weight])[0], update, rtol=1e-10, atol=1e-14)


def test_reading_changes_nothing():
    optimizer, weight, _ = stepped(torch.optim.Adam, 3)
    before = {name: value.clone() for name, value in optimizer.state[weight].items()}
    preconditioner(optimizer, [weight])
    assert all(torch.equal(before[name], value) for name, value in optimizer.state[weight].items())
    stranger = torch.nn.Parameter(torch.ones(2))
    preconditioner(optimizer, [stranger, weight])
    assert stranger not in optimizer.state  # a defaultdict would have made an entry


def test_identity_is_none_and_no_state_is_none():
    weight = torch.nn.Parameter(torch.ones(2))
    assert preconditioner(torch.optim.SGD([weight], lr=0.1, momentum=0.9), [weight]) is None
    assert preconditioner(torch.optim.Adam([weight]), [weight]) is None
    assert preconditioner(torch.optim.Adagrad([weight]), [weight]) is None  # its state exists from the start


def test_groups_are_folded_by_their_rates():
    fast, slow, still, outside = (torch.nn.Parameter(torch.ones(1)) for _ in range(4))
    optimizer = torch.optim.SGD([{"params": [fast]}, {"params": [slow], "lr": 0.01}, {"params": [still], "lr": 0.0}], lr=0.1)
    scales = [float(scale) for scale in preconditioner(optimizer, [fast, slow, still, outside])]
    assert scales == pytest.approx([1.0, 10.0, math.inf, math.inf])


def test_coupled_decay_by_parameter():
    first, second, outside = (torch.nn.Parameter(torch.ones(1)) for _ in range(3))
    groups = [{"params": [first]}, {"params": [second], "weight_decay": 0.0}]
    assert coupled_decay(torch.optim.SGD(groups, lr=0.1, weight_decay=0.2), [first, second, outside]) == [0.2, 0.0, 0.0]
    assert coupled_decay(torch.optim.AdamW([first], weight_decay=0.2), [first]) == [0.0]
