"""Each input's share in one output: gradient times input, and the integrated gradient beside it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .flat_network import InputOutputMap
from .jacobian import JacobianProducts

N_PIECES = 16
MAX_STEPS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    r"""How an output's difference from the baseline's output is divided among the inputs.

    Attributes:
        output: Index of the output in the flat row.
        difference: :math:`f(x) - f(x_0)` of that output.
        gradient: :math:`\partial f / \partial x_i \, (x_i - x_{0i})`, shape ``(n_inputs,)``.
        gradient_gap: ``difference`` minus their sum: what the local slope does not account for; 0 for an affine network.
        integrated: The same with the slope averaged along the straight path from the baseline, shape ``(n_inputs,)``.
        integrated_gap: ``difference`` minus their sum; only the error of the integration.
        n_steps: Points on the path at which the slope was taken.
    """

    output: int
    difference: float
    gradient: Tensor
    gradient_gap: float
    integrated: Tensor
    integrated_gap: float
    n_steps: int


def shares(function: InputOutputMap, row: Tensor, baseline: Tensor, output: int, context: Tensor, *, tolerance: float = 1e-3) -> Shares:
    r"""Return each input's share in ``output`` at ``row`` against ``baseline``.

    The path integral is taken by Gauss's rule of two points on pieces. Each piece must account for its own rise of the output; the pieces that do not, those
    with a kink, are halved until the shares add up to the difference within ``tolerance`` of it, or ``MAX_STEPS`` slopes are taken.

    Args:
        function: The network.
        row: The point, shape ``(1, n)``.
        baseline: What counts as no input, shape ``(1, n)``.
        output: Index in the flat output row.
        context: Shape ``(1,)``.
        tolerance: Largest relative gap of the integrated shares.

    References:
        Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks", equation 1 and proposition 1 (completeness).
    """
    products = JacobianProducts(function)
    ends = function.in_chunks(torch.cat([row, baseline]), context.expand(2))[:, output]
    difference = float(ends[0] - ends[1])
    step = (row - baseline)[0]
    gradient = _slopes(products, row, output, context)[0] * step
    path = _Path(products, baseline, step, output, context)
    integrated, n_steps = path.integral(tolerance * abs(difference))
    gap = difference - float(integrated.sum())
    return Shares(
        output=output,
        difference=difference,
        gradient=gradient,
        gradient_gap=difference - float(gradient.sum()),
        integrated=integrated,
        integrated_gap=gap,
        n_steps=n_steps,
    )


@dataclass(slots=True)
class _Path:
    """The straight way from the baseline to the point, ``step`` long; places on it run from 0 to 1."""

    products: JacobianProducts
    baseline: Tensor
    step: Tensor
    output: int
    context: Tensor

    def integral(self, tolerance: float) -> tuple[Tensor, int]:
        """Return the integrated shares, their sum within ``tolerance`` of the rise where ``MAX_STEPS`` slopes suffice, and the number of slopes taken."""
        edges = torch.linspace(0, 1, N_PIECES + 1).to(self.baseline)
        starts, ends = edges[:-1], edges[1:]
        done, count = torch.zeros_like(self.step), 0
        while True:
            middles, apart = (starts + ends) / 2, (ends - starts) / 12**0.5
            slopes = [_slopes(self.products, self._at(middles + sign * apart), self.output, self.context) for sign in (-1.0, 1.0)]
            pieces = (slopes[0] + slopes[1]) / 2 * self.step * (ends - starts)[:, None]
            count += 2 * len(starts)
            gaps = (self._value(ends) - self._value(starts) - pieces.sum(1)).abs()
            wrong = gaps > tolerance * (ends - starts) / 2  # a piece's fair part, and half of it for what was kept before
            if float(gaps.sum()) <= tolerance / 2 or not bool(wrong.any()) or count + 4 * int(wrong.sum()) > MAX_STEPS:
                return done + pieces.sum(0), count
            done = done + pieces[~wrong].sum(0)
            middles, lows, highs = middles[wrong], starts[wrong], ends[wrong]
            starts, ends = torch.cat([lows, middles]), torch.cat([middles, highs])

    def _at(self, places: Tensor) -> Tensor:
        return self.baseline + places[:, None] * self.step

    def _value(self, places: Tensor) -> Tensor:
        return self.products.function.in_chunks(self._at(places), self.context.expand(len(places)))[:, self.output]


def _slopes(products: JacobianProducts, points: Tensor, output: int, context: Tensor) -> Tensor:
    """Return the gradient of one output at each point, shape ``(points, n)``."""
    pick = torch.zeros(1, products.function.n_outputs).to(points)
    pick[0, output] = 1.0
    step = max(1, min(256, products.function.chunk))
    parts = [products.backward(part, pick.expand(len(part), -1), context.expand(len(part))) for part in points.split(step)]
    return torch.cat(parts)
