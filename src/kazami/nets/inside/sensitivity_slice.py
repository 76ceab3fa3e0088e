"""A map of a network's sensitivity over a two-dimensional slice of its input space."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ...reports.figures import INK, PATH, drawing, new_figure
from ...reports.numerals import short
from .flat_network import InputOutputMap
from .input_output_map import input_output_map
from .jacobian import JacobianProducts, singular_triplets

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityMap:
    r"""The largest singular value of the Jacobian at :math:`x + a\,u + b\,v`.

    Attributes:
        a: Distances along the first direction, shape ``(points,)``, in the unit of the input.
        b: Along the second.
        values: :math:`\sigma_1`, shape ``(points, points)``: ``values[i, j]`` at ``b[i]``, ``a[j]``.
        largest: Index of the largest output at each point, same shape: the class regions of a classifier.
        direction_a: Unit direction, shape ``(n_inputs,)``.
        direction_b: Unit direction, orthogonal to the first.
        is_default: Whether the directions are the two most amplifying ones at the point.
    """

    a: Tensor
    b: Tensor
    values: Tensor
    largest: Tensor
    direction_a: Tensor
    direction_b: Tensor
    is_default: bool

    def figure(self, language: str = "en") -> "Figure":
        """Return the map as a figure: darker is more sensitive, lines part the regions of the largest output."""
        japanese = language == "ja"
        low, high = short(float(self.values.min())), short(float(self.values.max()))
        with drawing():
            figure, axes = new_figure(width=5.6, height=4.6)
            grid = self.a.numpy(), self.b.numpy()
            shown = axes.pcolormesh(*grid, self.values.numpy(), cmap="Blues", shading="nearest", rasterized=True)
            bar = figure.colorbar(shown, ax=axes)
            bar.set_label("最大特異値 σ₁（出力／入力）" if japanese else "largest singular value σ₁ (output per input)")
            classes = self.largest.unique().tolist()
            for number in classes[1:]:
                axes.contour(*grid, (self.largest == number).double().numpy(), levels=[0.5], colors=INK, linewidths=0.9)
            axes.plot([0.0], [0.0], marker="+", color=PATH, markersize=11, markeredgewidth=2)
            names = ("first", "second") if self.is_default else ("given", "given")
            axes.set_xlabel("第 1 の方向の距離（入力の単位）" if japanese else f"distance along the {names[0]} direction (input units)")
            axes.set_ylabel("第 2 の方向の距離（入力の単位）" if japanese else f"distance along the {names[1]} direction (input units)")
            axes.set_title(f"感度はこの断面で {low} から {high} まで変わる" if japanese else f"Sensitivity varies from {low} to {high} on this slice")
            axes.grid(False)
        return figure


def sensitivity_map(
    model: nn.Module,
    example: Any,
    direction_a: Tensor | None = None,
    direction_b: Tensor | None = None,
    *,
    keywords: dict[str, Any] | None = None,
    row: int = 0,
    extent: float | None = None,
    points: int = 41,
) -> SensitivityMap:
    """Return the network's sensitivity over the plane through one row of ``example`` that two directions span.

    Args:
        model: Any module; examined in evaluation mode on a private float64 copy.
        example: One batch; ``row`` of it is the centre.
        direction_a: Any tensor of ``n_inputs`` numbers, its length does not matter; the most amplifying direction at the centre by default.
        direction_b: Likewise the second; made orthogonal to the first.
        keywords: Keyword arguments of the forward pass.
        row: Which row.
        extent: Half of the width of the square, in the unit of the input; the typical distance of a row from the mean by default.
        points: Points along each side.

    Raises:
        UsageError: A direction has the wrong size, is zero, or they are parallel.

    Limits:
        A slice hides all other directions: a calm slice does not make a calm network.

    Example:
        >>> made = sensitivity_map(nn.Linear(3, 2), torch.zeros(1, 3), points=3)
        >>> made.values.shape, bool((made.values.std() < 1e-9).item())
        (torch.Size([3, 3]), True)
    """
    function = input_output_map(model, example, keywords)
    if function.n_inputs < 2:
        raise UsageError("A slice needs at least two inputs, and the model has one.")
    if not -len(function.rows) <= row < len(function.rows):
        raise UsageError(f"row should be one of the {len(function.rows)} rows of the example, and is {row}.")
    centre, context = function.rows[[row]], function.each_row[[row]]
    products = JacobianProducts(function)
    first, second = _directions(products, centre, context, direction_a, direction_b)
    reach = float(torch.linalg.vector_norm(function.scale)) if extent is None else extent
    along = torch.linspace(-reach, reach, points, dtype=torch.float64).to(centre)
    grid = centre + (along[None, :, None] * first + along[:, None, None] * second).reshape(-1, function.n_inputs)
    values, largest = _values(products, function, grid, context)
    return SensitivityMap(
        a=along.cpu(),
        b=along.cpu(),
        values=values.reshape(points, points),
        largest=largest.reshape(points, points),
        direction_a=first,
        direction_b=second,
        is_default=direction_a is None and direction_b is None,
    )


def _values(products: JacobianProducts, function: InputOutputMap, grid: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
    values, largest = [], []
    for part in grid.split(max(1, min(256, function.chunk // 8))):
        everywhere = context.expand(len(part))
        values.append(singular_triplets(products, part, k=1, context=everywhere, tolerance=1e-3).values[:, 0].double().cpu())
        largest.append(function.in_chunks(part, everywhere).argmax(1).cpu())
    return torch.cat(values), torch.cat(largest)


def _directions(products: JacobianProducts, centre: Tensor, context: Tensor, a: Tensor | None, b: Tensor | None) -> tuple[Tensor, Tensor]:
    own = list(singular_triplets(products, centre, k=2, context=context).right[0])
    axes = torch.eye(centre.shape[1], dtype=centre.dtype)[:3]
    candidates = [*([a] if a is not None else []), *([b] if b is not None else []), *own, *axes]
    found: list[Tensor] = []
    n_given = (a is not None) + (b is not None)
    for number, candidate in enumerate(candidates):
        if candidate.numel() != centre.shape[1]:
            raise UsageError(f"A direction should have {centre.shape[1]} numbers, one per input, and has {candidate.numel()}.")
        vector = candidate.detach().to(centre).flatten()
        rest = vector - sum((known * (known @ vector) for known in found), torch.zeros_like(vector))
        length = torch.linalg.vector_norm(rest)
        if float(length) > 1e-8 * float(torch.linalg.vector_norm(vector)):
            found.append(rest / length)
        elif number < n_given:
            raise UsageError("The two directions should be different and not zero, and they are parallel or zero.")
        if len(found) == 2:
            break
    return found[0], found[1]
