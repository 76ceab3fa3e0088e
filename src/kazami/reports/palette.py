"""The colours of the wind: one scale from dead calm over breeze to storm, the same in the page, in its dark dress and in the terminal."""

import math
from bisect import bisect_right

Colour = tuple[int, int, int]

LIMITS = (-6.0, 2.0)  # of the layer wind; beyond them the colour stays that of the end
HEALTHY = (-2.5, 0.5)  # the band that is called breeze

# Anchors whose least CIEDE2000 distance is 29.9, and 26.9 in the worst of the three colour blindnesses (Machado 2009, severity 1).
DEAD_CALM, CALM, BREEZE, GUST, STORM = "#1b2454", "#4a7ab8", "#e2f0e8", "#f09e44", "#8c1e16"
BREEZE_DARK = "#2b3a3a"  # a pale centre would shine in a dark page
NOT_FINITE = "#c2189a"  # magenta, no colour of the scale; always hatched and labelled
TINT = 0.22  # how much of the neighbour the ends of the healthy band take on, so that the band is one colour to the eye and yet not a cliff


def stops(is_dark: bool = False) -> list[tuple[float, str]]:
    """Return the scale as (wind, colour), rising; in between colours are interpolated in sRGB."""
    breeze = BREEZE_DARK if is_dark else BREEZE
    low, high = HEALTHY
    return [
        (LIMITS[0], DEAD_CALM),
        ((LIMITS[0] + low) / 2, CALM),
        (low, _hex(_mix(_rgb(breeze), _rgb(CALM), TINT))),
        ((low + high) / 2, breeze),
        (high, _hex(_mix(_rgb(breeze), _rgb(GUST), TINT))),
        ((high + LIMITS[1]) / 2, GUST),
        (LIMITS[1], STORM),
    ]


def colour_of(wind: float, is_dark: bool = False) -> Colour:
    """Return the colour of a layer wind as red, green and blue from 0 to 255; NaN and +Inf are magenta, -Inf (no gradient at all) is the calmest.

    >>> colour_of(-9.0), colour_of(-1.0), colour_of(9.0)
    ((27, 36, 84), (226, 240, 232), (140, 30, 22))
    """
    if math.isnan(wind) or wind == math.inf:
        return _rgb(NOT_FINITE)
    scale = stops(is_dark)
    places = [place for place, _ in scale]
    if wind <= places[0]:
        return _rgb(scale[0][1])
    if wind >= places[-1]:
        return _rgb(scale[-1][1])
    above = bisect_right(places, wind)
    share = (wind - places[above - 1]) / (places[above] - places[above - 1])
    return _mix(_rgb(scale[above - 1][1]), _rgb(scale[above][1]), share)


def letter_of(wind: float) -> str:
    """Return ``"C"`` for too calm, ``"B"`` for breeze, ``"S"`` for storm, ``"N"`` for what is not finite; colours alone would not do.

    >>> "".join(letter_of(wind) for wind in (-4.0, 0.0, 1.0, float("inf"), -float("inf")))
    'CBSNC'
    """
    if math.isnan(wind) or wind == math.inf:
        return "N"
    if wind < HEALTHY[0]:
        return "C"
    return "S" if wind > HEALTHY[1] else "B"


def _rgb(code: str) -> Colour:
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (round(one + (other - one) * share) for one, other in zip(first, second, strict=True))
    return red, green, blue
