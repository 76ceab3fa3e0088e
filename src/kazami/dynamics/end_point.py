"""Linear stability where a training came to rest, against how it really relaxes there."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs
from torch import Tensor

from ..maps import AbstractMap, Training
from ..records.estimate import Remark
from .source import as_map, must_be_count, must_be_deterministic, must_fit

Floats = NDArray[np.float64]
Relaxation = Literal["exponential", "power_law", "at_rest", "not_relaxing"]

LARGEST_WHOLE = 600  # dimension up to which the whole Jacobian is made
LEAST_CORRELATION = 0.9  # between the logarithm of the distance and time (or its logarithm), before a fall is called a relaxation
LEADING = 12  # multipliers asked for beyond that


@dataclass(frozen=True, slots=True)
class EndPoint:
    r"""An end point of training, in linear theory and as measured.

    Attributes:
        multipliers: Eigenvalues of the step's Jacobian (of one pass over the batches), largest absolute value first: all of them, or the leading ones.
        n_unstable: How many are outside the unit circle by more than ``1 / steps``.
        n_neutral: How many are within ``1 / steps`` of absolute value 1: along them nothing relaxes during the measurement. A manifold of minima has as many
            as its dimension.
        is_whole: Whether ``multipliers`` are all.
        predicted_rate: :math:`\ln |\mu|` of the slowest direction that does relax, per step; NaN where none was found.
        measured_rate: Slope of :math:`\ln \lVert x(t) - x(T) \rVert`, per step, over the part in which the distance falls; NaN where there is none.
        exponent: Slope of :math:`\ln \lVert x(t) - x(T) \rVert` against :math:`\ln t`.
        relaxation: ``"exponential"``, ``"power_law"``, ``"at_rest"`` (nothing moves any more), ``"not_relaxing"`` (it moves on, or oscillates without coming
            to rest).
        kept: Fraction of a random small perturbation of the parameters that is still there after ``steps``: 0 at an isolated minimum, 1 where nothing comes
            back.
        warnings: What may be wrong with it.
    """

    multipliers: NDArray[np.complex128]
    n_unstable: int
    n_neutral: int
    is_whole: bool
    predicted_rate: float
    measured_rate: float
    exponent: float
    relaxation: Relaxation
    kept: float
    warnings: tuple[Remark, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON; multipliers as pairs of real and imaginary part."""
        numbers = {name: _finite(getattr(self, name)) for name in ("predicted_rate", "measured_rate", "exponent", "kept")}
        counts = {name: getattr(self, name) for name in ("n_unstable", "n_neutral", "is_whole", "relaxation")}
        pairs = [[float(value.real), float(value.imag)] for value in self.multipliers]
        return {"multipliers": pairs, **counts, **numbers, "warnings": [str(text) for text in self.warnings]}


def end_point_stability(m: AbstractMap | Training, steps: int = 1000, *, period: int = 1, epsilon: float = 1e-6, seed: int = 0) -> EndPoint:
    r"""Return what linear theory says about the map's current state, and what happens there in the next ``steps`` steps.

    With the Jacobian :math:`J` at the state (of ``period`` steps one after another), theory says :math:`\delta x(t) = J^t \delta x(0)`: exponential
    relaxation with the
    rate :math:`\ln |\mu|` of the slowest multiplier inside the unit circle. A manifold of minima (multipliers of 1) gives no relaxation along it, and at a
    degenerate minimum
    the approach is a power law instead.

    Args:
        m: A map at the state to look at (``m.step(5000)`` first), or a `Training`, which is trained for its own number of steps first.
        steps: Length of the measurement.
        period: Number of steps after which the batches repeat, or of a cycle.
        epsilon: Size of the perturbation, relative to the parameters' root mean square.
        seed: Of the perturbation.

    Raises:
        UsageError: The map is not deterministic, or its Jacobian does not fit into memory.

    Limits:
        Multipliers are those of a fixed point only if the state is one; ``relaxation`` tells. A rate slower than ``1 / steps`` cannot be told from none.

    Example:
        >>> from kazami.maps import CubicDescent
        >>> m = CubicDescent(a=0.8)
        >>> m.step(2)
        >>> found = end_point_stability(m, steps=40)  # multiplier 1 - 2a at the minimum
        >>> found.relaxation, abs(found.measured_rate - math.log(0.6)) < 0.03
        ('exponential', True)
    """
    must_be_count("steps", steps, 8)
    must_be_count("period", period, 1)
    given = as_map(m)
    if isinstance(m, Training):
        given.step(m.steps)
    must_be_deterministic(given)
    path, final, kept = _path(given, steps, period, epsilon, seed)
    multipliers, is_whole, said = _multipliers(given, final, steps, period)
    sizes = np.abs(multipliers)
    margin = period / steps
    relaxing = sizes[sizes < 1.0 - margin]
    kind, rate, exponent = _relaxation(path, float(torch.linalg.vector_norm(final)), final.dtype)
    return EndPoint(
        multipliers=multipliers,
        n_unstable=int((sizes > 1.0 + margin).sum()),
        n_neutral=int((np.abs(sizes - 1.0) <= margin).sum()),
        is_whole=is_whole,
        predicted_rate=math.log(relaxing.max()) / period if relaxing.size and relaxing.max() > 0.0 else math.nan,
        measured_rate=rate / period,
        exponent=exponent,
        relaxation=kind,
        kept=kept,
        warnings=tuple(said),
    )


