"""How strongly a network answers to small changes of its input, and to which."""

from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ...records import Sentence
from ...reports.numerals import short
from .flat_network import InputOutputMap
from .input_output_map import input_output_map
from .jacobian import JacobianProducts, refuse_wild, singular_triplets
from .lipschitz import local_lipschitz

# Central differences in float64 agree to 1e-9 on smooth networks; a kink within the step (6e-6) or a wrong backward pass leaves percents.
TRUSTED_GAP = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    r"""The input–output Jacobian of each example row in its largest singular values.

    A small change :math:`\varepsilon v_i` of the input changes the output by :math:`\varepsilon \sigma_i u_i`.

    Attributes:
        values: Singular values, shape ``(rows, k)``, largest first; unit: output per input.
        input_directions: Unit directions :math:`v_i` that amplify most, shape ``(rows, k, n_inputs)``.
        output_directions: Where they lead, :math:`u_i`, shape ``(rows, k, n_outputs)``.
        radius: Radius of the ball of ``lipschitz``, in the unit of the input (Euclidean).
        lipschitz: Per row the largest slope found in that ball, shape ``(rows,)``: a *lower* bound of the local Lipschitz constant, by construction.
        derivative_gap: Largest distance of :math:`Jv` from a central difference, relative, per row. Above 1e-3 a backward pass is wrong or a kink is very near.
        residual: Largest relative residual of the singular vectors.
        method: ``"dense"`` or ``"block Krylov"``; and how forward products were made.
        input_names: The inputs that were varied, in the order of the flat row, with their shapes.
        output_names: The outputs, likewise.
        notes: How the network was asked.
    """

    values: Tensor
    input_directions: Tensor
    output_directions: Tensor
    radius: float
    lipschitz: Tensor
    derivative_gap: Tensor
    residual: float
    method: str
    input_names: list[tuple[str, tuple[int, ...]]]
    output_names: list[tuple[str, tuple[int, ...]]]
    notes: list[Sentence] = field(default_factory=list)

    @property
    def said(self) -> list[Sentence]:
        """What the numbers say."""
        top = self.values[:, 0]
        low, middle, high = (short(float(v)) for v in (top.min(), top.median(), top.max()))
        sentences = [
            Sentence(
                f"The most sensitive direction of an input is amplified {middle} times (median over {len(top)} inputs; from {low} to {high}).",
                f"入力の最も敏感な方向の変化は {middle} 倍に増幅されます（{len(top)} 個の入力の中央値、範囲 {low}〜{high}）。",
            ),
            Sentence(
                f"Within a distance of {short(self.radius)} the steepest slope found is {short(float(self.lipschitz.max()))}; "
                "the true local Lipschitz constant is at least that.",
                f"距離 {short(self.radius)} 以内で見つかった最大の傾きは {short(float(self.lipschitz.max()))} です（局所リプシッツ定数の下界）。",
            ),
        ]
        if float(self.derivative_gap.max()) > TRUSTED_GAP:
            gap = short(float(self.derivative_gap.max()))
            sentences.append(
                Sentence(
                    f"The model's own derivative differs from a numerical one by {gap} (relative): a backward pass is wrong, or an input lies on a kink.",
                    f"モデル自身の微分が数値微分と相対値で {gap} 異なります。backward が誤っているか、入力が折れ目の上にあります。",
                )
            )
        return [*sentences, *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the directions' components as plain data."""
        return {
            "singular_values": self.values.tolist(),
            "radius": self.radius,
            "lipschitz_at_least": self.lipschitz.tolist(),
            "derivative_gap": self.derivative_gap.tolist(),
            "residual": self.residual,
            "method": self.method,
            "inputs": [{"name": name, "shape": list(shape)} for name, shape in self.input_names],
            "outputs": [{"name": name, "shape": list(shape)} for name, shape in self.output_names],
            "said": [sentence.en for sentence in self.said],
        }


def sensitivity(
    model: nn.Module,
    example: Any,
    k: int = 3,
    *,
    keywords: dict[str, Any] | None = None,
    radius: float | None = None,
    method: Literal["auto", "dense", "krylov"] = "auto",
    tolerance: float = 1e-6,
    seed: int = 0,
) -> Sensitivity:
    r"""Return the ``k`` largest singular values and vectors of the Jacobian :math:`\partial f / \partial x` at each row, and the steepest slope near it.

    The Jacobian is never stored where it is large: products :math:`Jv` and :math:`J^{\mathsf T}u` suffice (see :mod:`kazami.nets.jacobian`).

    Args:
        model: Any module, evaluated as in evaluation mode on a private float64 copy.
        example: One batch; a row is one point. Where rows interact, the whole batch is one point.
        k: How many singular values.
        keywords: Keyword arguments of the forward pass.
        radius: Of the ball searched for steep slopes; a tenth of the typical distance of a row from the mean by default.
        method: Decompose the built Jacobian, or search; ``"auto"`` by size.
        tolerance: Relative residual at which the search ends.
        seed: Of the search.

    Raises:
        UsageError: ``k`` is below 1, the model cannot be asked, or its derivative is not finite at some row.

    Limits:
        The Jacobian says nothing beyond a small neighbourhood (see :func:`~kazami.nets.inside.local_model.local_model` for its radius). Operations without a
        derivative (sign, argmax) count as flat. ``lipschitz`` comes from a search, and searches miss.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> _ = layer.weight.data.copy_(torch.tensor([[3.0, 0.0], [0.0, 0.5]]))
        >>> found = sensitivity(layer, torch.ones(1, 2))
        >>> [round(value, 6) for value in found.values[0].tolist()], round(float(found.lipschitz), 4)
        ([3.0, 0.5], 3.0)
    """
    if k < 1:
        raise UsageError(f"k should be at least 1, and is {k}.")
    function = input_output_map(model, example, keywords)
    products = JacobianProducts(function)
    context = function.each_row
    triplets = singular_triplets(products, function.rows, k=k, context=context, tolerance=tolerance, method=method, seed=seed)
    refuse_wild(triplets.values, list(range(len(function.rows))))
    reach = float(torch.linalg.vector_norm(function.scale)) / 10 if radius is None else radius
    steep = local_lipschitz(products, reach, triplets=triplets, seed=seed)
    return Sensitivity(
        values=triplets.values,
        input_directions=triplets.right,
        output_directions=triplets.left,
        radius=reach,
        lipschitz=steep,
        derivative_gap=products.derivative_gap(function.rows, _generic(function, seed), context),
        residual=float(triplets.residual.max()),
        method=f"{triplets.method}, {products.way}" if products.way else triplets.method,
        input_names=[(part.name, part.shape) for part in function.inputs],
        output_names=[(part.name, part.shape) for part in function.outputs],
        notes=function.notes,
    )


def _generic(function: InputOutputMap, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(function.rows.shape, generator=generator, dtype=torch.float64).to(function.rows)
