"""Whether a loss is one that kernels know: named by its function, or not, it must give their numbers on any output."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIZES = (1e-3, 0.3, 1.0, 10.0, 300.0)  # of the outputs on which a loss is tried: what bends anywhere (Huber's) is found out
AGREEMENT = 1e-10


@dataclass(frozen=True, slots=True)
class KnownLoss:
    """A loss that kernels know.

    Attributes:
        name: Theirs.
        smoothing: Share of the target that goes to all classes alike.
    """

    name: Literal["cross_entropy", "mse"]
    smoothing: float = 0.0

    def rows(self, target: Tensor, n_outputs: int, n_samples: int) -> np.ndarray | None:
        """Return the targets as rows of outputs in float64, ``None`` if they cannot be."""
        if self.name == "cross_entropy" and not target.is_floating_point():
            if target.dim() != 1 or len(target) != n_samples or n_outputs < 2 or not 0 <= int(target.min()) <= int(target.max()) < n_outputs:
                return None
            found = F.one_hot(target, n_outputs).double()
        elif target.numel() != n_samples * n_outputs or not target.is_floating_point():
            return None
        else:
            found = target.detach().double().reshape(n_samples, n_outputs)
            if self.name == "cross_entropy" and not torch.allclose(found.sum(dim=1), torch.ones(n_samples, dtype=torch.float64, device=found.device)):
                return None
        found = (1.0 - self.smoothing) * found + self.smoothing / n_outputs if self.smoothing else found
        return np.asarray(found.cpu().numpy())

    def value(self, output: Tensor, rows: np.ndarray) -> Tensor:
        """Return the loss as kernels compute it, as a mean."""
        wanted = torch.from_numpy(rows).to(output.device)
        if self.name == "mse":
            return (output - wanted).square().mean()
        return -(wanted * torch.log_softmax(output, dim=1)).sum(dim=1).mean()


def known_loss(loss: Callable[[Any, Any], Tensor], output: Tensor, target: Any) -> KnownLoss | None:
    """Return what ``loss`` is, looked at on outputs shaped like ``output`` with ``target``; ``None`` if it is none that kernels know."""
    if not isinstance(target, Tensor):
        return None
    for candidate in _candidates(loss):
        if factor_of(candidate, loss, output, target) is not None:
            return candidate
    return None


def factor_of(known: KnownLoss, loss: Callable[[Any, Any], Tensor], output: Tensor, target: Tensor) -> float | None:
    """Return the number by which ``loss`` is larger than the mean loss ``known``, the same on many outputs, gradients included; ``None`` if there is none."""
    n_samples = len(output)
    n_outputs = output.numel() // max(n_samples, 1)
    rows = known.rows(target, n_outputs, n_samples)
    if rows is None:
        return None
    factor, generator = None, torch.Generator().manual_seed(0)
    wide = target.double() if target.is_floating_point() else target
    for size in SIZES:
        trial = size * torch.randn(output.shape, generator=generator, dtype=torch.float64).to(output.device)
        pairs = [_with_gradient(lambda x: loss(x, wide), trial), _with_gradient(lambda x: known.value(x.reshape(n_samples, n_outputs), rows), trial)]
        if pairs[0] is None or pairs[1] is None:
            return None
        (value, slope), (expected, steepness) = pairs[0], pairs[1]
        factor = float(value / expected) if factor is None else factor
        if not _agree(value, factor * expected) or not _agree(slope, factor * steepness):
            return None
    return factor


def _candidates(loss: Any) -> list[KnownLoss]:
    if loss is F.cross_entropy:
        return [KnownLoss("cross_entropy")]
    if loss is F.mse_loss or isinstance(loss, nn.MSELoss):
        return [KnownLoss("mse")]
    if isinstance(loss, nn.CrossEntropyLoss):
        return [KnownLoss("cross_entropy", float(loss.label_smoothing))]
    return [KnownLoss("cross_entropy"), KnownLoss("mse")]


def _with_gradient(function: Callable[[Tensor], Tensor], at: Tensor) -> tuple[Tensor, Tensor] | None:
    leaf = at.clone().requires_grad_()
    try:
        with torch.enable_grad():
            value = function(leaf)
            (slope,) = torch.autograd.grad(value, leaf)
    except Exception:  # a loss of the user's own may fail in any way; then it is not one that kernels know
        return None
    return value.detach(), slope


def _agree(found: Tensor, expected: Tensor) -> bool:
    scale = float(expected.abs().max())
    return bool((found - expected).abs().max() <= AGREEMENT * scale)
