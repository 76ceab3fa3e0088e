"""Networks of a few equal blocks that are asked to do nothing, with and without a shortcut around each block."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from ..nets import Residual
from .propagation import draw_normal, generator_of

FACTORS: dict[str, Any] = {"plain": None, "s = 1": 1.0, "s = 1/sqrt(L)": "1/sqrt(L)", "rezero": "rezero"}


def identity_network(kind: str, n_blocks: int, width: int, *, seed: int) -> nn.Sequential:
    r"""Return ``n_blocks`` blocks :math:`W_2\,\mathrm{ReLU}(W_1 x)`, each with a shortcut around it, or all with a ReLU between them where ``kind`` is plain.

    The weights keep the mean square of a signal: variance 2/n in :math:`W_1`, in :math:`W_2` 1/n, or 2/n where a ReLU follows; float64, no biases at the start.

    Args:
        kind: A key of ``FACTORS``.
        n_blocks: L.
        width: Features everywhere.
        seed: Seeds the weights; every kind gets the same ones, up to the factor above.
    """
    source = generator_of(seed)
    blocks: list[nn.Module] = []
    for number in range(n_blocks):
        goes_on = kind == "plain" and number < n_blocks - 1
        branch = nn.Sequential(_linear(width, 2.0, source), nn.ReLU(), _linear(width, 2.0 if goes_on else 1.0, source))
        if kind == "plain":
            blocks.append(nn.Sequential(branch, nn.ReLU()) if goes_on else branch)
        else:
            blocks.append(Residual(branch, scale=FACTORS[kind], depth=n_blocks))
    return nn.Sequential(*blocks)


def _linear(width: int, variance: float, source: torch.Generator) -> nn.Linear:
    linear: nn.Linear = nn.utils.skip_init(nn.Linear, width, width, dtype=torch.float64)
    draw_normal(linear.weight, math.sqrt(variance / width), source)
    nn.init.zeros_(linear.bias)
    return linear


def relative_error(model: nn.Module, x: Tensor) -> Tensor:
    r"""Return :math:`\lVert y - x \rVert^2 / \lVert x \rVert^2` over the whole batch."""
    error: Tensor = (model(x) - x).square().sum() / x.square().sum()
    return error


def branch_ratios(model: nn.Sequential, x: Tensor) -> list[float]:
    r"""Return for each block how much it changes what it gets, :math:`\lVert f(x) \rVert / \lVert x \rVert`, as root mean squares over the batch."""
    found = []
    with torch.no_grad():
        for block in model:
            y = block(x)
            found.append(float((y - x).norm() / x.norm()))
            x = y
    return found


def learn_identity(model: nn.Sequential, x: Tensor, *, steps: int, learning_rate: float, every: int) -> tuple[list[float], list[list[float]]]:
    """Train a network to return ``x`` by Adam on the full batch; return the error before every step and after the last, and the branches' ratios.

    Args:
        model: Is trained.
        x: Inputs and targets.
        steps: Number of optimizer steps.
        learning_rate: Adam's.
        every: After so many steps the ratios of all blocks are recorded.
    """
    optimizer = torch.optim.Adam(model.parameters(), learning_rate, fused=True)
    errors, ratios = [], []
    for step in range(steps + 1):
        error = relative_error(model, x)
        errors.append(float(error.detach()))
        if step % every == 0:
            ratios.append(branch_ratios(model, x))
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    return errors, ratios
