"""Basins: for every start, the place where a descent comes to rest."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from ..records import Sentence
from ..reports.numerals import short
from .descents import walk
from .destinations import destinations
from .rules import Settings
from .stationary import CriticalPoint, critical_points
from .two_weights import Extent, TwoWeights, two_weights

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Basins:
    """Where descents from a grid of starts end.

    Attributes:
        function: What was walked on.
        method: How.
        learning_rate: η.
        a: First weights of the starts.
        b: Second weights of the starts.
        owners: Number of the place that each start reaches, shape ``(rows, columns)``; -1 where it does not come to rest.
        places: A point of each place, shape ``(places, 2)``: the only one of a minimum, the middle of a valley.
        is_valley: Whether a place is a whole valley.
        critical: The critical points of the surface.
    """

    function: TwoWeights
    method: str
    learning_rate: float
    a: np.ndarray
    b: np.ndarray
    owners: np.ndarray
    places: np.ndarray
    is_valley: list[bool]
    critical: list[CriticalPoint]

    @property
    def finding(self) -> Sentence:
        """What is to be seen, one sentence."""
        lost = float((self.owners < 0).mean())
        name, rate, n = self.method.replace("_", " "), short(self.learning_rate), len(self.places)
        shares = ", ".join(f"{(self.owners == k).mean():.0%}" for k in range(min(n, 6)))
        beyond = Sentence(f"; {lost:.0%} of the starts do not come to rest", f"。始点の {lost:.0%} は落ち着かない") if lost else Sentence("", "")
        return Sentence(
            f"{name}, η = {rate}: {n} {'basin' if n == 1 else 'basins'} ({shares or 'none'}){beyond.en}",
            f"{name}、η = {rate}: 吸引域 {n} 個（{shares or 'なし'}）{beyond.ja}",
        )

    def figure(self, *, language: str = "en") -> "Figure":
        """Draw the basins with the critical points."""
        from .walk_figure import draw_basins

        return draw_basins(self, language)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "function": self.function.name,
            "method": self.method,
            "learning_rate": self.learning_rate,
            "a": self.a.tolist(),
            "b": self.b.tolist(),
            "owners": self.owners.tolist(),
            "places": self.places.tolist(),
            "critical_points": [point.to_dict() for point in self.critical],
        }


def basins(
    what: str | Callable[[Tensor, Tensor], Tensor] | TwoWeights,
    *,
    method: str = "gradient_descent",
    learning_rate: float = 0.1,
    steps: int = 1000,
    resolution: int = 61,
    data: tuple[Any, Any] | None = None,
    extent: Extent | None = None,
) -> Basins:
    """Return where descents from a grid of starts come to rest.

    Args:
        what: As for :func:`~kazami.surfaces.two_weights.two_weights`.
        method: As for :func:`~kazami.surfaces.descents.descend`; ``sgd`` has no basins, its ends are chance.
        learning_rate: η.
        steps: How many steps each walk takes at most.
        resolution: Starts per side.
        data: ``(x, y)`` for a network.
        extent: ``(w1_min, w1_max, w2_min, w2_max)``.

    Raises:
        UsageError: ``sgd`` was asked for, or fewer than two starts a side.

    Example:
        >>> found = basins("double_well", resolution=6, learning_rate=0.1)
        >>> found.places[:, 0].round(3).tolist(), found.owners[0].tolist()
        ([-1.0, 1.0], [0, 0, 0, 1, 1, 1])
    """
    function = two_weights(what, data=data, extent=extent)
    if method == "sgd" or resolution < 2:
        raise UsageError("Basins need a method without chance (not sgd) and two starts a side or more.")
    low_a, high_a, low_b, high_b = extent or function.extent
    a, b = np.linspace(low_a, high_a, resolution), np.linspace(low_b, high_b, resolution)
    columns, rows = np.meshgrid(a, b)
    starts = torch.as_tensor(np.stack([columns.ravel(), rows.ravel()], 1))
    ends = walk(function, starts, method=method, settings=Settings(learning_rate=learning_rate), steps=steps)[:, -1].numpy()
    owners = destinations(ends, function)
    groups = [ends[owners == k] for k in range(owners.max(initial=-1) + 1)]
    widths = np.array([high_a - low_a, high_b - low_b])
    places = np.array([group[np.argsort(group[:, 0])[len(group) // 2]] for group in groups]).reshape(-1, 2)
    return Basins(
        function=function,
        method=method,
        learning_rate=learning_rate,
        a=a,
        b=b,
        owners=owners.reshape(columns.shape),
        places=places,
        is_valley=[bool((np.ptp(group, axis=0) / widths).max() > 0.05) for group in groups],
        critical=critical_points(function, extent=extent),
    )
