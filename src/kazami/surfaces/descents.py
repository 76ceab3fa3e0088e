"""Walks downhill on a loss of two weights: every method, many starts at once, with the loss at each step."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from .rules import Settings, newton_direction, rule_of
from .two_weights import Extent, TwoWeights, two_weights

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .fates import Fate

ESCAPED = 1e6  # a walk this many extents away from the origin does not come back to be looked at


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Descent:
    """Where walks went.

    Attributes:
        function: What they walked on.
        method: How.
        settings: With which learning rate and the rest.
        paths: Weights, shape ``(starts, steps + 1, 2)``; NaN after an escape.
        losses: Losses, shape ``(starts, steps + 1)``.
        batch: Examples per step of ``sgd``, else 0.
    """

    function: TwoWeights
    method: str
    settings: Settings
    paths: np.ndarray
    losses: np.ndarray
    batch: int = 0

    @property
    def ends(self) -> np.ndarray:
        """The last weights, shape ``(starts, 2)``; NaN for an escaped walk."""
        return np.asarray(self.paths[:, -1])

    def fates(self) -> "list[Fate]":
        """Return what becomes of each walk in the long run (see :func:`kazami.surfaces.fate_of`)."""
        from .fates import fates

        return fates(self.function, self.paths[:, 0], method=self.method, settings=self.settings, batch=self.batch)

    def figure(self, *, language: str = "en", fates: "list[Fate] | None" = None) -> "Figure":
        """Draw the walks on the surface, and their losses over the steps.

        Args:
            language: ``"en"`` or ``"ja"``.
            fates: What :meth:`fates` gave, if it has been asked already.
        """
        from .walk_figure import draw_walks

        return draw_walks(self, self.fates() if fates is None else fates, language)

    def to_dict(self) -> dict[str, Any]:
        """Return paths and losses as plain data; what is not finite is ``None``."""
        return {
            "function": self.function.name,
            "formula": self.function.formula,
            "method": self.method,
            "learning_rate": self.settings.learning_rate,
            "paths": [[[_number(x) for x in point] for point in path] for path in self.paths.tolist()],
            "losses": [[_number(x) for x in row] for row in self.losses.tolist()],
        }


def descend(
    what: str | Callable[[Tensor, Tensor], Tensor] | TwoWeights,
    starts: Any,
    *,
    method: str = "gradient_descent",
    learning_rate: float = 0.1,
    steps: int = 200,
    data: tuple[Any, Any] | None = None,
    extent: Extent | None = None,
    momentum: float = 0.9,
    betas: tuple[float, float] = (0.9, 0.999),
    alpha: float = 0.99,
    eps: float = 1e-8,
    batch: int = 8,
    seed: int = 0,
) -> Descent:
    """Walk downhill from one start or many.

    Args:
        what: As for :func:`~kazami.surfaces.two_weights.two_weights`.
        starts: ``(w1, w2)``, or several of them.
        method: ``gradient_descent``, ``sgd`` (a random sample of the data at each step, without repetition), ``momentum``, ``nesterov``,
            ``rmsprop``, ``adam``: steps are those of ``torch.optim`` with its defaults; ``newton`` for comparison.
        learning_rate: η; ``newton`` takes whole steps at 1.
        steps: How many.
        data: ``(x, y)`` for a network.
        extent: ``(w1_min, w1_max, w2_min, w2_max)``, for pictures.
        momentum: Of ``momentum`` and ``nesterov``.
        betas: Of ``adam``.
        alpha: Of ``rmsprop``.
        eps: Of ``rmsprop`` and ``adam``.
        batch: Examples per step of ``sgd``.
        seed: Of the samples.

    Raises:
        UsageError: A start is no pair of numbers, the learning rate is not positive, or ``sgd`` has no data to sample.

    Example:
        >>> walk = descend("quadratic", (1.0, 1.0), learning_rate=0.1, steps=2)  # curvatures 10 and 1
        >>> walk.paths[0].round(3).tolist()
        [[1.0, 1.0], [0.0, 0.9], [0.0, 0.81]]
    """
    function = two_weights(what, data=data, extent=extent)
    settings = Settings(learning_rate=learning_rate, momentum=momentum, betas=betas, alpha=alpha, eps=eps)
    if steps < 1:
        raise UsageError(f"A walk takes one step or more, and {steps} were asked for.")
    batch = min(batch, function.n_examples) if method == "sgd" else 0
    paths = walk(function, as_starts(starts), method=method, settings=settings, steps=steps, batch=batch, seed=seed)
    losses = function.value(paths)
    return Descent(function=function, method=method, settings=settings, paths=paths.numpy(), losses=losses.numpy(), batch=batch)


def as_starts(starts: Any) -> Tensor:
    """Return starts as one tensor, shape ``(starts, 2)``.

    Raises:
        UsageError: They are no pairs of finite numbers.
    """
    try:
        found = torch.as_tensor(np.asarray(starts, dtype=float)).reshape(-1, 2)
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"A start should be two numbers (w1, w2), and is {starts!r}.") from None
    if not len(found) or not bool(found.isfinite().all()):
        raise UsageError("A walk needs at least one start of two finite numbers.")
    return found.clone()


def walk(function: TwoWeights, starts: Tensor, *, method: str, settings: Settings, steps: int, batch: int = 0, seed: int = 0) -> Tensor:
    """Return the paths, shape ``(starts, steps + 1, 2)``; see :func:`descend`."""
    step = stepper(function, method, settings, batch=batch, seed=seed)
    state = first_state(starts, method)
    far = ESCAPED * max(map(abs, (*function.extent, 1.0)))
    path = [starts]
    for number in range(1, steps + 1):
        state = step(state, number)
        gone = ~(state[:, 0].abs() <= far).all(-1)
        state[gone] = math.nan
        path.append(state[:, 0])
    return torch.stack(path, 1)


def first_state(starts: Tensor, method: str) -> Tensor:
    """Return the state before the first step, shape ``(starts, vectors, 2)``: weights, then zeros."""
    n_vectors, _ = rule_of(method)
    return torch.cat([starts.unsqueeze(1), torch.zeros(len(starts), n_vectors - 1, 2, dtype=starts.dtype)], 1)


def stepper(function: TwoWeights, method: str, settings: Settings, *, batch: int = 0, seed: int = 0) -> Callable[[Tensor, Any], Tensor]:
    """Return ``fn(state, step) -> state``; pure but for the samples that ``sgd`` draws."""
    _, rule = rule_of(method)
    generator = torch.Generator().manual_seed(seed)
    if method == "sgd" and not batch:
        function.sampled_gradient(torch.zeros(1, 2), torch.zeros(1, 1, dtype=torch.int64))  # says what is missing

    def gradient(weights: Tensor) -> Tensor:
        if method == "newton":
            return newton_direction(function.gradient(weights), function.hessian(weights))
        if method == "sgd":
            chosen = torch.rand(len(weights), function.n_examples, generator=generator).argsort(-1)[:, :batch]
            return function.sampled_gradient(weights, chosen)
        return function.gradient(weights)

    return lambda state, number: rule(state, gradient(state[:, 0]), number, settings)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def starts_around(extent: Sequence[float], per_side: int) -> np.ndarray:
    """Return starts on a regular grid inside ``extent``, shape ``(starts, 2)``, half a cell away from the rim."""
    steps = (np.arange(per_side) + 0.5) / per_side
    columns, rows = np.meshgrid(extent[0] + steps * (extent[1] - extent[0]), extent[2] + steps * (extent[3] - extent[2]))
    return np.stack([columns.ravel(), rows.ravel()], 1)
