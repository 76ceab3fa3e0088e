"""What can be computed about activations that do not act on each number alone: gates, softmax and its logarithm, maxout."""

import itertools
import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import UsageError
from .gaussian import REACH
from .interval import Extreme, Interval
from .line import RealLine

_SCALES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
_RANDOM = 500
_GROWTH = 1.5  # between the last two scales: more is growth without bound
_SAME = 1e-10
_NO_EXTREME = Extreme(math.nan)


class VectorProfile:
    r"""The computed properties of one function :math:`\varphi:\mathbb R^n\to\mathbb R^m`.

    In the place of the slope stands the Jacobian :math:`J`, and in the place of its largest value the supremum of the spectral norm :math:`\lVert J\rVert_2`,
    which is the Lipschitz constant. What only functions of one number have (parity, dead zones, …) is NaN or empty here.

    Args:
        function: Takes and returns a float64 tensor; acts on the last axis.
        size: :math:`n`: 2 for a gate (one value and one gate).

    Limits:
        The supremum is the largest of some thousand points: all directions of :math:`\{-1, 0, 1\}^n` and random ones, at scales from 0.1 to 500.
        It is exact where the supremum lies in such a direction, as for all in the catalogue, and a lower bound elsewhere.
    """

    saturation: tuple[Interval, ...] = ()
    dead_zones: tuple[Interval, ...] = ()
    fixed_points: tuple[Interval, ...] = ()
    jumps: tuple[float, ...] = ()
    kinks: tuple[float, ...] = ()
    smoothness = math.nan
    is_smooth = False
    monotone = "–"
    is_monotone = False
    parity = "–"
    at_zero = math.nan
    derivative_maximum = _NO_EXTREME
    derivative_minimum = _NO_EXTREME
    gradient_gain = math.nan
    slope_second_moment = math.nan
    is_backward_right = True

    def __init__(self, function: Callable[[Tensor], Tensor], *, size: int) -> None:
        """Keep the function; nothing is computed yet."""
        self.function = function
        self.size = size

    @cached_property
    def _points(self) -> Tensor:
        corners = torch.tensor(list(itertools.product((-1.0, 0.0, 1.0), repeat=self.size)), dtype=torch.float64)
        generator = torch.Generator().manual_seed(0)
        random = torch.randn(_RANDOM, self.size, generator=generator, dtype=torch.float64)
        return torch.cat([corners, random])

    def jacobian_norms(self, points: Tensor) -> Tensor:
        """Return the spectral norm of the Jacobian at each of ``points``, shape ``(points, size)``."""
        x = points.detach().clone().requires_grad_()
        with torch.enable_grad():
            y = self.function(x)
            rows = [torch.autograd.grad(y[:, i].sum(), x, retain_graph=True)[0] for i in range(y.shape[1])]
        norms: Tensor = torch.linalg.matrix_norm(torch.stack(rows, dim=1), 2)
        return norms

    @cached_property
    def jacobian_norm_max(self) -> float:
        """Supremum of the spectral norm of the Jacobian: the Lipschitz constant; infinite where it grows with the input."""
        largest = [float(self.jacobian_norms(scale * self._points).max()) for scale in _SCALES]
        return math.inf if largest[-1] > _GROWTH * largest[-2] else max(largest)

    @property
    def lipschitz(self) -> float:
        """The smallest L with ``‖φ(x) − φ(y)‖ ≤ L ‖x − y‖``."""
        return self.jacobian_norm_max

    @cached_property
    def range(self) -> Interval:
        """The values of one component, from its behaviour along rays through the origin, each looked at as a function of one number."""
        from .extremes import infimum, supremum

        directions = [*torch.eye(self.size, dtype=torch.float64), torch.ones(self.size, dtype=torch.float64)]
        directions += [2 * directions[0] + directions[1], directions[0] - directions[1]]
        ends: list[tuple[Extreme, Extreme]] = []
        for direction in directions:
            line = RealLine(lambda t, d=direction: self.function(t[..., None] * d)[..., 0])  # type: ignore[misc]
            ends.append((infimum(line), supremum(line)))
        low, high = min(one.value for one, _ in ends), max(one.value for _, one in ends)
        is_low = any(one.is_attained and one.value <= low for one, _ in ends)
        is_high = any(one.is_attained and one.value >= high for _, one in ends)
        return Interval(low, high, is_low_closed=is_low, is_high_closed=is_high)

    @cached_property
    def invariances(self) -> tuple[str, ...]:
        """What leaves the output as it is, or moves it in a known way; each is checked on random inputs."""
        x = 2 * self._points[-_RANDOM:]
        y = self.function(x)
        turned = x[:, torch.roll(torch.arange(self.size), 1)]
        facts = {
            "shift invariant": (self.function(x + 3.7), y),
            "shift equivariant": (self.function(x + 3.7), y + 3.7),
            "homogeneous of degree 1": (self.function(2.5 * x), 2.5 * y),
            "homogeneous of degree 2": (self.function(2.5 * x), 2.5**2 * y),
            "permutation invariant": (self.function(turned), y),
            "permutation equivariant": (self.function(turned), y[:, torch.roll(torch.arange(y.shape[1]), 1)]) if y.shape[1] == self.size else (y, y + 1),
            "sums to one": (y.sum(-1), torch.ones(len(y), dtype=y.dtype)),
            "exponentials sum to one": (y.exp().sum(-1), torch.ones(len(y), dtype=y.dtype)),
        }
        return tuple(name for name, (found, expected) in facts.items() if bool(torch.isclose(found, expected, rtol=_SAME, atol=_SAME).all()))

    @property
    def derivative_max(self) -> float:
        """NaN: see :attr:`jacobian_norm_max`."""
        return math.nan

    @property
    def derivative_min(self) -> float:
        """NaN: see :attr:`jacobian_norm_max`."""
        return math.nan

    @cached_property
    def mean(self) -> float:
        """E φ for independent standard normal inputs; NaN for more than two of them."""
        return self._expected(lambda y: y)

    @property
    def is_zero_centred(self) -> bool:
        """Whether the outputs of standard normal inputs average to zero."""
        return abs(self.mean) < 1e-12

    @cached_property
    def second_moment(self) -> float:
        """E φ² for independent standard normal inputs; NaN for more than two of them, since it depends on their number."""
        return self._expected(lambda y: y * y)

    @property
    def gain(self) -> float:
        r"""The gain :math:`1/\sqrt{\mathbb E\,\varphi^2}` that keeps a unit signal at 1; NaN where the inputs are more than two."""
        return math.nan if math.isnan(self.second_moment) else 1 / math.sqrt(self.second_moment)

    def _expected(self, of: Callable[[Tensor], Tensor]) -> float:
        """Integrate over the plane; the panels of the inner integral are split at 0 and at the diagonal, where these functions have their kinks."""
        if self.size != 2:
            return math.nan
        nodes, weights = np.polynomial.legendre.leggauss(24)
        total = 0.0
        fixed = np.arange(-REACH, REACH + 0.25, 0.5)
        for low in np.arange(-REACH, REACH, 1.0):
            a = low + 0.5 + 0.5 * nodes
            edges = np.sort(np.concatenate([np.broadcast_to(fixed, (a.size, fixed.size)), a[:, None]], axis=1), axis=1)
            half = 0.5 * np.diff(edges, axis=1)[..., None]
            b = edges[:, :-1, None] + half + half * nodes
            pairs = np.stack(np.broadcast_arrays(a[:, None, None], b), axis=-1)
            values = of(self.function(torch.as_tensor(pairs))[..., 0]).numpy()
            density = np.exp(-0.5 * (a[:, None, None] ** 2 + b**2)) / (2 * math.pi)
            inner = (values * density * half * weights).sum(axis=(1, 2))
            total += 0.5 * float((inner * weights).sum())
        return total

    def information_loss(self, **options: Any) -> Any:
        """Refuse: the measure is defined for one number.

        Raises:
            UsageError: Always.
        """
        del options
        raise UsageError("Information loss is measured for activations of one number, and this one takes several at a time.")

    def gradient_loss(self, **options: Any) -> Any:
        """Refuse: the measure is defined for one number.

        Raises:
            UsageError: Always.
        """
        del options
        raise UsageError("Gradient loss is measured for activations of one number, and this one takes several at a time; see jacobian_norm_max.")
