"""The linear model that a network is around one input: its matrix, the radius in which it holds, and each input's share."""

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
from .kinks import kink_along, nearest_kink
from .linear_radius import LinearError, linear_radius, unit
from .shares import Shares, shares

MAX_INPUTS_FOR_KINKS = 1024  # one pass each
MAX_ENTRIES = 2**24


class MatrixTooLarge(UsageError):
    """The linear model's matrix has too many entries to be stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    r"""The affine model :math:`f(x) \approx x W + b` that a network is around ``point``.

    Attributes:
        point: The input, flattened, shape ``(n_inputs,)``.
        output: The network's output there, shape ``(n_outputs,)``.
        matrix: Transpose of the Jacobian, shape ``(n_inputs, n_outputs)``.
        bias: So that the model is exact at ``point``, shape ``(n_outputs,)``.
        tolerance: Largest error within ``radius``, relative to the largest change that the model predicts at that distance.
        radius: Largest distance at which no direction tried breaks ``tolerance``, Euclidean, in the unit of the input; ``inf`` where none did. An upper bound
            of the true radius: directions that were not tried may break it earlier.
        worst_direction: The unit direction that breaks it first, shape ``(n_inputs,)``.
        kink_radius: For a piecewise-linear network the exact distance to its nearest kink, up to which the model has no error at all; ``None`` for others, or
            with more than 1024 inputs.
        shares: Each input's share in one output.
        baseline: What the shares are against, shape ``(n_inputs,)``.
        inputs: Names and shapes of the inputs, in the order of the flat row.
        notes: How the network was asked.
    """

    point: Tensor
    output: Tensor
    matrix: Tensor
    bias: Tensor
    tolerance: float
    radius: float
    worst_direction: Tensor
    kink_radius: float | None
    shares: Shares
    baseline: Tensor
    inputs: list[tuple[str, tuple[int, ...]]]
    notes: list[Sentence] = field(default_factory=list)

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the affine model's outputs for flat ``rows``, shape ``(…, n_inputs)``."""
        return rows.to(self.matrix) @ self.matrix + self.bias

    def share_of_each(self, kind: Literal["gradient", "integrated"] = "gradient") -> dict[str, Tensor]:
        """Return the shares in the shapes of the inputs, by name."""
        flat, start, found = getattr(self.shares, kind), 0, {}
        for name, shape in self.inputs:
            size = torch.Size(shape).numel()
            found[name] = flat[start : start + size].reshape(shape)
            start += size
        return found

    @property
    def said(self) -> list[Sentence]:
        """What the numbers say."""
        percent = short(100 * self.tolerance)
        if self.radius == float("inf"):
            first = Sentence(
                "The linear model holds as far as was looked: the network is affine around this input.",
                "調べた範囲では線形モデルが成り立ちます。この入力の周りでネットワークはアフィンです。",
            )
        else:
            first = Sentence(
                f"Within a distance of {short(self.radius)} of this input the network is a linear model to {percent} % (no direction tried breaks it).",
                f"この入力から距離 {short(self.radius)} 以内では、ネットワークは誤差 {percent} % の線形モデルです（試した方向の範囲で）。",
            )
        said = [first]
        if self.kink_radius is not None and self.kink_radius < float("inf"):
            said.append(
                Sentence(
                    f"Up to {short(self.kink_radius)}, the distance to the nearest kink, it is exactly linear.",
                    f"最も近い折れ目までの距離 {short(self.kink_radius)} までは厳密に線形です。",
                )
            )
        gap = abs(self.shares.gradient_gap) / (abs(self.shares.difference) or 1.0)
        said.append(
            Sentence(
                f"The inputs' shares by the local slope leave {short(100 * gap)} % of output {self.shares.output}'s difference from the baseline unexplained; "
                f"integrated along the path they leave {short(100 * abs(self.shares.integrated_gap) / (abs(self.shares.difference) or 1.0))} %.",
                f"局所的な傾きによる各入力の寄与では、出力 {self.shares.output} の基準値との差の {short(100 * gap)} % が説明されません。"
                f"経路に沿って積分した寄与では {short(100 * abs(self.shares.integrated_gap) / (abs(self.shares.difference) or 1.0))} % です。",
            )
        )
        return [*said, *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the matrix as plain data; an infinite radius becomes ``None``."""
        return {
            "tolerance": self.tolerance,
            "radius": None if self.radius == float("inf") else self.radius,
            "holds_as_far_as_looked": self.radius == float("inf"),
            "kink_radius": None if self.kink_radius in (None, float("inf")) else self.kink_radius,
            "output": self.output.tolist(),
            "output_index": self.shares.output,
            "difference": self.shares.difference,
            "shares": self.shares.gradient.tolist(),
            "completeness_gap": self.shares.gradient_gap,
            "integrated_shares": self.shares.integrated.tolist(),
            "integrated_gap": self.shares.integrated_gap,
            "inputs": [{"name": name, "shape": list(shape)} for name, shape in self.inputs],
            "said": [sentence.en for sentence in self.said],
        }


def local_model(
    model: nn.Module,
    example: Any,
    keywords: dict[str, Any] | None = None,
    *,
    row: int = 0,
    output: int | None = None,
    baseline: Tensor | float = 0.0,
    tolerance: float = 0.1,
    seed: int = 0,
) -> LocalModel:
    r"""Return the affine model that ``model`` is around one row of ``example``.

    Args:
        model: Any module; examined in evaluation mode on a private float64 copy.
        example: One batch; ``row`` of it is the point.
        keywords: Keyword arguments of the forward pass.
        row: Which row.
        output: Whose shares, as an index into the flat output row; the largest output by default.
        baseline: What counts as no input: a number, or a tensor of ``n_inputs`` numbers.
        tolerance: Largest error of the model within its radius, relative to the largest change that it predicts at that distance.
        seed: Of the directions tried.

    Raises:
        UsageError: There is no such row or output, the Jacobian has more than 2**24 entries, or the model cannot be asked.

    Limits:
        The radius is found by trying directions, an ascent from the worst included; it is an upper bound. Shares depend on the baseline, and where the gap is
        large the local slope explains little: it answers "what if this changed a bit", not "why".

    References:
        Ribeiro, Singh and Guestrin 2016, "Why should I trust you?" (local linear explanations); Sundararajan, Taly and Yan 2017 (integrated gradients).

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> around = local_model(layer, torch.ones(1, 2))
        >>> torch.allclose(around.matrix.float(), layer.weight.T, atol=1e-6), around.radius, around.kink_radius
        (True, inf, inf)
    """
    function = input_output_map(model, example, keywords)
    _refuse_impossible(function, row, output)
    context = function.each_row[[row]]
    point = function.rows[[row]]
    products = JacobianProducts(function)
    jacobian = products.dense(point, context)[0]
    triplets = singular_triplets(products, point, k=4, context=context)
    refuse_wild(triplets.values, [row])
    at = function.in_chunks(point, context)
    chosen = int(at[0].argmax()) if output is None else output
    origin = torch.as_tensor(baseline).to(point).reshape(1, -1).expand_as(point)
    error = LinearError(products, point, context, jacobian, float(triplets.values[0, 0]))
    reach = float(torch.linalg.vector_norm(function.scale))
    radius, worst = linear_radius(error, triplets, tolerance=tolerance, reach=reach, seed=seed)
    return LocalModel(
        point=point[0],
        output=at[0],
        matrix=jacobian.mT,
        bias=at[0] - point[0] @ jacobian.mT,
        tolerance=tolerance,
        radius=radius,
        worst_direction=worst,
        kink_radius=_kink_radius(function, point, context, error, reach),
        shares=shares(function, point, origin, chosen, context),
        baseline=origin[0].clone(),
        inputs=[(part.name, part.shape) for part in function.inputs],
        notes=function.notes,
    )


def _refuse_impossible(function: InputOutputMap, row: int, output: int | None) -> None:
    if not -len(function.rows) <= row < len(function.rows):
        raise UsageError(f"row should be one of the {len(function.rows)} rows of the example, and is {row}.")
    if function.n_inputs * function.n_outputs > MAX_ENTRIES:
        size = f"{function.n_inputs} × {function.n_outputs}"
        raise MatrixTooLarge(f"The local model would be a matrix of {size}, more than {MAX_ENTRIES} entries. sensitivity(model, example) needs no matrix.")
    if output is not None and not 0 <= output < function.n_outputs:
        raise UsageError(f"output should be between 0 and {function.n_outputs - 1}, and is {output}.")


def _kink_radius(function: InputOutputMap, point: Tensor, context: Tensor, error: LinearError, reach: float) -> float | None:
    """Return the distance to the nearest kink if the network is seen to be linear up to it, along random directions up to the first kink of each."""
    if function.n_inputs > MAX_INPUTS_FOR_KINKS or error.products.way not in ("", "forward mode"):
        return None
    try:
        generator = torch.Generator().manual_seed(5)
        directions = unit(torch.randn(8, function.n_inputs, generator=generator, dtype=torch.float64).to(point))
        limits = [kink_along(function, point, direction[None], context) for direction in directions]
        radii = torch.tensor([min(limit, 1e3 * reach) * 0.999 for limit in limits]).to(point)
        bends = error(directions, radii.clamp_min(torch.finfo(point.dtype).tiny)) > function.rounding**0.5
        return None if bool((bends & (radii > 0)).any()) else nearest_kink(function, point, context)
    except RuntimeError:  # an operation without forward-mode derivative
        return None
