r"""How signals and gradients go through a deep stack of blocks at initialisation.

All stacks are made of the block :math:`z^{\ell+1} = W^\ell \varphi(z^\ell) + b^\ell`, with :math:`W_{ij} \sim N(0, \sigma_w^2 / n_{in})` and
:math:`b_i \sim N(0, \sigma_b^2)`; the activation comes first, so that :math:`\varphi(z)` never leaves a block without weights behind it and a shortcut's sum
keeps the mean that the weights give it: zero (He et al. 2016, *Identity mappings in deep residual networks*).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from ..nets import Residual


def generator_of(seed: int) -> torch.Generator:
    """Return a generator of its own for ``seed``; no global generator is used or moved."""
    return torch.Generator().manual_seed(seed)


def block(activation: type[nn.Module], n_in: int, n_out: int, *, weight_variance: float, bias_variance: float, generator: torch.Generator) -> nn.Sequential:
    """Return one block: activation, then weights and bias drawn as the mean-field theory draws them, in float64.

    Args:
        activation: Module class of the activation.
        n_in: Features that go in.
        n_out: Features that come out.
        weight_variance: σ_w², times 1 / ``n_in`` the variance of one weight.
        bias_variance: σ_b².
        generator: Source of the random numbers.
    """
    linear = nn.utils.skip_init(nn.Linear, n_in, n_out, dtype=torch.float64)
    draw_normal(linear.weight, math.sqrt(weight_variance / n_in), generator)
    draw_normal(linear.bias, math.sqrt(bias_variance), generator)
    return nn.Sequential(activation(), linear)


def draw_normal(parameter: Tensor, deviation: float, generator: torch.Generator) -> None:
    """Overwrite a parameter with normal numbers of mean zero and the given deviation."""
    with torch.no_grad():
        parameter.copy_(deviation * torch.randn(parameter.shape, dtype=torch.float64, generator=generator))


def plain_stack(activation: type[nn.Module], widths: Sequence[int], *, weight_variance: float, bias_variance: float = 0.0, seed: int) -> nn.Sequential:
    """Return a stack of blocks from ``widths[0]`` to ``widths[-1]`` features without any shortcut."""
    source = generator_of(seed)
    pairs = pairwise(widths)
    return nn.Sequential(*(block(activation, a, b, weight_variance=weight_variance, bias_variance=bias_variance, generator=source) for a, b in pairs))


def residual_stack(
    activation: type[nn.Module], widths: Sequence[int], *, weight_variance: float, shortcut: str = "identity", scale: float | str = 1.0, seed: int
) -> nn.Sequential:
    """Return the same stack with a shortcut around every block; ``shortcut`` is used where a block changes the number of features, identity elsewhere."""
    plain = plain_stack(activation, widths, weight_variance=weight_variance, seed=seed)
    pairs = pairwise(widths)
    kinds = ["identity" if a == b else shortcut for a, b in pairs]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # a projection draws its own weights
        blocks = [Residual(inner, shortcut=kind, scale=scale, depth=len(kinds)) for inner, kind in zip(plain, kinds, strict=True)]
    return nn.Sequential(*blocks).double()


@dataclass(frozen=True, slots=True)
class Profile:
    """Mean squares along a stack, index 0 before the first block, the last one behind the last block; the mean is over samples and features.

    Attributes:
        signal: Mean square of the values, shape ``(blocks + 1,)``.
        gradient: Mean square of the gradient of a random linear read-out with respect to the values, shape ``(blocks + 1,)``.
    """

    signal: np.ndarray
    gradient: np.ndarray


def profile(stack: nn.Sequential, x: Tensor, *, seed: int) -> Profile:
    """Send ``x``, shape ``(samples, features)``, through the stack, and one random normal gradient per sample back."""
    values = [x.requires_grad_()]
    for part in stack:
        values.append(part(values[-1]))
    back = torch.randn(values[-1].shape, dtype=x.dtype, generator=generator_of(seed))
    gradients = torch.autograd.grad(values[-1], values, back)
    return Profile(*(np.array([float(part.detach().square().mean()) for part in parts]) for parts in (values, gradients)))


def slope(logs: np.ndarray, *, skip: int = 0) -> float:
    """Return the least-squares slope of ``logs`` per index, without ``skip`` indices at either end."""
    kept = logs[skip : len(logs) - skip]
    return float(np.polyfit(np.arange(len(kept)), kept, 1)[0])


def gradient_growth(gradient: np.ndarray, *, skip: int = 0) -> float:
    """Return by how much the natural log of a mean square gradient grows per block on its way back to the input."""
    return -slope(np.log(gradient), skip=skip)
