"""Maps of trainability: every pixel a training, converged or not."""

import math
import time
from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from ..errors import UsageError
from .problem import CONDITIONS, Offset, Problem, mean_field_problem
from .refinement import Refined, computed_in_full, refined
from .result import TrainabilityMap
from .running import Computer, Progress, chosen_runner
from .window import DEFAULT, Window

PIXEL_BYTES = 96  # place (two whole numbers), coordinates (two), settings (three), value, masks and what a check of the filling holds beside them
SMALL = 256**2  # pixels up to which a map is computed in full where nobody says
Ends = tuple[float, float]


def trainability_map(
    size: int | tuple[int, int] = 256,
    *,
    condition: str = "tanh",
    axes: tuple[str, str] | None = None,
    window: tuple[Ends, Ends] | None = None,
    fixed: Mapping[str, float] | None = None,
    steps: int = 500,
    width: int = 16,
    points: int | None = None,
    seed: int = 0,
    dtype: str = "float64",
    data: tuple[ArrayLike, ArrayLike] | None = None,
    weights: tuple[ArrayLike, ArrayLike] | None = None,
    batches: ArrayLike | None = None,
    offset: Offset = "initial",
    exact: bool | None = None,
    share: float = 0.01,
    engine: str = "auto",
    progress: Progress | None = None,
) -> TrainabilityMap:
    r"""Return which learning rates train a small network, and how fast, one pixel for each pair.

    The network, its data and its measure are those of the paper (:class:`~kazami.trainability.problem.Problem`): losses are divided by the first and clipped at
    :math:`10^6`; a pixel converged if the mean of the last 20 is below 1.

    Args:
        size: Pixels along both axes, or columns and rows.
        condition: One of the paper's six: ``"tanh"``, ``"relu"``, ``"linear"``, ``"minibatch"``, ``"single"``, ``"offset"``.
        axes: What x and y are: two of ``"lr0"`` (first layer), ``"lr1"`` (output layer), ``"offset"`` (added to the first layer's weights), or ``"lr"`` (both
            layers) with ``"offset"``; the condition's own by default.
        window: ``((x0, x1), (y0, y1))``; from 1e-3 to 1e6 on both axes by default. Logarithmic where both ends are positive.
        fixed: Values of what is on neither axis.
        steps: Optimizer steps; the paper has 500 and 1000.
        width: Of input and hidden layer; the paper has 16.
        points: How many data points, where not as the condition has it.
        seed: Of data, weights and batches, as in :func:`~kazami.trainability.problem.mean_field_problem`.
        dtype: ``"float64"`` or ``"float32"``. Near the edge the two differ: a zoom below 1e-6 of an axis needs float64.
        data: Your own ``(inputs, targets)``.
        weights: Your own ``(hidden, output)`` weights before the first step.
        batches: Your own rows of each step's batch.
        offset: Whether a pixel's offset is added to the initial weights, or before every step as in the paper's program.
        exact: ``True`` trains every pixel, ``False`` only those near the edge (:func:`~kazami.trainability.refinement.refined`). By default maps of up to
            65 536 pixels are exact.
        share: Share of the pixels filled in that is checked, in each round.
        engine: ``"auto"``, ``"kernels"`` or ``"reference"``.
        progress: Called with pixels done, and asked for so far. Ctrl-C ends the map: what is missing is NaN.

    Returns:
        A map; its ``computed`` says which pixels were trained, ``miss_rate`` and ``miss_bound`` how far the others can be trusted.

    Raises:
        UnknownName: There is no such condition, axis, precision or engine.
        UsageError: Sizes or axes that do not fit one another.

    Limits:
        Two engines, or two precisions, agree on smooth parts and differ in pixels next to a fractal edge: rounding is amplified there.

    References:
        Sohl-Dickstein 2024 (arXiv 2402.06184).

    Example:
        >>> found = trainability_map(9, width=4, steps=40, window=((1e-2, 1e4), (1e-2, 1e4)), engine="reference")
        >>> bool(found.converged[0, 0]), bool(found.converged[-1, -1])  # small rates train, huge ones do not
        (True, False)
    """
    problem = mean_field_problem(condition, width=width, steps=steps, seed=seed, points=points, data=data, weights=weights, batches=batches, offset=offset)
    ends = window or (DEFAULT, DEFAULT)
    frame = Window(axes or CONDITIONS[condition].axes, ends[0], ends[1], tuple(sorted((fixed or {}).items())))
    told = {"condition": condition, "seed": seed, "dtype": dtype}
    return _mapped(problem, frame, (size, size) if isinstance(size, int) else size, told, exact, share, engine, progress)


def _mapped(
    problem: Problem,
    frame: Window,
    size: tuple[int, int],
    told: dict[str, Any],
    exact: bool | None,
    share: float,
    engine: str,
    progress: Progress | None,
) -> TrainabilityMap:
    began, (columns, rows) = time.perf_counter(), size
    if columns < 2 or rows < 2 or not 0.0 <= share <= 1.0:
        raise UsageError(f"A map should have at least 2 × 2 pixels and a share between 0 and 1, but has {columns} × {rows} and {share}.")
    runner, why = chosen_runner(problem, told["dtype"], engine)
    computer = Computer(problem, runner, told["dtype"], progress)
    _must_fit_memory(columns * rows)
    x, y = frame.coordinates(columns, rows)
    frame.must_be_resolved(x, y, told["dtype"])
    is_exact = columns * rows <= SMALL if exact is None else exact
    compute = computer.on_grid(x, y, frame)
    found = computed_in_full((rows, columns), compute) if is_exact else refined((rows, columns), compute, share=share, seed=told["seed"])
    facts = {**told, **_facts(problem, found, computer), "engine": why, "seconds": round(time.perf_counter() - began, 3)}
    return TrainabilityMap(found.values, found.known, x, y, frame, facts)


def _must_fit_memory(pixels: int) -> None:
    """Refuse a map for which there is no memory, before it begins.

    Raises:
        UsageError: With the numbers.
    """
    if pixels <= SMALL:
        return
    import torch

    from ..curvature.memory import available_bytes, gibibytes

    needed, free = PIXEL_BYTES * pixels, available_bytes(torch.device("cpu"))
    if needed > free:
        raise UsageError(
            f"A map of {pixels:,} pixels would take about {gibibytes(needed)} of memory, but only {gibibytes(free)} are free. Take fewer pixels; for looking "
            "nearer, a pyramid of tiles computes what is looked at."
        )


def _facts(problem: Problem, found: Refined, computer: Computer) -> dict[str, Any]:
    """Return what a map tells of its problem, its work, and the check of what was filled in."""
    return {
        "width": problem.hidden.shape[1],
        "points": problem.points,
        "steps": problem.steps,
        "offset": problem.offset,
        "problem": problem.fingerprint(),
        "trained": computer.done,
        "retired": computer.retired,
        "checked": found.checked,
        "missed": found.missed,
        "islands_found": found.found,
        "miss_bound": found.miss_bound() if not math.isnan(found.miss_rate) or not found.interpolated else 1.0,
    }
