"""Is a function affine? Asked at random points of many sizes, never proved by looking at names."""

import copy
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from .flat_network import InputOutputMap

SCALES = (1.0, 1e-3, 1e3, 1e6)  # in units of the data's own variation: a small curvature grows with size, a bounded one is plain at size 1
SCALES_SINGLE = (1.0, 1e-2, 1e2)
WEIGHTS = (0.3, -1.3, 2.1, 0.7)  # inside and outside of the segment
N_ROUNDINGS = 32.0  # rounding errors of sums grow like their root; measured noise is one draw of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Affinity:
    r"""How well :math:`f(\lambda a + (1-\lambda) b) = \lambda f(a) + (1-\lambda) f(b)` holds.

    Attributes:
        is_affine: It holds at all sizes, and the function is finite and not random.
        affine_on_data: It holds between the example's rows, or near the row if there is only one.
        affine_for_one_draw: As ``is_affine``, for one fixed draw of a network that draws random numbers.
        residual: Largest violation relative to the size of the three terms, per output.
        worst_scale: The input size of that violation, in units of the data's variation.
        tolerance: Largest violation that counts as rounding.
        is_finite: Whether all outputs were finite.
        is_random: Whether another seed gives another output.
        keeps_state: Whether the same input gave another output after a different one.
        affine_in: For each input alone, where there are several.
    """

    is_affine: bool
    affine_on_data: bool
    affine_for_one_draw: bool
    residual: float
    worst_scale: float
    tolerance: float
    is_finite: bool
    is_random: bool
    keeps_state: bool
    affine_in: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Violation:
    """The largest violation at one size; ``output`` is the largest output met."""

    residual: float
    is_rounding: bool
    is_finite: bool
    output: float


def affinity(function: InputOutputMap, *, tolerance: float | None = None) -> Affinity:
    """Return how affine ``function`` is.

    The points are centred at zero and at the data, at sizes from a thousandth to a million times the data's variation (a hundredth to a hundred in single
    precision). A violation above ``tolerance`` still counts as rounding where it is no larger than what one rounding of every weight and input changes:
    two large terms that cancel leave nothing else.

    Args:
        function: The network.
        tolerance: Relative; the rounding unit to the power 0.6 by default (4e-10 in float64, 7e-5 in float32).
    """
    tolerance = function.rounding**0.6 if tolerance is None else tolerance
    generator = torch.Generator().manual_seed(1)
    keeps_state = _keeps_state(function)
    on_data = _violation(function, *_data_points(function, generator), tolerance)
    worst, worst_scale, is_affine, largest = on_data, 0.0, on_data.is_rounding and on_data.is_finite, on_data.output
    for scale in SCALES if function.rounding < 1e-12 else SCALES_SINGLE:
        found = _violation(function, *_points(function, scale, generator), tolerance)
        if not found.is_finite and largest * scale * 1e6 > torch.finfo(function.dtype).max and is_affine:
            continue  # a linear network overflows here as well
        largest = max(largest, found.output / scale)
        if (found.is_rounding, found.is_finite, -found.residual) < (worst.is_rounding, worst.is_finite, -worst.residual):
            worst, worst_scale = found, scale
        is_affine = is_affine and found.is_rounding and found.is_finite
    return Affinity(
        is_affine=is_affine and not function.is_random and not keeps_state,
        affine_on_data=on_data.is_rounding and on_data.is_finite and not function.is_random and not keeps_state,
        affine_for_one_draw=is_affine,
        residual=worst.residual,
        worst_scale=worst_scale,
        tolerance=tolerance,
        is_finite=worst.is_finite,
        is_random=function.is_random,
        keeps_state=keeps_state,
        affine_in=_in_each_input(function, tolerance, is_affine, generator),
    )


def _n_pairs(function: InputOutputMap) -> int:
    """Return how many pairs of points are tried per size: one pair in many dimensions crosses more kinks than one in few."""
    return 8 if function.n_inputs <= 1000 else 4 if function.n_inputs <= 100_000 else 2


