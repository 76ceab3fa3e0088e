"""Order and chaos in wide random networks: what depth does to a signal, to two signals and to a gradient, without drawing a single weight."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq
from torch import Tensor, nn

from ..blocks.chosen_activation import Given, activation_module
from .gaussian import Curve, mean, mean_of_product

Phase = Literal["ordered", "critical", "chaotic"]
# Lengths between which a fixed point is looked for; beyond them a signal has died out or run away.
_SMALLEST, _LARGEST = 1e-12, 1e12
_PER_DECADE = 8
# |ln χ| below which depth is at least a million layers: no network tells it from critical, and quadrature is finer by far.
_CRITICAL = 1e-6


@dataclass(frozen=True, slots=True)
class MeanField:
    r"""What a wide random network with i.i.d. weights does over depth.

    Pre-activations of layer *l* are Gaussian of variance :math:`q_{l+1} = \sigma_w^2\,E[\varphi(\sqrt{q_l} z)^2] + \sigma_b^2`, where z is a standard Gaussian.

    Attributes:
        weight_variance: σ_w², the variance of a weight times the number of inputs of its layer.
        bias_variance: σ_b².
        q_star: Fixed point of q reached from q = 1; 0 where signals die out, ``inf`` where they run away.
        chi: :math:`\chi = \sigma_w^2\,E[\varphi'(\sqrt{q^*}z)^2]`: by this factor the mean squared gradient changes in each layer on its way back; ``inf``
            for an activation with jumps.
        q_slope: Slope of the length map at q_star.
        c_star: Correlation that two different signals end at; 1: they become the same.
        chi_c: Slope of the correlation map at c_star.
    """

    weight_variance: float
    bias_variance: float
    q_star: float
    chi: float
    q_slope: float
    c_star: float
    chi_c: float

    @property
    def phase(self) -> Phase:
        """``"ordered"`` (χ < 1: gradients vanish, signals become alike), ``"critical"`` or ``"chaotic"`` (χ > 1: gradients explode, neighbours part)."""
        if self.chi == 0:
            return "ordered"
        if abs(math.log(self.chi)) < _CRITICAL:
            return "critical"
        return "ordered" if self.chi < 1 else "chaotic"

    @property
    def gradient_depth(self) -> float:
        """1/|ln χ|: number of layers over which the mean squared gradient changes by a factor e."""
        return _depth(self.chi)

    @property
    def length_depth(self) -> float:
        """Number of layers over which the distance of q from q_star falls to 1/e."""
        return _depth(self.q_slope)

    @property
    def correlation_depth(self) -> float:
        """1/|ln χ_c|: number of layers over which the distance of two signals' correlation from c_star falls to 1/e: the depth that information reaches."""
        return _depth(self.chi_c)


def mean_field(activation: Given, weight_variance: float, bias_variance: float = 0.0) -> MeanField:
    r"""Return the mean-field numbers of a random network.

    Integrals are by Gauss-Legendre quadrature on pieces that end at the kinks and jumps of φ, which are found numerically; relative error about 1e-10.

    Args:
        activation: φ, elementwise: a name of the catalogue, a function of a float64 tensor, a module or its class.
        weight_variance: σ_w²; weights have the variance σ_w²/n_in.
        bias_variance: σ_b².

    Raises:
        UsageError: φ is not elementwise.

    Limits:
        Exact for infinite width; a network of width *n* and depth *L* differs by order L/n. Of several fixed points the one reached from q = 1 is returned.

    References:
        Poole et al. 2016, arXiv 1606.05340; Schoenholz et al. 2017, arXiv 1611.01232.

    Example:
        >>> he = mean_field(torch.relu, 2.0)
        >>> he.phase, round(he.chi, 9)
        ('critical', 1.0)
        >>> round(mean_field(torch.tanh, 1.3, 0.05).gradient_depth, 2)
        7.83
    """
    curve = curve_of(activation)
    q_star = _fixed_length(curve, weight_variance, bias_variance)
    q = min(max(q_star, _SMALLEST), _LARGEST)
    length = weight_variance * mean(curve.squared(), q) + bias_variance
    chi = weight_variance * mean(curve.slope_squared(), q) if not curve.jumps else math.inf
    c_star = _fixed_correlation(curve, weight_variance, bias_variance, q, length, chi)
    chi_c = _correlation_slope(curve, weight_variance, q, c_star, chi) / length if length > 0 else 0.0
    return MeanField(
        weight_variance=weight_variance,
        bias_variance=bias_variance,
        q_star=q_star,
        chi=chi,
        q_slope=_length_slope(curve, weight_variance, q),
        c_star=c_star,
        chi_c=chi_c,
    )


