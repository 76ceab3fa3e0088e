"""Networks and losses of two weights, whose surface can be seen whole: exact values, gradients and Hessians."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError, unknown_name
from ..records import Sentence
from .formulas import evaluate, names_in
from .landscape import Surface

Extent = tuple[float, float, float, float]
# Networks y(x) of two weights, and losses of two weights that show one thing each; (formula, extent).
NETWORKS: dict[str, tuple[str, Extent]] = {
    "product": ("w2*w1*x", (-2.5, 2.5, -2.5, 2.5)),
    "tanh": ("w2*tanh(w1*x)", (-5.0, 5.0, -2.5, 2.5)),
    "relu": ("w2*relu(w1*x)", (-2.5, 2.5, -2.5, 2.5)),
    "line": ("w1*x + w2", (-1.5, 2.5, -2.0, 2.0)),
}
LOSSES: dict[str, tuple[str, Extent]] = {
    "quadratic": ("(10*w1^2 + w2^2)/2", (-1.5, 1.5, -3.0, 3.0)),
    "double_well": ("(w1^2 - 1)^2/4 + w2^2/2", (-1.8, 1.8, -1.5, 1.5)),
    "uneven_wells": ("(w1^2 - 1)^2/4 + w1/10 + w2^2/2", (-1.8, 1.8, -1.5, 1.5)),
    "saddle": ("(w2^2 - w1^2)/2 + w1^4/4", (-1.8, 1.8, -1.5, 1.5)),
    "four_minima": ("(w1^2 + w2 - 11)^2 + (w1 + w2^2 - 7)^2", (-5.0, 5.0, -5.0, 5.0)),
    "bent_valley": ("(1 - w1)^2 + 100*(w2 - w1^2)^2", (-1.8, 1.8, -0.8, 2.6)),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TwoWeights:
    r"""A loss of two weights, in float64.

    Attributes:
        name: What it is called.
        formula: What is written below it.
        of: ``fn(w1, w2)`` of tensors of one shape, entry by entry; of shape ``(…, examples)`` for a network on data.
        extent: ``(w1_min, w1_max, w2_min, w2_max)`` that suits it.
        n_examples: Size of the data, 0 for a loss without data.

    Example:
        >>> ridge = two_weights("product", data=([1.0], [1.0]))  # L = (w1 w2 - 1)² / 2
        >>> ridge.value(torch.tensor([2.0, 1.0])), ridge.gradient(torch.tensor([2.0, 1.0]))
        (tensor(0.5000, dtype=torch.float64), tensor([1., 2.], dtype=torch.float64))
    """

    name: str
    formula: str
    of: Callable[[Tensor, Tensor], Tensor]
    extent: Extent
    n_examples: int = 0

    def value(self, points: Tensor) -> Tensor:
        """Return the losses at ``points``, shape ``(…, 2)``."""
        flat = points.double()
        if not self.n_examples:
            return self.of(flat[..., 0], flat[..., 1])
        return self.of(flat[..., 0:1], flat[..., 1:2]).mean(-1)

    def gradient(self, points: Tensor) -> Tensor:
        """Return the gradients, shape ``(…, 2)``; they can be differentiated again where ``points`` require it."""
        return _slope(points, self.value)

    def sampled_gradient(self, points: Tensor, chosen: Tensor) -> Tensor:
        """Return the gradients of the mean loss over some examples only.

        Args:
            points: Shape ``(starts, 2)``.
            chosen: Indices of examples, shape ``(starts, batch)``.

        Raises:
            UsageError: There are no examples to sample.
        """
        if not self.n_examples:
            raise UsageError(f"SGD samples examples, and {self.name} has none: choose a network on data ({', '.join(NETWORKS)}), or gradient descent.")

        return _slope(points, lambda at: self.of(at[..., 0:1], at[..., 1:2]).gather(-1, chosen).mean(-1))

    def hessian(self, points: Tensor) -> Tensor:
        """Return the Hessians, shape ``(…, 2, 2)``."""
        at = points.detach().double().requires_grad_(True)
        slope = self.gradient(at)
        return torch.stack([_derivative(slope[..., k].sum(), at) for k in (0, 1)], -2)


def _slope(points: Tensor, value: Callable[[Tensor], Tensor]) -> Tensor:
    with torch.enable_grad():
        at = points.double() if points.requires_grad else points.detach().double().requires_grad_(True)
        return _derivative(value(at).sum(), at, again=points.requires_grad)


def _derivative(total: Tensor, at: Tensor, *, again: bool = False) -> Tensor:
    """Return the derivative; zero where ``total`` does not depend on ``at``, as that of a straight line's slope."""
    if not total.requires_grad:
        return torch.zeros_like(at)
    found = torch.autograd.grad(total, at, create_graph=again, retain_graph=True, allow_unused=True)[0]
    return torch.zeros_like(at) if found is None else found


