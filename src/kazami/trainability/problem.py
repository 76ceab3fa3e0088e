"""What every pixel of a map of trainability trains: a mean-field network with one hidden layer on random data, the same in all pixels."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError, unknown_name

Floats = NDArray[np.float64]
Offset = Literal["initial", "every_step"]

BATCH = 16  # of the mini-batch condition


@dataclass(frozen=True, slots=True)
class Condition:
    """One of the six conditions of the paper.

    Attributes:
        activation: Of the hidden layer.
        points: ``"parameters"`` (as many as the network has weights), ``"width"`` or ``"one"``.
        batch: Size of the batch whose gradient is taken; ``None`` for all points.
        axes: What the map is over where nobody says.
    """

    activation: str = "tanh"
    points: str = "parameters"
    batch: int | None = None
    axes: tuple[str, str] = ("lr0", "lr1")


CONDITIONS: Final[Mapping[str, Condition]] = MappingProxyType(
    {
        "tanh": Condition(),
        "relu": Condition("relu"),
        "linear": Condition("identity", points="width"),
        "minibatch": Condition(batch=BATCH),
        "single": Condition(points="one"),
        "offset": Condition(axes=("offset", "lr")),
    }
)
ACTIVATIONS = ("tanh", "relu", "identity")


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    r"""A training whose learning rates, one per layer, are still open.

    .. math:: h = \varphi(x W_0 / \sqrt{n_0}), \qquad f = h\, w_1 / n_1, \qquad L = \frac1P \sum_p (f(x_p) - y_p)^2

    with :math:`\varphi(z) = \tanh(\sqrt2 z)`, :math:`\sqrt2 \max(z, 0)` or :math:`z`, and no biases. The step is plain gradient descent,
    :math:`W_0 \leftarrow W_0 - \eta_0 \nabla_{W_0} L`, :math:`w_1 \leftarrow w_1 - \eta_1 \nabla_{w_1} L`; with ``batches`` the gradient is that of the step's
    batch, and the loss that counts is still that of all points.

    Attributes:
        activation: ``"tanh"``, ``"relu"`` or ``"identity"``.
        inputs: :math:`x`, shape ``(points, n_0)``.
        targets: :math:`y`, shape ``(points,)``.
        hidden: :math:`W_0` before the first step, shape ``(n_0, n_1)``.
        output: :math:`w_1` before the first step, shape ``(n_1,)``.
        steps: Number of optimizer steps.
        batches: Rows of each step's batch, shape ``(steps, batch)``; ``None`` for all points.
        offset: When a pixel's weight offset is added to every entry of :math:`W_0`: before the first step, or before each.
    """

    activation: str
    inputs: Floats
    targets: Floats
    hidden: Floats
    output: Floats
    steps: int
    batches: NDArray[np.int64] | None = None
    offset: Offset = "initial"

    def __post_init__(self) -> None:
        """Check that the shapes belong together."""
        _must_fit(self)

    @property
    def points(self) -> int:
        """Number of points."""
        return len(self.inputs)

    @property
    def counted(self) -> int:
        """How many of the last losses decide whether a pixel converged: 20, or all where there are fewer."""
        return min(LAST, self.steps)

    def fingerprint(self) -> str:
        """Return a short text that two problems share only if everything in them is the same."""
        found = hashlib.sha256(f"{self.activation} {self.steps} {self.offset}".encode())
        for part in (self.inputs, self.targets, self.hidden, self.output, self.batches):
            found.update(b"none" if part is None else f"{part.shape}{part.dtype}".encode() + np.ascontiguousarray(part).tobytes())
        return found.hexdigest()[:16]


LAST: Final = 20  # losses whose mean decides


def mean_field_problem(
    condition: str = "tanh",
    *,
    width: int = 16,
    steps: int = 500,
    seed: int = 0,
    points: int | None = None,
    data: tuple[ArrayLike, ArrayLike] | None = None,
    weights: tuple[ArrayLike, ArrayLike] | None = None,
    batches: ArrayLike | None = None,
    offset: Offset = "initial",
) -> Problem:
    """Return the problem of one of the paper's conditions, with everything drawn from N(0, 1), or with your own arrays.

    Args:
        condition: ``"tanh"``, ``"relu"``, ``"linear"``, ``"minibatch"`` (tanh, the gradient of 16 points drawn with replacement), ``"single"`` (tanh, one
            point), ``"offset"`` (tanh, for maps over the offset of the first layer's weights).
        width: Of input and hidden layer.
        steps: Optimizer steps.
        seed: Of ``numpy.random.default_rng``, which draws hidden weights, output weights, inputs, targets and batches in this order.
        points: How many points; as many as the paper has by default: as many as weights, the width for ``"linear"``, one for ``"single"``.
        data: ``(inputs, targets)``, shapes ``(points, n_0)`` and ``(points,)``.
        weights: ``(hidden, output)``, shapes ``(n_0, n_1)`` and ``(n_1,)``.
        batches: Rows of each step's batch, shape ``(steps, batch)``.
        offset: When an offset is added. The paper speaks of the initial weights; its published program adds it before every step.

    Raises:
        UnknownName: There is no such condition.
        UsageError: Sizes that do not fit one another.

    References:
        Sohl-Dickstein 2024 (arXiv 2402.06184).

    Example:
        >>> mean_field_problem("tanh", width=16).points, mean_field_problem("linear", width=16).points
        (272, 16)
    """
    if condition not in CONDITIONS:
        raise unknown_name("condition", condition, CONDITIONS)
    kind = CONDITIONS[condition]
    if width < 1 or steps < 1 or (points is not None and points < 1):
        raise UsageError(f"width, steps and points should be positive, but they are {width}, {steps} and {points}.")
    if data is not None:
        inputs, targets = _matrix(data[0]), _vector(data[1])
        width = inputs.shape[1]
    generator = np.random.default_rng(seed)
    hidden, output = generator.standard_normal((width, width)), generator.standard_normal(width)
    if weights is not None:
        hidden, output = _matrix(weights[0]), _vector(weights[1])
    if data is None:
        count = points if points is not None else {"parameters": hidden.size + output.size, "width": hidden.shape[0], "one": 1}[kind.points]
        inputs, targets = generator.standard_normal((count, hidden.shape[0])), generator.standard_normal(count)
    rows = None if batches is None else np.array(batches, dtype=np.int64)
    if rows is None and kind.batch is not None:
        rows = generator.integers(0, len(inputs), (steps, kind.batch))
    return Problem(kind.activation, inputs, targets, hidden, output, steps, rows, offset)


def _matrix(given: ArrayLike) -> Floats:
    return np.atleast_2d(np.array(given, dtype=np.float64))


def _vector(given: ArrayLike) -> Floats:
    return np.array(given, dtype=np.float64).reshape(-1)


def _must_fit(problem: Problem) -> None:
    shapes = {name: getattr(problem, name).shape for name in ("inputs", "targets", "hidden", "output")}
    points, width = shapes["inputs"]
    wanted: dict[str, Any] = {"targets": (points,), "hidden": (width, *shapes["hidden"][1:]), "output": shapes["hidden"][1:]}
    for name, shape in wanted.items():
        if shapes[name] != shape:
            raise UsageError(f"{name} should have the shape {shape} beside inputs of shape {shapes['inputs']}, but has {shapes[name]}.")
    if problem.activation not in ACTIVATIONS:
        raise unknown_name("activation", problem.activation, ACTIVATIONS)
    rows = problem.batches
    if rows is not None and (rows.ndim != 2 or len(rows) < problem.steps or rows.min() < 0 or rows.max() >= points):
        raise UsageError(f"batches should be row numbers below {points}, one line for each of {problem.steps} steps, but have the shape {rows.shape}.")
    if not all(bool(np.isfinite(getattr(problem, name)).all()) for name in shapes):
        raise UsageError("Data and weights should be finite numbers, but some are not.")
