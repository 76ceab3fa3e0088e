"""Order, chaos and depth scales of wide random networks against closed forms and published numbers."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import nn

from kazami import nets
from kazami.errors import UsageError
from kazami.nets.starts.mean_field import critical_weight_variance, mean_field


@pytest.mark.parametrize(("bias_variance", "expected"), [(0.0, 1.0), (0.01, 1.424), (0.05, 1.761), (0.1, 1.986), (0.3, 2.505)])
def test_the_critical_line_of_tanh(bias_variance, expected):
    found = critical_weight_variance(torch.tanh, bias_variance)
    assert found == pytest.approx(expected, abs=6e-4)
    assert mean_field(torch.tanh, found, bias_variance).phase == "critical"


def test_the_fixed_length_of_tanh_on_its_critical_line():
    assert mean_field(torch.tanh, critical_weight_variance(torch.tanh, 0.05), 0.05).q_star == pytest.approx(0.570, abs=5e-4)


@pytest.mark.parametrize(
    ("weight_variance", "depth", "chi", "phase"),
    [
        (1.0, 3.63, 0.7590, "ordered"),
        (1.3, 7.83, None, "ordered"),
        (1.5, 15.8, None, "ordered"),
        (2.0, 21.5, 1.0477, "chaotic"),
        (2.5, 7.98, None, "chaotic"),
        (4.0, 3.40, None, "chaotic"),
    ],
)
def test_depth_scales_of_tanh(weight_variance, depth, chi, phase):
    found = mean_field(torch.tanh, weight_variance, 0.05)
    assert found.gradient_depth == pytest.approx(depth, rel=5e-3)
    assert chi is None or found.chi == pytest.approx(chi, abs=1e-4)
    assert found.phase == phase
    assert (found.c_star == 1) is (phase == "ordered")
    assert (abs(found.correlation_depth / found.gradient_depth - 1) < 1e-9) is (phase == "ordered")  # in chaos the correlation has a fixed point of its own


def test_the_fixed_points_are_fixed_points_by_another_quadrature():
    found = mean_field(torch.tanh, 2.5, 0.05)

    def gauss(z):
        return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    q = found.q_star
    length = 2.5 * quad(lambda z: gauss(z) * math.tanh(math.sqrt(q) * z) ** 2, -12, 12)[0] + 0.05
    assert length == pytest.approx(q, rel=1e-9)
    nodes, weights = np.polynomial.hermite_e.hermegauss(121)
    weights = weights / weights.sum()
    c, s = found.c_star, math.sqrt(1 - found.c_star**2)
    first, second = np.tanh(math.sqrt(q) * nodes)[:, None], np.tanh(math.sqrt(q) * (c * nodes[:, None] + s * nodes[None, :]))
    assert (2.5 * (weights[:, None] * weights * first * second).sum() + 0.05) / q == pytest.approx(c, abs=1e-7)
    slopes = (1 - first**2) * (1 - second**2)
    assert 2.5 * (weights[:, None] * weights * slopes).sum() == pytest.approx(found.chi_c, abs=1e-6)
    assert found.chi_c < 1  # the fixed point attracts


@pytest.mark.parametrize(("weight_variance", "phase", "q_star"), [(2.0, "critical", 1.0), (1.0, "ordered", 0.0), (3.0, "chaotic", math.inf)])
def test_relu_has_half_the_weight_variance_as_slope(weight_variance, phase, q_star):
    found = mean_field(torch.relu, weight_variance)
    assert math.log(found.chi) == pytest.approx(math.log(weight_variance / 2), abs=1e-12)
    assert (found.phase, found.q_star) == (phase, q_star)
    assert critical_weight_variance(torch.relu) == pytest.approx(2, abs=1e-10)


def test_sigmoid_fades_under_its_bound():
    found = mean_field(torch.sigmoid, 1.0)
    assert math.log(found.chi) == pytest.approx(-2.893, abs=0.01)  # measured on networks of width 256
    assert found.chi < 0.25**2
    assert found.phase == "ordered"


@pytest.mark.parametrize("slope", [0.01, 0.2])
def test_leaky_relu_is_critical_where_he_says(slope):
    assert critical_weight_variance(nn.LeakyReLU(slope)) == pytest.approx(2 / (1 + slope**2), rel=1e-10)


def test_linear_networks_and_selu():
    assert critical_weight_variance(lambda x: x) == pytest.approx(1, rel=1e-10)
    assert mean_field(nn.SELU, 1.0).q_star == pytest.approx(1, rel=1e-6)  # its constants are made so (Klambauer et al. 2017)


def test_the_sign_has_no_gradient_and_no_criticality():
    found = mean_field(torch.sign, 1.5, 0.0)
    assert found.chi == math.inf
    assert found.phase == "chaotic"
    assert found.q_star == pytest.approx(1.5, rel=1e-12)
    assert found.c_star == pytest.approx(0, abs=1e-6)
    assert found.chi_c == pytest.approx(2 / math.pi, rel=1e-4)  # derivative of the arcsine law at 0
    assert math.isnan(critical_weight_variance(torch.sign))


def test_a_softmax_is_refused():
    with pytest.raises(UsageError, match="elementwise"):
        mean_field(nn.Softmax(dim=-1), 1.0)


def test_the_caller_s_module_is_left_alone():
    module = nn.PReLU()
    mean_field(module, 1.0)
    assert module.weight.dtype == torch.float32
    assert module.weight.requires_grad
    assert module.weight.grad is None


def test_the_door_leads_to_the_function_and_to_the_file():
    assert nets.mean_field(torch.relu, 2.0).phase == "critical"
    assert nets.critical_weight_variance is critical_weight_variance


@pytest.mark.parametrize("name", ["glu", "geglu", "maxout", "softmax", "log_softmax"])
def test_gates_and_vectors_have_no_mean_field_here(name):
    with pytest.raises(UsageError, match="elementwise"):
        mean_field(name, 1.0)
