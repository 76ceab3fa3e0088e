"""Colours for numbers: any value per layer, on a scale of its own or on the wind's, with its legend."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...errors import UsageError
from ...reports import palette
from ...reports.figures import INK
from ...reports.numerals import short
from .records import Block, Node

SCALES = ("linear", "log", "wind")
NOT_FINITE = palette.NOT_FINITE
_PALE, _DEEP = (234, 243, 248), (11, 60, 94)  # one hue from nearly white to navy: lightness alone carries the order
_STEPS = 24  # patches of a legend


@dataclass(frozen=True, slots=True)
class Colouring:
    """Values of layers, and how they become colours.

    Attributes:
        values: Value by name of the layer, its parameter or its module.
        label: What the values are, with their unit.
        scale: ``"linear"``, ``"log"`` (of magnitudes above zero) or ``"wind"`` (the layer wind's own limits).
        low: Value of the palest colour.
        high: Value of the deepest colour.
    """

    values: Mapping[str, float]
    label: str
    scale: str
    low: float
    high: float

    @classmethod
    def of(cls, values: Mapping[str, float], label: str, scale: str | None) -> "Colouring":
        """Return a colouring whose scale spans the values; ``None`` as scale means log where all are positive and more than a hundredfold apart.

        Raises:
            UsageError: There is no value, or no such scale, or values that are not positive on a logarithmic one.
        """
        finite = [float(value) for value in values.values() if math.isfinite(value)]
        if not values:
            raise UsageError("coloured needs at least one value: a dictionary from the name of a layer to a number.")
        if scale is None:
            scale = "log" if finite and min(finite) > 0 and max(finite) > 100 * min(finite) else "linear"
        if scale not in SCALES:
            raise UsageError(f"scale should be one of {', '.join(SCALES)}, and is {scale!r}.")
        if scale == "log" and any(value < 0 for value in finite):
            raise UsageError("A logarithmic scale needs values above zero; take scale='linear'.")
        if scale == "wind":
            return cls(dict(values), label, scale, *palette.LIMITS)
        if scale == "log":
            finite = [value for value in finite if value > 0] or [1.0]
        return cls(dict(values), label, scale, min(finite, default=0.0), max(finite, default=1.0))

    def value_of(self, names: tuple[str, ...]) -> float | None:
        """Return the value for a box that is known by any of ``names``, ``None`` where there is none."""
        for name in names:
            for key in (name, name.removesuffix(".weight")):
                if key and key in self.values:
                    return float(self.values[key])
        return None

    def colours_of(self, value: float) -> tuple[str, str]:
        """Return the colour of a value and that of text on it."""
        red, green, blue = self._colour(value)
        light = 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)  # relative luminance, WCAG 2.2
        return f"#{red:02x}{green:02x}{blue:02x}", INK if light > 0.18 else "#ffffff"

    def _colour(self, value: float) -> palette.Colour:
        if self.scale == "wind":
            return palette.colour_of(value)
        if not math.isfinite(value):
            return (194, 24, 154)
        share = min(1.0, max(0.0, self._share(value)))
        red, green, blue = (round(one + (other - one) * share) for one, other in zip(_PALE, _DEEP, strict=True))
        return red, green, blue

    def _share(self, value: float) -> float:
        bend: Callable[[float], float] = math.log if self.scale == "log" else float
        if self.scale == "log" and value <= 0:
            return 0.0
        width = bend(self.high) - bend(self.low)
        return (bend(value) - bend(self.low)) / width if width else 0.5

    def legend(self) -> tuple[list[str], list[str]]:
        """Return the patches of the legend, low to high, and what stands at its ends."""
        shares = [step / (_STEPS - 1) for step in range(_STEPS)]
        if self.scale == "log":
            values = [self.low * (self.high / self.low) ** share for share in shares]
        else:
            values = [self.low + (self.high - self.low) * share for share in shares]
        ends = [short(self.low), short(self.high)]
        return [self.colours_of(value)[0] for value in values], [f"≤ {ends[0]}", f"≥ {ends[1]}"] if self.scale == "wind" else ends


def _linear(part: int) -> float:
    share = part / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def missing_names(colouring: Colouring, nodes: tuple[Node, ...], blocks: tuple[Block, ...]) -> list[str]:
    """Return the names that have a value and are not in the graph."""
    known = {name for block in blocks for name in (block.name, *block.parameter_names)} | {node.module for node in nodes}
    known |= {part for node in nodes if node.kind == "parameter" for part in node.name.split(", ")}
    known |= {name.removesuffix(".weight") for name in known}
    return [name for name in colouring.values if name not in known]