def critical_weight_variance(activation: Given, bias_variance: float = 0.0) -> float:
    """Return the σ_w² at which χ = 1, between order and chaos, for a given σ_b²; NaN where there is none (an activation with jumps, or one that is flat).

    Example:
        >>> round(critical_weight_variance(torch.tanh, 0.05), 3), round(critical_weight_variance(torch.relu), 6)
        (1.761, 2.0)
    """
    curve = curve_of(activation)
    if curve.jumps:
        return math.nan

    def excess(log_variance: float) -> float:
        variance = math.exp(log_variance)
        q = min(max(_fixed_length(curve, variance, bias_variance), _SMALLEST), _LARGEST)
        chi = variance * mean(curve.slope_squared(), q)
        return math.log(chi) if chi > 0 else -math.inf

    grid = np.linspace(math.log(1e-3), math.log(1e4), 57)
    values = [excess(float(point)) for point in grid]
    for low, high, left, right in zip(grid[:-1], grid[1:], values[:-1], values[1:], strict=True):
        if left < 0 <= right:
            return math.exp(brentq(excess, low, high, xtol=1e-13, rtol=1e-13))
    return math.nan


def curve_of(activation: Given) -> Curve:
    """Return the activation as a curve over the real line, with its derivative, its kinks and its jumps."""
    module = activation_module(activation).double().eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return Curve.measured(_values_of(module), _slopes_of(module))


def _values_of(module: nn.Module) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def values(points: NDArray[np.float64]) -> NDArray[np.float64]:
        with torch.no_grad():
            found: NDArray[np.float64] = module(torch.from_numpy(np.ascontiguousarray(points))).double().numpy()
        return found

    return values


def _slopes_of(module: nn.Module) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def slopes(points: NDArray[np.float64]) -> NDArray[np.float64]:
        with torch.enable_grad():
            given = torch.from_numpy(np.ascontiguousarray(points)).requires_grad_()
            output: Tensor = module(given)
            if not output.requires_grad:  # a step's derivative is 0 wherever it has one
                return np.zeros_like(points)
            (found,) = torch.autograd.grad(output.sum(), given)
        return found.numpy()

    return slopes


def _fixed_length(curve: Curve, weight_variance: float, bias_variance: float) -> float:
    """Return the first fixed point of the length map on the way that a signal of length 1 goes."""

    def gain(log_q: float) -> float:
        q = math.exp(log_q)
        return (weight_variance * mean(curve.squared(), q) + bias_variance) / q - 1

    here = gain(0.0)
    if abs(here) < 1e-12:
        return 1.0
    end = math.log(_LARGEST if here > 0 else _SMALLEST)
    steps = np.linspace(0.0, end, 1 + round(abs(end) / math.log(10) * _PER_DECADE))
    for near, far in pairwise(steps.tolist()):
        if gain(far) * here <= 0:
            return math.exp(brentq(gain, near, far, xtol=1e-14, rtol=1e-14))
    return math.inf if here > 0 else 0.0


def _length_slope(curve: Curve, weight_variance: float, q: float) -> float:
    r"""Return the slope of the length map, :math:`\sigma_w^2 E[\varphi(\sqrt q z)\,\varphi'(\sqrt q z)\,z]/\sqrt q`; by differences where φ jumps."""
    if not curve.jumps:
        return weight_variance * mean(curve.length_integrand(q), q)
    step = 1e-5
    return weight_variance * (mean(curve.squared(), q * (1 + step)) - mean(curve.squared(), q * (1 - step))) / (2 * step * q)


def _correlation_slope(curve: Curve, weight_variance: float, q: float, c: float, chi: float) -> float:
    """Return the slope of E[φφ] by the correlation, times σ_w²; by differences where φ jumps."""
    if c == 1:
        return chi * q
    if not curve.jumps:
        return weight_variance * mean_of_product(curve.slope(), q, c) * q
    step = 1e-4 * (1 - abs(c))
    return weight_variance * (mean_of_product(curve.value(), q, c + step) - mean_of_product(curve.value(), q, c - step)) / (2 * step)


def _fixed_correlation(curve: Curve, weight_variance: float, bias_variance: float, q: float, length: float, chi: float) -> float:
    if length <= 0 or chi * q / length <= 1 + _CRITICAL:
        return 1.0

    def change(c: float) -> float:
        return (weight_variance * mean_of_product(curve.value(), q, c) + bias_variance) / length - c

    # Just below 1 the map is below the diagonal, as its slope at 1 is above 1; the first crossing on the way down is the attractor.
    grid = 1 - np.concatenate([np.geomspace(1e-6, 0.1, 11), np.linspace(0.15, 1.0, 18)])
    below = float(grid[0])
    for point in grid[1:]:
        if change(float(point)) >= 0:
            return float(brentq(change, float(point), below, xtol=1e-12)) if abs(change(float(point))) > 1e-13 else float(point)
        below = float(point)
    return float(brentq(change, -1.0, below, xtol=1e-12)) if change(-1.0) > 0 else math.nan


def _depth(factor: float) -> float:
    if factor <= 0 or math.isinf(factor) or math.isnan(factor):
        return 0.0
    rate = abs(math.log(factor))
    return math.inf if rate < _CRITICAL else 1 / rate
