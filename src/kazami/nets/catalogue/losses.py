r"""What an activation loses on the way forward (information) and on the way back (gradient), measured.

Both are exact numbers for a stated situation, not opinions:

* *Information.* A standard normal input is read with a resolution :math:`\delta = 2^{-b}` (``bits`` binary places, an instrument or a fixed-point number).
  Its state is :math:`Z = \delta\,\mathrm{round}(z/\delta)`, and the output is read with the same resolution,
  :math:`Y = \delta\,\mathrm{round}(\varphi(Z)/\delta)`.
  Lost is :math:`H(Z) - H(Y) = H(Z \mid Y) \ge 0` bits, since :math:`Y` is a function of :math:`Z`. It is 0 if and only if no two states become one.
* *Gradient.* In a wide network with independent weights of variance :math:`\sigma_w^2/n` a layer multiplies the mean squared gradient by
  :math:`\chi = \sigma_w^2\,\mathbb E\,\varphi'(\sqrt q\,z)^2`; the loss is :math:`-\tfrac12\sum_\ell\log_{10}\chi_\ell` decades.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from .gaussian import gaussian_mean
from .line import RealLine

_REACH = 9.0  # the probability beyond is 1e-19


@dataclass(frozen=True, slots=True)
class InformationLoss:
    """How much of a standard normal input an activation makes unrecoverable at a stated resolution.

    Attributes:
        lost: Bits lost, at least 0.
        before: Entropy of the input's state, in bits.
        share: ``lost / before``, between 0 and 1.
        states_before: Number of input states within nine standard deviations.
        states_after: Number of different outputs that they give.
        bits: Binary places of the resolution.
        depth: How many times the activation is applied.
    """

    lost: float
    before: float
    share: float
    states_before: int
    states_after: int
    bits: int
    depth: int

    def to_dict(self) -> dict[str, Any]:
        """Return the loss as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class GradientLoss:
    """By how much gradients fade through layers of one activation.

    Attributes:
        decades: Decimal orders of magnitude by which the root-mean-square gradient shrinks over all layers; negative where it grows.
        factor: What is left of it, :math:`10^{-\\text{decades}}`.
        by_layer: Decades of each layer, in the order in which the signal passes them.
        weight_variance: Fan-in times the variance of the weights.
    """

    decades: float
    factor: float
    by_layer: tuple[float, ...]
    weight_variance: float

    def to_dict(self) -> dict[str, Any]:
        """Return the loss as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def information_loss(line: RealLine, *, bits: int = 8, depth: int = 1) -> InformationLoss:
    r"""Return the information that φ, applied ``depth`` times, loses of :math:`z \sim N(0,1)` at a resolution of :math:`2^{-\mathrm{bits}}`.

    Args:
        line: The activation.
        bits: Binary places, 1 to 14.
        depth: Applications, one after the other, with no weights in between, each read at the same resolution.

    Limits:
        The resolution is absolute, as of a sensor or a fixed-point number; a floating-point format resolves small numbers better, so it loses less where
        outputs are near 0. Weights larger than 1 between the layers can spread the outputs again, which moves the loss, but brings no state back.

    References:
        Cover and Thomas 2006, sections 2.2 (conditional entropy), 2.8 (data processing), 8.3 (entropy at a resolution).

    Example:
        >>> import torch
        >>> information_loss(RealLine(lambda x: x)).lost  # the identity: nothing
        0.0
        >>> round(information_loss(RealLine(lambda x: x / 4)).lost, 3)  # a quarter of the states: two bits
        2.0
    """
    delta = 2.0**-bits
    last = math.ceil(_REACH / delta)
    index = np.arange(-last, last + 1)
    beyond = -np.abs(index) + 0.5  # in units of delta: the cell's nearer end, seen from the lower tail, where differences keep their digits
    weight = np.where(index == 0, 1 - 2 * ndtr(-0.5 * delta), ndtr(beyond * delta) - ndtr((beyond - 1) * delta))
    state = index * delta
    for _ in range(depth):
        with np.errstate(all="ignore"):
            state = np.floor(line.value(state) / delta + 0.5) * delta  # half up: half to even would make neighbouring states of unequal width
    _, group = np.unique(state, return_inverse=True)
    together = np.bincount(group, weights=weight)
    before = _entropy(weight)
    parts = -np.log2(np.where(weight > 0, weight, 1.0) / np.where(together[group] > 0, together[group], 1.0))
    lost = float((weight * parts).sum())  # H(Z|Y) itself, and not the difference of two entropies: 0 is exactly 0
    return InformationLoss(max(lost, 0.0), before, max(lost, 0.0) / before, index.size, together.size, bits, depth)


def _entropy(weight: Any) -> float:
    positive = weight[weight > 0]
    return float(-(positive * np.log2(positive)).sum())


def gradient_loss(line: RealLine, *, depth: int = 1, weight_variance: float = 1.0, start: float = 1.0) -> GradientLoss:
    r"""Return by how many decades the root-mean-square gradient fades through ``depth`` wide layers of φ.

    .. math:: \chi_\ell = \sigma_w^2\,\mathbb E\,\varphi'(\sqrt{q_\ell}z)^2, \qquad q_{\ell+1} = \sigma_w^2\,\mathbb E\,\varphi(\sqrt{q_\ell}z)^2

    Args:
        line: The activation.
        depth: Layers, at least 1.
        weight_variance: :math:`\sigma_w^2`, fan-in times the variance of the weights. At 1, the default, a linear network neither fades nor grows, so what is
            lost is lost by the activation alone; ``gain ** 2`` is the initialisation made for it.
        start: :math:`q_1`, variance of the first pre-activation.

    Limits:
        Wide layers, independent weights, no biases; over depth the mean square holds, single paths scatter around it.

    References:
        Poole et al. 2016, arXiv 1606.05340; Schoenholz et al. 2017, arXiv 1611.01232, equations 3 and 6.

    Example:
        >>> import torch
        >>> gradient_loss(RealLine(lambda x: x), depth=50).decades
        0.0
        >>> round(gradient_loss(RealLine(torch.relu), depth=10).decades, 6)  # 5 log10(2): half of the squared gradient at each layer
        1.50515
    """
    breaks = [one.at for one in line.breaks]
    variance, by_layer = start, []
    for _ in range(depth):
        deviation = math.sqrt(variance)
        if 1e-150 < deviation < 1e150:
            slope = gaussian_mean(lambda z: line.derivative(z) ** 2, breaks, deviation=deviation)
            power = gaussian_mean(lambda z: line.value(z) ** 2, breaks, deviation=deviation)
        else:  # the signal has died out, or blown up
            slope = float(line.derivative(math.copysign(deviation, 1.0)).item()) ** 2
            power = float(line.value([deviation]).item()) ** 2
        factor = weight_variance * slope
        by_layer.append(-0.5 * math.log10(factor) + 0.0 if 0 < factor < math.inf else math.inf if factor == 0 else -math.inf)
        variance = weight_variance * power
    total = math.fsum(by_layer) if all(map(math.isfinite, by_layer)) else sum(by_layer)
    return GradientLoss(total + 0.0, 10.0**-total if total > -300 else math.inf, tuple(by_layer), weight_variance)
