"""The spectral density of a symmetric operator by stochastic Lanczos quadrature, with its error between probes; whole where the matrix is small."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

from ..errors import UsageError
from .krylov import random_rows, tridiagonal
from .lanczos import SymmetricOperator
from .mean_products import dense

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SpectralDensity:
    r"""Where the eigenvalues lie: for each probe a sum of point masses that add up to 1.

    Attributes:
        nodes: Eigenvalues (Ritz values), one array per probe.
        weights: Their masses, one array per probe.
        n_entries: How many eigenvalues there are.
        is_whole: Whether ``nodes`` are all eigenvalues, so that nothing is random.
        n_products: Operator products made.
    """

    nodes: tuple[Floats, ...]
    weights: tuple[Floats, ...]
    n_entries: int
    is_whole: bool
    n_products: int

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest node."""
        together = np.concatenate(self.nodes)
        return float(together.min()), float(together.max())

    @property
    def resolution(self) -> float:
        """The mean distance of nodes: what lies closer together cannot be told apart (no limit where all eigenvalues are known)."""
        low, high = self.ends
        return (high - low) / max(1, max(map(len, self.nodes)) - 1)

    def count(self, low: float, high: float) -> tuple[float, float]:
        """Return how many eigenvalues lie in [``low``, ``high``], with one standard error between probes."""
        parts = [float(weights[(nodes >= low) & (nodes <= high)].sum()) for nodes, weights in zip(self.nodes, self.weights, strict=True)]
        mean, error = _mean_and_error(np.array(parts)[:, None])
        return self.n_entries * float(mean[0]), self.n_entries * float(error[0])

    def moment(self, order: int) -> tuple[float, float]:
        r"""Return :math:`\sum_i \lambda_i^p` (the trace for ``order`` 1), with one standard error between probes."""
        parts = [float((weights * nodes**order).sum()) for nodes, weights in zip(self.nodes, self.weights, strict=True)]
        mean, error = _mean_and_error(np.array(parts)[:, None])
        return self.n_entries * float(mean[0]), self.n_entries * float(error[0])

    def heights(self, places: Floats, width: float | None = None) -> tuple[Floats, Floats]:
        r"""Return the density at ``places``, smoothed by a Gaussian of standard deviation ``width``, and its standard error between probes.

        Its integral is 1. ``width`` is by default the resolution, and never finer than the places are spaced.
        """
        spacing = float(np.median(np.diff(places))) if len(places) > 1 else 0.0
        sigma = max(self.resolution if width is None else width, spacing, math.ulp(max(map(abs, self.ends))) or math.ulp(1.0))
        curves = [
            (weights * np.exp(-(((places[:, None] - nodes) / sigma) ** 2) / 2.0)).sum(1) / (sigma * math.sqrt(2.0 * math.pi))
            for nodes, weights in zip(self.nodes, self.weights, strict=True)
        ]
        return _mean_and_error(np.array(curves))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        low, high = self.ends
        plain = {"n": self.n_entries, "is_whole": self.is_whole, "products": self.n_products, "smallest": low, "largest": high, "resolution": self.resolution}
        return {**plain, "nodes": [nodes.tolist() for nodes in self.nodes], "weights": [weights.tolist() for weights in self.weights]}


def spectral_density(operator: SymmetricOperator, *, probes: int = 6, steps: int = 60, generator: torch.Generator) -> SpectralDensity:
    r"""Return the spectral density of ``operator``.

    From a random unit vector :math:`v`, ``steps`` of Lanczos give a tridiagonal matrix; its eigenvalues :math:`\theta_j` and the squared first components
    :math:`\tau_j^2` of its eigenvectors are the Gauss quadrature of :math:`v^\top f(A) v`, whose mean over :math:`v` is :math:`\operatorname{tr} f(A)/n`.
    Where the whole matrix costs no more products, all its eigenvalues are taken instead.

    Args:
        operator: Any symmetric operator.
        probes: Random vectors; two or more, for an error between them.
        steps: Products for each.
        generator: The source of the probes.

    Returns:
        The density; a probe whose products are not finite ends early.

    Raises:
        UsageError: Fewer than two probes or steps.

    Limits:
        The ends are sharp, the bulk is not: nodes lie about ``resolution`` apart there. A single eigenvalue's mass of 1/n is found to within the error only.

    References:
        Golub and Meurant 1994; Lin, Saad and Yang 2016, "Approximating spectral densities of large matrices"; Ghorbani, Krishnan and Xiao 2019
        (arXiv 1901.10159).

    Example:
        >>> from kazami.curvature import HessianProducts
        >>> x = torch.ones(4, dtype=torch.float64, requires_grad=True)
        >>> loss = (torch.tensor([0.0, 0.0, 1.0, 5.0]) * x**2).sum() / 2
        >>> spectral_density(HessianProducts(loss, [x]), generator=torch.Generator().manual_seed(0)).count(-0.1, 0.1)
        (2.0, 0.0)
    """
    if min(probes, steps) < 2:
        raise UsageError(f"A spectral density needs two probes of two steps or more, for an error between them, but it is given {probes} of {steps}.")
    n = operator.n_entries
    if n <= probes * steps:
        values = torch.linalg.eigvalsh(dense(operator).double().cpu()).numpy()
        return SpectralDensity((values,), (np.full(n, 1.0 / n),), n, True, n)
    nodes, weights, made = [], [], 0
    for _ in range(probes):
        diagonal, beside = tridiagonal(operator, random_rows(operator, 1, generator)[0], steps)
        made += len(diagonal)
        values, vectors = eigh_tridiagonal(diagonal, beside[: len(diagonal) - 1])
        nodes.append(values)
        weights.append(vectors[0] ** 2)
    return SpectralDensity(tuple(nodes), tuple(weights), n, False, made)


def _mean_and_error(parts: Floats) -> tuple[Floats, Floats]:
    """Return the mean over the first axis and its standard error; zero where there is one part only, which is exact."""
    if len(parts) == 1:
        return parts[0], np.zeros_like(parts[0])
    return parts.mean(axis=0), parts.std(axis=0, ddof=1) / math.sqrt(len(parts))
