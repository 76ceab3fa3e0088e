"""A finished map of trainability: its values, what of them was computed, and what may be wrong with the rest."""

import io
import json
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CannotWrite, UsageError
from ..files import whole_file
from .box_counting import BoxDimension, box_dimension, edges
from .window import Window

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class TrainabilityMap:
    r"""Which settings train.

    Attributes:
        values: The paper's measure, shape ``(rows, columns)``, the first row at the bottom: :math:`-\sum v_t` where training converged (the mean of the last
            20 losses is below the first one), else :math:`\sum 1 / v_t`; NaN where it was interrupted.
        computed: Which pixels were trained; the others are filled in between their neighbours.
        x: The columns' settings.
        y: The rows' settings.
        window: What the axes are.
        facts: How it came about, as plain data: condition, width, points, steps, seed, precision, engine, seconds, and how the filling was checked.
    """

    values: Floats
    computed: Booleans
    x: Floats
    y: Floats
    window: Window
    facts: dict[str, Any]

    @property
    def converged(self) -> Booleans:
        """Which pixels converged, those filled in included."""
        return np.asarray(self.values < 0.0)

    @property
    def is_complete(self) -> bool:
        """Whether every pixel has a value."""
        return not bool(np.isnan(self.values).any())

    @property
    def converged_share(self) -> float:
        """Share of the pixels that converged, among those with a value."""
        known = ~np.isnan(self.values)
        return float(self.converged[known].mean()) if known.any() else math.nan

    @property
    def miss_rate(self) -> float:
        """Share of the filled pixels that a random check found on the wrong side; 0 where none is filled, NaN where none was checked."""
        checked = self.facts["checked"]
        return float(self.facts["missed"]) / checked if checked else 0.0 if self.computed.all() else math.nan

    @property
    def miss_bound(self) -> float:
        """Upper bound of that share, with a probability of 95 %."""
        return float(self.facts["miss_bound"])

    def dimension(self, *, fit_range: tuple[int, int] | None = None) -> BoxDimension:
        """Return the box-counting dimension of the edge; pixels without a value are left out together with their blocks."""
        edge = edges(self.values)
        gaps = np.isnan(self.values)
        return box_dimension(edge & ~(gaps[1:, 1:] | gaps[1:, :-1] | gaps[:-1, 1:] | gaps[:-1, :-1]), fit_range=fit_range)

    def figure(self, *, language: str = "en") -> "Figure":
        """Draw the map: blue converges, red does not, darker is faster; what was not trained but filled in is paler."""
        from .map_figure import map_figure

        return map_figure(self, language)

    def save(self, path: str) -> str:
        """Write everything into a file that :func:`open_map`, or ``numpy.load``, reads.

        Raises:
            UsageError: The name does not end in ``.npz``.
            CannotWrite: The place cannot be written.
        """
        if not path.endswith(".npz"):
            raise UsageError(f"A map's data should go into a file that ends in .npz, and is called {path!r}.")
        told = json.dumps({"window": self.window.to_dict(), "facts": self.facts})
        try:
            with whole_file(path) as half:
                np.savez_compressed(half, values=self.values, computed=self.computed, x=self.x, y=self.y, about=np.array(told))
        except OSError as error:
            raise CannotWrite(f"The map {path} cannot be written ({error.strerror or error}).") from None
        return path

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; the pixels themselves go into :meth:`save`."""
        rate, bound = self.miss_rate, self.miss_bound
        return {
            "window": self.window.to_dict(),
            "rows": len(self.y),
            "columns": len(self.x),
            "converged": self.converged_share if math.isfinite(self.converged_share) else None,
            "is_complete": self.is_complete,
            "computed": float(self.computed.mean()),
            "miss_rate": rate if math.isfinite(rate) else None,
            "miss_bound": bound,
            "dimension": self.dimension().to_dict() if min(self.values.shape) > 1 else None,
            **self.facts,
        }


def open_map(path: str) -> TrainabilityMap:
    """Return the map that :meth:`TrainabilityMap.save` wrote.

    Raises:
        UsageError: There is no such file, or it holds no map.
    """
    try:
        with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as held:
            about = json.loads(str(held["about"]))
            arrays = {name: held[name] for name in ("values", "computed", "x", "y")}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} should be a map that TrainabilityMap.save wrote, but it cannot be read as one ({error}).") from None
    told = about["window"]
    window = Window((told["axes"][0], told["axes"][1]), (told["x"][0], told["x"][1]), (told["y"][0], told["y"][1]), tuple(told["fixed"].items()))
    return TrainabilityMap(**arrays, window=window, facts=about["facts"])
