"""A map's axes: which number of the training each goes along, from where to where, and where the pixels are."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError, unknown_name

Floats = NDArray[np.float64]

SETS: Final = {"lr0": ("lr0",), "lr1": ("lr1",), "lr": ("lr0", "lr1"), "offset": ("offset",)}
PLACES: Final = {"lr0": 0, "lr1": 1, "offset": 2}
DEFAULT: Final = (1e-3, 1e6)  # of the paper, on every axis


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle in two numbers of the training.

    Attributes:
        axes: Names along x and y: ``"lr0"`` (first layer), ``"lr1"`` (output layer), ``"lr"`` (both), ``"offset"`` (added to the first layer's weights).
        x: From where to where.
        y: The same upwards.
        fixed: What is on neither axis.

    An axis is logarithmic where both its ends are positive, else linear.

    Example:
        >>> Window().coordinates(4)[0].round(9).tolist()
        [0.001, 1.0, 1000.0, 1000000.0]
    """

    axes: tuple[str, str] = ("lr0", "lr1")
    x: tuple[float, float] = DEFAULT
    y: tuple[float, float] = DEFAULT
    fixed: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        """Check names and ends."""
        for name in (*self.axes, *(name for name, _ in self.fixed)):
            if name not in SETS:
                raise unknown_name("axis", name, SETS)
        taken = [part for name in self.axes for part in SETS[name]]
        if len(set(taken)) < len(taken):
            raise UsageError(f"The axes {self.axes[0]} and {self.axes[1]} set the same number. Take two of lr0, lr1, offset, or lr with offset.")
        missing = {"lr0", "lr1"} - set(taken) - {part for name, _ in self.fixed for part in SETS[name]}
        if missing:
            raise UsageError(f"{' and '.join(sorted(missing))} should be on an axis or fixed, but is neither. Give it in fixed, or take the axis lr.")
        for name, (low, high) in zip(self.axes, (self.x, self.y), strict=True):
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise UsageError(f"The axis {name} should go from a number to a larger one, but goes from {low:g} to {high:g}.")
            if name != "offset" and low <= 0.0:
                raise UsageError(f"The axis {name} should be positive, but begins at {low:g}.")

    @property
    def is_logarithmic(self) -> tuple[bool, bool]:
        """Whether x and y are logarithmic."""
        return self.x[0] > 0.0, self.y[0] > 0.0

    def coordinates(self, columns: int, rows: int | None = None) -> tuple[Floats, Floats]:
        """Return the pixels' x and y, the ends included."""
        return between(self.x, np.linspace(0.0, 1.0, columns)), between(self.y, np.linspace(0.0, 1.0, columns if rows is None else rows))

    def part(self, left: float, right: float, bottom: float, top: float) -> "Window":
        """Return the part between these shares of the width and of the height."""
        across, up = between(self.x, np.array([left, right])), between(self.y, np.array([bottom, top]))
        return Window(self.axes, (float(across[0]), float(across[1])), (float(up[0]), float(up[1])), self.fixed)

    def must_be_resolved(self, x: Floats, y: Floats, dtype: str) -> None:
        """Refuse pixels at ``x`` and ``y`` whose neighbours are the same training, because a precision does not tell them apart.

        Raises:
            UsageError: Some are.
        """
        for name, values in zip(self.axes, (x, y), strict=True):
            with np.errstate(over="ignore"):
                rounded = values.astype(dtype)
            if not (rounded[:-1] < rounded[1:]).all():
                wider = "fewer pixels or a wider window" if dtype == "float64" else "float64, fewer pixels or a wider window"
                raise UsageError(
                    f"Neighbouring pixels should be different trainings, but {dtype} does not tell {len(values)} of them apart on the axis {name} between "
                    f"{float(values[0])!r} and {float(values[-1])!r}. Take {wider}."
                )

    def settings(self, x: Floats, y: Floats) -> Floats:
        """Return learning rate of the first layer, of the second, and weight offset of pixels at ``x`` and ``y``, shape ``(pixels, 3)``."""
        found = np.zeros((len(x), 3))
        fixed = [(name, np.full(len(x), value)) for name, value in self.fixed]
        for name, values in [*fixed, (self.axes[0], x), (self.axes[1], y)]:
            for part in SETS[name]:
                found[:, PLACES[part]] = values
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"axes": list(self.axes), "x": list(self.x), "y": list(self.y), "fixed": dict(self.fixed)}


def between(ends: tuple[float, float], shares: Floats) -> Floats:
    """Return the numbers at ``shares`` of the way between two ends, by equal factors where both are positive."""
    low, high = ends
    if low <= 0.0:
        found = low + shares * (high - low)
    elif high > 2.0 * low:
        found = np.exp(math.log(low) + shares * (math.log(high) - math.log(low)))
    else:  # ends so near that their difference is exact: a deep zoom is right to the last digit
        found = low * np.exp(shares * math.log1p((high - low) / low))
    found[shares == 0.0], found[shares == 1.0] = low, high
    return np.asarray(found)
