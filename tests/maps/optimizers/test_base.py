"""What the rules share."""

import pytest
import torch

from kazami.maps.optimizers._base import AbstractOptimizerRule, decay, decayed, momentum_product, root
from kazami.registry import plugins


def test_root_is_the_square_root_with_a_harmless_derivative_at_zero():
    square = torch.tensor([0.0, 4.0], dtype=torch.float64, requires_grad=True)
    value = root(square)
    assert value.tolist() == [0.0, 2.0]
    assert torch.autograd.grad(value.sum(), square)[0].tolist() == [0.0, 0.25]


def test_decay_enters_the_gradient_or_shrinks_the_weights():
    theta, gradient = torch.tensor([2.0]), torch.tensor([1.0])
    coupled = decayed(theta, gradient, decay({"weight_decay": 0.5, "lr": 0.1}))
    assert [float(part) for part in coupled] == [2.0, 2.0]
    decoupled = decayed(theta, gradient, decay({"weight_decay": 0.5, "lr": 0.1, "decoupled_weight_decay": True}))
    assert [float(part) for part in decoupled] == [pytest.approx(1.9), 1.0]


def test_the_product_of_momenta_is_torchs():
    parameter = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.NAdam([parameter], lr=1e-3)
    for _ in range(40):
        parameter.grad = torch.ones(1)
        optimizer.step()
    assert momentum_product(optimizer.param_groups[0], 40) == pytest.approx(float(optimizer.state[parameter]["mu_product"]), rel=1e-6)
    assert momentum_product(optimizer.param_groups[0], 100_000) == 0.0


RULES = plugins("kazami.maps.optimizers", AbstractOptimizerRule)
SPREAD = {
    "lr": (0.003, 0.1),
    "weight_decay": (0.0, 0.2),
    "eps": (1e-9, 1e-4),
    "momentum": (0.2, 0.9),
    "alpha": (0.5, 0.99),
    "rho": (0.5, 0.99),
    "lr_decay": (0.0, 0.3),
}


@pytest.mark.parametrize("time", [0, 1, 7, 3000])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("kind", RULES, ids=lambda kind: kind.__name__)
def test_columns_of_settings_do_what_each_setting_does_alone(kind, dtype, time):
    rule, generator = kind(), torch.Generator().manual_seed(1)
    group = {**kind.optimizer([torch.nn.Parameter(torch.ones(1))], lr=0.1).param_groups[0]}
    members = []
    for share in (0.0, 0.3, 1.0):
        own = {name: low + share * (high - low) for name, (low, high) in SPREAD.items() if name in group}
        members.append({**group, **own, **({"betas": (0.5 + 0.4 * share, 0.6 + 0.3 * share)} if "betas" in group else {})})
    columns = {name: torch.tensor([[member[name]] for member in members], dtype=torch.float64) for name in SPREAD if name in group}
    if "betas" in group:
        columns["betas"] = tuple(torch.tensor([[member["betas"][place]] for member in members], dtype=torch.float64) for place in (0, 1))
    theta, gradient = (torch.randn(3, 5, generator=generator, dtype=dtype) for _ in range(2))
    slots = tuple(torch.rand(3, 5, generator=generator, dtype=dtype) for _ in rule.slots(members[0]))
    together = rule.update(theta, gradient, slots, {**members[0], **columns}, time)
    for row, member in enumerate(members):
        alone = rule.update(theta[row], gradient[row], tuple(slot[row] for slot in slots), member, time)
        for all_rows, one in zip(together, alone, strict=True):
            torch.testing.assert_close(all_rows[row], one, rtol=4 * torch.finfo(dtype).eps, atol=1e-12 if dtype == torch.float64 else 1e-6)
            assert all_rows.dtype == dtype