def _points(function: InputOutputMap, scale: float, generator: torch.Generator, columns: slice = slice(None)) -> tuple[Tensor, Tensor, Tensor]:
    """Return random points ``a`` and ``b`` and weights; half of the pairs about zero, half about the data; outside ``columns`` as the data."""
    n_pairs = _n_pairs(function)
    data = function.rows[torch.arange(n_pairs) % len(function.rows)]
    centre = torch.where(torch.arange(n_pairs)[:, None].to(data.device) % 2 == 0, data, torch.zeros_like(data))
    ends = []
    for _ in range(2):
        end = data[:1].expand_as(data).clone()
        end[:, columns] = (centre + scale * function.scale * _normal(data, generator))[:, columns]
        ends.append(end)
    weights = torch.tensor(WEIGHTS).to(data)[torch.arange(n_pairs) // 2 % len(WEIGHTS), None]
    return ends[0], ends[1], weights


def _data_points(function: InputOutputMap, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return pairs of the example's rows and weights inside the segment; near the row where there is one only."""
    rows = function.rows
    n_pairs = _n_pairs(function)
    first = torch.randint(len(rows), (n_pairs,), generator=generator)
    second = (first + torch.randint(1, max(2, len(rows)), (n_pairs,), generator=generator)) % len(rows)
    a, b = rows[first], rows[second]
    if len(rows) == 1:
        size = 1e-3 * function.scale
        a, b = a + size * _normal(a, generator), b + size * _normal(b, generator)
    return a, b, torch.rand(n_pairs, 1, generator=generator).to(rows)


def _violation(function: InputOutputMap, a: Tensor, b: Tensor, weights: Tensor, tolerance: float) -> _Violation:
    between = weights * a + (1 - weights) * b
    at_a, at_b, at_between = (function.in_chunks(points).double() for points in (a, b, between))
    terms = torch.stack([weights * at_a, (1 - weights) * at_b, at_between])
    if not bool(torch.isfinite(terms).all()):
        return _Violation(float("inf"), False, False, float("inf"))
    size = terms.abs().amax((0, 1))
    error = (at_between - weights * at_a - (1 - weights) * at_b).abs().amax(0)
    residual = float((error / size.clamp_min(torch.finfo(torch.float64).tiny)).max())
    small = error <= tolerance * size
    is_rounding = bool(small.all())
    if not is_rounding and _explained_by_rounding(function, torch.cat([a, b, between]), error, small):
        is_rounding, residual = True, float((error * small / size.clamp_min(torch.finfo(torch.float64).tiny)).max())
    return _Violation(residual, is_rounding, True, float(size.max()))


def _explained_by_rounding(function: InputOutputMap, points: Tensor, error: Tensor, small: Tensor) -> bool:
    """Tell whether ``error`` is no larger than what rounding weights and inputs once more changes.

    The change must also grow with the rounding as a linear one does: in a chaotic network any rounding changes everything, and explains nothing.
    """
    plain = function.in_chunks(points).double()
    noise, coarse = ((_rounded(function, points, size).double() - plain).abs().amax(0) for size in (function.rounding, 1e3 * function.rounding))
    is_linear = coarse >= 30.0 * noise
    return bool((small | ((error <= N_ROUNDINGS * noise) & is_linear)).all())


def _rounded(function: InputOutputMap, points: Tensor, size: float) -> Tensor:
    """Return the outputs with every weight and input changed by up to ``size``, relatively."""
    generator = torch.Generator().manual_seed(2)
    model = copy.deepcopy(function.model)
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            if tensor.is_floating_point():
                tensor.mul_(1 + size * _normal(tensor, generator))
        return replace(function, model=model).in_chunks(points * (1 + size * _normal(points, generator)))


def _keeps_state(function: InputOutputMap) -> bool:
    """Tell whether the same row gives another output after a different one."""
    row = function.rows[:1]
    outputs = [function.in_chunks(rows) for rows in (row, row + function.scale, row)]
    return not torch.equal(outputs[0].nan_to_num(), outputs[2].nan_to_num())


def _in_each_input(function: InputOutputMap, tolerance: float, is_affine: bool, generator: torch.Generator) -> dict[str, bool]:
    if len(function.inputs) < 2:
        return {}
    if is_affine:
        return {part.name: True for part in function.inputs}
    answers = {}
    for part in function.inputs:
        found = [_violation(function, *_points(function, scale, generator, part.columns), tolerance) for scale in (1.0, 1e3)]
        answers[part.name] = all(violation.is_rounding and violation.is_finite for violation in found)
    return answers


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, dtype=torch.float64).to(like)