def _path(m: AbstractMap, steps: int, period: int, epsilon: float, seed: int) -> tuple[Floats, Tensor, float]:
    """Return the distances from the last state at every ``period`` steps, that state, and the part of a perturbation that is kept."""
    state = m.current_state()
    moved_part = m.coordinates("parameters").to(state.device)
    drawn = torch.randn(m.dimension, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(state) * moved_part
    size = epsilon * float(torch.sqrt(torch.mean(state[moved_part] ** 2)))
    twin = state + (size or epsilon) * drawn
    start = float(torch.linalg.vector_norm((twin - state)[moved_part]))
    length = max(1, steps // period) * period
    visited = [state]
    for number in range(length):
        state, twin = m.advance_many(torch.stack([state, twin]), m.time + number)
        if (number + 1) % period == 0:
            visited.append(state)
    kept = float(torch.linalg.vector_norm((twin - state)[moved_part])) / start
    distances = torch.stack([torch.linalg.vector_norm((past - state)[moved_part]) for past in visited[:-1]])
    return distances.cpu().double().numpy(), state, kept


def _multipliers(m: AbstractMap, state: Tensor, steps: int, period: int) -> tuple[NDArray[np.complex128], bool, list[Remark]]:
    length = max(1, steps // period) * period

    def carried(vectors: Tensor) -> Tensor:
        here = state
        for number in range(period):
            here, vectors = m.advance_tangents(here, vectors, m.time + length + number)
        return vectors

    if m.dimension <= LARGEST_WHOLE:
        must_fit(m, m.dimension, "end_point_stability", "Take a smaller model.")
        matrix = carried(torch.eye(m.dimension, dtype=state.dtype, device=state.device)).cpu().double().numpy()
        if not np.isfinite(matrix).all():
            return np.array([complex(math.nan)]), True, [Remark("The state is no longer finite.", "状態が有限でない。")]
        found = np.linalg.eigvals(matrix)
        return found[np.argsort(-np.abs(found))].astype(complex), True, []

    def product(vector: NDArray[np.float64]) -> Floats:
        return np.asarray(carried(torch.from_numpy(np.ascontiguousarray(vector).reshape(-1, 1)).to(state)).cpu().double().numpy()[:, 0])

    start = np.random.default_rng(0).normal(size=m.dimension)
    try:
        found = eigs(LinearOperator((m.dimension, m.dimension), matvec=product, dtype=float), k=LEADING, v0=start, return_eigenvectors=False)
    except ArpackNoConvergence as partial:
        found = partial.eigenvalues
    text = f"Only the {len(found)} leading multipliers of {m.dimension} were looked for; the counts are at least these."
    return found[np.argsort(-np.abs(found))].astype(complex), False, [Remark(text, f"先頭の{len(found)}個の乗数だけを調べた。個数は下限である。")]


def _relaxation(path: Floats, size: float, dtype: torch.dtype) -> tuple[Relaxation, float, float]:
    """Return how the distance to the last state falls, its rate per entry of ``path``, and its power."""
    floor = 100.0 * float(torch.finfo(dtype).eps) * max(size, 1e-300)
    if not np.isfinite(path).all():
        return "not_relaxing", math.nan, math.nan
    if path[0] <= floor:
        return "at_rest", math.nan, math.nan
    falling = path[: max(4, len(path) // 2)]  # the last state stands in for the limit: near it the distance falls to 0 whatever the law
    falling = falling[: int(np.argmax(falling <= floor))] if (falling <= floor).any() else falling
    if len(falling) < 4 or falling[-1] > 0.9 * falling[0]:
        return "not_relaxing", math.nan, math.nan
    time, logs = np.arange(1, len(falling) + 1, dtype=float), np.log(falling)
    rate, exponent = (float(np.polyfit(x, logs, 1)[0]) for x in (time, np.log(time)))
    straight, power = (abs(float(np.corrcoef(x, logs)[0, 1])) for x in (time, np.log(time)))
    if max(straight, power) < LEAST_CORRELATION:
        return "not_relaxing", math.nan, math.nan
    return ("exponential" if straight >= power else "power_law"), rate, exponent


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
