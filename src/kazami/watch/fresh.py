"""Weights as an initialisation has drawn them: told from learned ones by their distribution."""

import math

import torch
from torch import Tensor

from .sharded import part_of

FEWEST, MOST = 64, 4096  # entries that are looked at
LEVEL = 1.36  # Kolmogorov and Smirnov's distance times the root of n at 5 %
STRAYED = 2.5  # standard errors of a deviation


def is_judged(weight: Tensor) -> bool:
    """Return whether a weight has entries enough to tell."""
    return weight.dim() >= 2 and weight.numel() >= FEWEST and weight.is_floating_point()


def is_fresh(weight: Tensor) -> bool:
    r"""Return whether the entries of a weight are distributed as initialisations draw them: uniformly between two sharp ends, or normally with one of the
    deviations in use (1, 0.02, :math:`\sqrt{2/n_{in}}`, :math:`\sqrt{1/n_{in}}`, :math:`\sqrt{2/(n_{in}+n_{out})}`).

    Training moves some weights far more than others, so that ends blur and tails grow. The test is Kolmogorov and Smirnov's at 5 %.

    Limits:
        Matrices of 64 entries or more. Weights that were learned by a few short steps alone are not told apart; orthogonal ones are not recognised.
    """
    if not is_judged(weight):
        return False
    with torch.no_grad():
        flat = part_of(weight.detach()).reshape(-1)
        values = flat[:: max(flat.numel() // MOST, 1)].double().cpu().sort().values
    n, bound = len(values), float(values.abs().max())
    if not 0 < bound < math.inf:
        return False
    steps = torch.arange(1, n + 1, dtype=torch.float64) / n
    end = bound * (n + 1) / n
    if _distance(steps, (values + end) / (2 * end)) * math.sqrt(n) < LEVEL:
        return True
    fan_in, fan_out = weight[0].numel(), weight.shape[0] * (weight[0, 0].numel() if weight.dim() > 2 else 1)
    deviation = float(values.square().mean().sqrt())
    known = [1.0, 0.02, math.sqrt(2 / fan_in), math.sqrt(1 / fan_in), math.sqrt(2 / (fan_in + fan_out))]
    nearest = min(known, key=lambda one: abs(one - deviation))
    if abs(deviation / nearest - 1) > STRAYED / math.sqrt(2 * n):
        return False
    return _distance(steps, torch.special.ndtr(values / nearest)) * math.sqrt(n) < LEVEL


def _distance(steps: Tensor, expected: Tensor) -> float:
    """Return the largest distance between the entries' distribution and the expected one."""
    return float(torch.maximum((steps - expected).abs(), (expected - steps + 1 / len(steps)).abs()).max())