def two_weights(
    what: str | Callable[[Tensor, Tensor], Tensor] | TwoWeights, *, data: tuple[Any, Any] | None = None, extent: Extent | None = None
) -> TwoWeights:
    r"""Return a loss of two weights.

    Args:
        what: A name (``product``, ``tanh``, ``relu``, ``line``; ``quadratic``, ``double_well``, ``uneven_wells``, ``saddle``, ``four_minima``,
            ``bent_valley``); a formula of ``w1`` and ``w2``, with ``x`` where it is a network's output and not the loss itself; or a function
            of two tensors.
        data: ``(x, y)`` for a network; by default the 100 flowers versicolor and virginica of Fisher's Iris: petal length, standardised, against
            the species as -1 and 1.
        extent: ``(w1_min, w1_max, w2_min, w2_max)``.

    Returns:
        The loss; of a network :math:`\frac12 \overline{(\hat y - y)^2}`.

    Raises:
        UsageError: The formula cannot be read, or the data do not fit.
    """
    if isinstance(what, TwoWeights):
        return what
    if callable(what):
        return TwoWeights(name="f(w1, w2)", formula="f(w1, w2)", of=what, extent=extent or (-2.0, 2.0, -2.0, 2.0))
    known = {**NETWORKS, **LOSSES}
    if what.isidentifier() and what not in known and what not in ("w1", "w2"):
        raise unknown_name("surface", what, known)
    formula, usual = known.get(what, (what, (-2.0, 2.0, -2.0, 2.0)))
    if "x" not in names_in(formula):
        if data is not None:
            raise UsageError(f"Data are given, but the formula {formula} has no x: write the network's output, for example w2*tanh(w1*x).")
        evaluate(formula, _probe())
        return TwoWeights(name=what, formula=f"L = {formula}", of=lambda w1, w2: evaluate(formula, {"w1": w1, "w2": w2}), extent=extent or usual)
    evaluate(formula, {**_probe(), "x": torch.zeros(1, dtype=torch.float64)})
    x, y = _data(data)

    def of(w1: Tensor, w2: Tensor) -> Tensor:
        return (evaluate(formula, {"w1": w1, "w2": w2, "x": x}) - y).square() / 2

    return TwoWeights(name=what, formula=f"L = mean (y - {formula})²/2, {len(x)} examples", of=of, extent=extent or usual, n_examples=len(x))


def two_weight_surface(
    what: str | Callable[[Tensor, Tensor], Tensor] | TwoWeights = "tanh",
    *,
    data: tuple[Any, Any] | None = None,
    resolution: int = 101,
    extent: Extent | None = None,
) -> Surface:
    """Return the exact and whole surface of a loss of two weights.

    Args:
        what: As for :func:`two_weights`.
        data: ``(x, y)`` for a network.
        resolution: Points per side.
        extent: ``(w1_min, w1_max, w2_min, w2_max)``.

    Example:
        >>> found = two_weight_surface("double_well", resolution=5, extent=(-1.0, 1.0, -1.0, 1.0))
        >>> found.values[2].tolist()  # along w2 = 0: minima at ±1, a barrier of 1/4 at 0
        [0.0, 0.140625, 0.25, 0.140625, 0.0]
    """
    function = two_weights(what, data=data, extent=extent)
    low_a, high_a, low_b, high_b = extent or function.extent
    if resolution < 2 or not (low_a < high_a and low_b < high_b):
        raise UsageError("A surface needs two points to a side or more and an extent (w1_min, w1_max, w2_min, w2_max) that is not empty.")
    a, b = np.linspace(low_a, high_a, resolution), np.linspace(low_b, high_b, resolution)
    columns, rows = np.meshgrid(a, b)
    values = function.value(torch.as_tensor(np.stack([columns, rows], -1))).numpy()
    said = Sentence(function.formula, function.formula)
    return Surface(values=values, a=a, b=b, labels=(Sentence("w₁", "w₁"), Sentence("w₂", "w₂")), n_computed=resolution, said=(said,))


def _data(data: tuple[Any, Any] | None) -> tuple[Tensor, Tensor]:
    if data is None:
        from sklearn.datasets import load_iris

        flowers, species = load_iris(return_X_y=True)
        petals = flowers[species > 0, 2]
        data = ((petals - petals.mean()) / petals.std(), 2.0 * species[species > 0] - 3.0)
    x, y = (torch.as_tensor(np.asarray(values), dtype=torch.float64).reshape(-1) for values in data)
    if len(x) != len(y) or not len(x):
        raise UsageError(f"Data of a two-weight network should be as many x as y, and are {len(x)} and {len(y)}.")
    return x, y


def _probe() -> dict[str, Tensor]:
    return {name: torch.zeros(1, dtype=torch.float64) for name in ("w1", "w2")}
