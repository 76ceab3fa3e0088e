"""Wind: the one scale, from dead calm over breeze to hurricane (NaN)."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wind:
    """A word of the wind scale.

    Attributes:
        word: English word.
        word_ja: Japanese word.
        symbol: One character for terminals without colour.
        value: -2 dead calm, -1 light air, 0 breeze, 1 strong wind, 2 storm, 3 hurricane.
    """

    word: str
    word_ja: str
    symbol: str
    value: int


SCALE = (
    Wind("dead calm", "無風", "◯", -2),
    Wind("light air", "弱風", "◌", -1),
    Wind("breeze", "微風", "〜", 0),
    Wind("strong wind", "強風", "≋", 1),
    Wind("storm", "暴風", "⚡", 2),
    Wind("hurricane", "颶風", "✕", 3),
)


def wind_of(value: float) -> Wind:
    """Return the word for a value on the scale; NaN and infinity are a hurricane.

    >>> wind_of(-1.6).word, wind_of(0.2).word, wind_of(float("nan")).word
    ('dead calm', 'breeze', 'hurricane')
    """
    if not math.isfinite(value):
        return SCALE[5]
    return SCALE[min(max(round(value), -2), 3) + 2]
