"""Weather strips for the terminal; the maps of the page are those of the reports."""

from collections.abc import Sequence

from ..reports.palette import colour_of, letter_of
from ..reports.sparkline import spark
from ..reports.weather_svg import N_LEVELS, hatching, large_map, level_of, level_styles, map_svg, squeezed

__all__ = ["N_LEVELS", "hatching", "large_map", "level_of", "level_styles", "map_svg", "spark", "squeezed", "strip"]


def strip(winds: Sequence[float], *, colour: bool) -> str:
    """Return one character a layer: its colour where there is any, else its letter (C calm, B breeze, S storm, N not finite)."""
    if not colour:
        return "".join(letter_of(wind) for wind in winds)
    return "".join(_block(wind) for wind in winds) + "\x1b[0m"


def _block(wind: float) -> str:
    red, green, blue = colour_of(wind)
    return f"\x1b[48;2;{red};{green};{blue}m "
