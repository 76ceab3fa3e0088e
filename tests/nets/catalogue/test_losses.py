"""Information and gradient losses, against closed forms and against real random networks."""

import math

import pytest
import torch

from kazami.nets import activation, all_activations
from kazami.nets.catalogue.line import RealLine
from kazami.nets.catalogue.losses import gradient_loss, information_loss

SCALAR = [one.name for one in all_activations() if one.kind == "scalar"]


@pytest.mark.parametrize("power", [1, 2, 3])
def test_every_halving_costs_one_bit(power):
    lost = information_loss(RealLine(lambda x: x / 2**power), bits=10).lost
    assert lost == pytest.approx(power, abs=1e-3)


def test_stretching_and_turning_round_cost_nothing():
    assert information_loss(RealLine(lambda x: 3 * x)).lost == 0
    assert information_loss(RealLine(lambda x: -x)).lost == 0
    assert information_loss(RealLine(lambda x: x**3 + 2 * x)).lost == 0


def test_a_constant_loses_everything_and_folding_one_bit():
    everything = information_loss(RealLine(lambda x: 0 * x))
    assert everything.lost == pytest.approx(everything.before, rel=1e-12)
    assert everything.share == pytest.approx(1, rel=1e-12)
    assert information_loss(RealLine(torch.abs), bits=10).lost == pytest.approx(1, abs=1e-3)


def test_entropy_before_is_that_of_a_normal_number_at_a_resolution():
    """h(z) + bits, with h = ½ log₂(2πe)."""
    for bits in (4, 8, 12):
        assert information_loss(RealLine(torch.relu), bits=bits).before == pytest.approx(0.5 * math.log2(2 * math.pi * math.e) + bits, abs=0.1 / 4**bits + 1e-9)


def test_small_loss_of_a_smooth_squeeze_is_the_mean_of_the_logarithm_of_its_slope():
    """For slopes below one the loss comes near −E log₂ φ'(z); a little more, since groups of whole states cannot all have the same size."""
    from kazami.nets.catalogue.gaussian import gaussian_mean

    line = activation("sigmoid").profile.line
    expected = -gaussian_mean(lambda z: torch.log2(torch.as_tensor(line.derivative(z))).numpy())
    assert information_loss(line, bits=13).lost == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("name", SCALAR)
def test_only_the_identity_loses_nothing_and_depth_brings_nothing_back(name):
    one = activation(name)
    losses = [one.information_loss(depth=depth).lost for depth in (1, 2, 4)]
    assert losses == sorted(losses)
    assert (losses[0] == 0) == (name == "identity")
    assert all(0 <= lost <= 10.1 for lost in losses)


def measured_decades(name: str, *, depth: int, width: int, gain: float) -> float:
    """Send gradients through a wide random network and return by how many decades their root mean square fell."""
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(width, width, generator=generator, dtype=torch.float64) * gain / math.sqrt(width) for _ in range(depth)]
    first = torch.randn(64, width, generator=generator, dtype=torch.float64)
    first = (first / first.square().mean(1, keepdim=True).sqrt()).requires_grad_()
    x = first
    for weight in weights:
        x = activation(name).function(x) @ weight
    signal = torch.randn(x.shape, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad(x, first, signal)
    return -math.log10(gradient.norm().item() / signal.norm().item())


@pytest.mark.parametrize(
    ("name", "gain"),
    [
        ("identity", 1.0),
        ("relu", 1.0),
        ("relu", math.sqrt(2)),
        ("tanh", 1.0),
        ("tanh", 1.5),
        ("sigmoid", 1.0),
        ("gelu", 1.5),
        ("elu", 1.2),
    ],
)
def test_gradient_loss_is_what_a_wide_random_network_shows(name, gain):
    expected = activation(name).gradient_loss(depth=6, weight_variance=gain**2).decades
    assert measured_decades(name, depth=6, width=400, gain=gain) == pytest.approx(expected, abs=0.05 + 0.02 * abs(expected))


def test_losses_add_up_over_layers():
    loss = gradient_loss(RealLine(torch.tanh), depth=5)
    assert loss.decades == pytest.approx(sum(loss.by_layer), rel=1e-14)
    assert loss.factor == pytest.approx(10**-loss.decades)
