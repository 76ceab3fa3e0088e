"""An activation as a picture: its curve, its slope, where the slope is largest and where it fades, from the catalogue of activations."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, get_args

import numpy as np

from ..records import Sentence
from ..reports.numerals import short
from ..reports.view_data import Number, Vector
from .refusals import UnknownWord
from .specs import ActivationName

if TYPE_CHECKING:
    from ..nets.catalogue.interval import Extreme, Interval

REACH = 6.0  # of the picture to both sides: the slope of a sigmoid there is 1 % of its largest
POINTS = 241
_TRAIT_OF_SINE = Sentence("Waves for ever: every output is reached again and again.", "どこまでも波打ち、同じ値を何度も取ります。")


@dataclass(frozen=True, slots=True)
class ActivationCurve:
    """One activation.

    Attributes:
        name: Its name in the playground.
        x: Where it is drawn.
        values: φ there.
        slopes: φ′ there; NaN at a kink or a jump, where there is none.
        largest_slope: Supremum of φ′, wherever there is a slope.
        saturated: Stretches on which |φ′| is below 1 % of its largest value, from where to where.
        sentence: What follows for a gradient on its way back.
        trait: What it does.
    """

    name: str
    x: Vector
    values: Vector
    slopes: Vector
    largest_slope: float
    saturated: tuple[tuple[Number, Number], ...]
    sentence: Sentence
    trait: Sentence


@lru_cache
def activation_curve(name: str) -> ActivationCurve:
    """Return an activation of the playground by its name.

    Raises:
        UnknownName: There is no such activation.

    Example:
        >>> sigmoid = activation_curve("sigmoid")
        >>> sigmoid.largest_slope, [round(end, 2) for stretch in sigmoid.saturated for end in stretch]
        (0.25, [-inf, -5.99, 5.99, inf])
    """
    import torch

    from ..nets import activation
    from ..nets.catalogue.recognition import describe

    if name not in get_args(ActivationName):
        raise UnknownWord("activation", "活性化関数", name, get_args(ActivationName))
    is_sine = name == "sine"  # not of the catalogue: its properties are computed in the same way
    found = describe(torch.sin) if is_sine else activation(name)
    x = torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64)
    slopes = found.derivative(x).numpy().copy()
    breaks = [*found.kinks, *found.jumps]
    slopes[np.isclose(x.numpy()[:, None], np.array(breaks)[None, :]).any(axis=1)] = math.nan
    return ActivationCurve(
        name=name,
        x=x.numpy(),
        values=found.function(x).numpy(),
        slopes=slopes,
        largest_slope=float(found.derivative_max),
        saturated=tuple((one.low, one.high) for one in found.saturation),
        sentence=_sentence(found.derivative_maximum, found.saturation),
        trait=_TRAIT_OF_SINE if is_sine else activation(name).trait,
    )


def _sentence(largest: "Extreme", saturated: "tuple[Interval, ...]") -> Sentence:
    """Say how much of a gradient can pass, and where none does."""
    most = short(largest.value)
    if largest.value == 0.0:
        return Sentence("The slope is 0 wherever there is one: no gradient passes.", "傾きはどこでも 0 で、勾配はまったく通らない。")
    ten = short(largest.value**10)
    fade = Sentence(
        f"The slope is at most {most}: where it is open, a gradient passes undamped",
        f"傾きは最大 {most}。開いている所では勾配がそのまま通る",
    )
    if largest.value < 1.0:
        fade = Sentence(
            f"The slope is at most {most}: ten of them pass at most {ten} of a gradient", f"傾きは最大 {most}。10 個重ねると勾配は最大でも {ten} 倍に減る"
        )
    if largest.value > 1.0:
        fade = Sentence(
            f"The slope is at most {most}: ten of them let a gradient grow {ten}-fold at most", f"傾きは最大 {most}。10 個重ねると勾配は最大 {ten} 倍に増える"
        )
    places = [(one.low, one.high) for one in saturated if one.high > one.low and (math.isinf(one.low) or math.isinf(one.high))]
    if not places:
        return Sentence(f"{fade.en}; it saturates nowhere.", f"{fade.ja}。飽和する所はない。")
    words = [
        Sentence(f"below {short(high)}", f"{short(high)} 未満") if math.isinf(low) else Sentence(f"above {short(low)}", f"{short(low)} 超")
        for low, high in places
    ]
    return Sentence(f"{fade.en}; it saturates {' and '.join(one.en for one in words)}.", f"{fade.ja}。{'と'.join(one.ja for one in words)}で飽和する。")
