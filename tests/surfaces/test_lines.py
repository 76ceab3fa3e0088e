"""The line between two models: its ends, its barrier, its BatchNorm."""

import copy
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kazami.errors import UsageError
from kazami.surfaces import barrier, line
from tests.surfaces.models import cases


def weight(value):
    """Return a model of one weight."""
    model = nn.Linear(1, 1, bias=False).double()
    model.weight.data.fill_(value)
    return model


ONE = (torch.ones(1, 1).double(), None)


def test_the_barrier_is_the_height_above_the_straight_line_between_the_losses():
    found = line(weight(-1.0), weight(1.1), lambda o, t: (o**2 - 1).square().sum() + o.sum(), ONE, resolution=101)
    w = -1.0 + 2.1 * found.alphas
    losses = (w**2 - 1) ** 2 + w
    np.testing.assert_allclose(found.values, losses, atol=1e-12)
    above = losses - ((1 - found.alphas) * losses[0] + found.alphas * losses[-1])
    assert found.barrier == pytest.approx(above.max())
    assert found.at == found.alphas[above.argmax()]
    assert not found.is_connected
    assert "barrier" in found.finding.en
    assert found.distance == pytest.approx(2.1)


def test_a_convex_loss_has_none_and_extrapolation_does_not_count():
    found = line(weight(-1.0), weight(2.0), lambda o, t: o.square().sum(), ONE, extent=(-1.0, 2.0), resolution=31)
    assert found.barrier == 0.0
    assert found.is_connected
    assert found.alphas[0] == -1.0
    assert found.ends == (1.0, 4.0)


def test_a_hole_on_the_way_is_an_infinite_barrier():
    found = line(weight(-1.0), weight(1.0), lambda o, t: torch.log(o.abs()).sum(), ONE, resolution=3)
    assert found.barrier == math.inf or np.isneginf(found.values[1])
    nan_end = line(weight(math.nan), weight(1.0), lambda o, t: o.sum(), ONE, resolution=3)
    assert math.isnan(nan_end.barrier)
    assert "not finite" in nan_end.finding.en


def test_permuted_units_are_the_same_network_behind_a_barrier():
    torch.manual_seed(0)
    x = torch.linspace(-2, 2, 40)[:, None].double()
    one = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    two = copy.deepcopy(one)
    order = torch.tensor([1, 2, 3, 0])
    two[0].weight.data, two[0].bias.data, two[2].weight.data = one[0].weight[order].data, one[0].bias[order].data, one[2].weight[:, order].data
    batch = (x, one(x).detach() + 0.0)
    found = line(one, two, F.mse_loss, batch)
    assert found.ends == pytest.approx((0.0, 0.0), abs=1e-20)
    assert barrier(one, two, F.mse_loss, batch) == found.barrier > 1e-4


@pytest.mark.parametrize("mode", ["running", "batch", "recalibrate"])
def test_batch_norm_is_interpolated_taken_from_the_batch_or_estimated_anew(mode):
    one, loss, batch = cases()["batch_norm"]
    two = copy.deepcopy(one)
    for parameter in two.parameters():
        parameter.data += 0.5 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    two[1].running_mean += 1.0
    two[1].running_var *= 3.0
    before = [copy.deepcopy(model.state_dict()) for model in (one, two)]
    found = line(one, two, loss, batch, resolution=3, batch_norm=mode)
    half = copy.deepcopy(one).eval()
    half.load_state_dict({key: (value + two.state_dict()[key]) / 2 if value.is_floating_point() else value for key, value in one.state_dict().items()})
    if mode == "batch":
        half[1].train()
    if mode == "recalibrate":
        hidden = half[0](batch[0])
        half[1].running_mean.copy_(hidden.mean(0).detach())
        half[1].running_var.copy_(hidden.var(0).detach())
    assert found.values[1] == pytest.approx(loss(half(batch[0]), batch[1]).item(), rel=1e-10)
    for model, state in zip((one, two), before, strict=True):
        assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
    assert any("interpolated" in sentence.en for sentence in found.said) == (mode == "running")


def test_two_architectures_are_refused():
    with pytest.raises(UsageError, match="one architecture"):
        line(nn.Linear(2, 3), nn.Linear(3, 2), F.mse_loss, ONE)
    with pytest.raises(UsageError, match="two points"):
        line(weight(0.0), weight(1.0), F.mse_loss, ONE, resolution=1)


def test_it_can_be_drawn_and_stored():
    found = line(weight(-1.0), weight(1.0), lambda o, t: (o**2 - 1).square().sum(), ONE, resolution=5)
    for language in ("en", "ja"):
        assert found.figure(language=language).get_suptitle() == found.finding.in_language(language)
    assert found.to_dict()["barrier"] == 1.0
