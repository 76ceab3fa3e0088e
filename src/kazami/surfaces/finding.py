"""What a surface shows and what it hides, each in one sentence."""

import math
from typing import TYPE_CHECKING

import numpy as np

from ..records import Sentence
from ..reports.numerals import short

if TYPE_CHECKING:
    from .landscape import Surface

AS_LOW = 1e-3  # of the range of heights: a grid need not hold the very minimum


def finding_of(surface: "Surface") -> Sentence:
    """Return what is to be seen on ``surface``."""
    lowest, a, b = surface.lowest
    if math.isnan(lowest):
        return Sentence("The loss is not finite anywhere in this slice.", "この断面では損失が有限な点がありません。")
    highest = float(np.max(surface.values[np.isfinite(surface.values)]))
    lost = share_not_finite(surface)
    beyond = Sentence(f"; {lost:.0%} of the slice is not finite", f"。断面の {lost:.0%} は有限でない") if lost > 0 else Sentence("", "")
    if len(surface.path_losses) > 1:
        start, end = float(surface.path_losses[0]), float(surface.path_losses[-1])
        falls, falls_ja = ("falls", "下がる") if end < start else ("rises", "上がる")
        return Sentence(
            f"Along the path the loss {falls} from {short(start)} to {short(end)}{beyond.en}",
            f"経路に沿って損失は {short(start)} から {short(end)} へ{falls_ja}{beyond.ja}",
        )
    if surface.plane is None:
        return Sentence(
            f"The lowest loss on the grid is {short(lowest)}, at ({short(a)}, {short(b)}); the highest {short(highest)}{beyond.en}",
            f"格子上の最小損失は ({short(a)}, {short(b)}) の {short(lowest)}、最大は {short(highest)}{beyond.ja}",
        )
    at_model = _nearest(surface, 0.0, 0.0)
    is_lowest = at_model - lowest <= AS_LOW * (highest - lowest) or short(lowest) == short(at_model)
    where = Sentence("as low as any in the slice", "断面内で最小")
    if not is_lowest:
        place = f"({short(a)}, {short(b)})"
        where = Sentence(f"not the lowest: {short(lowest)} lies at {place}", f"最小ではない（{place} で {short(lowest)}）")
    return Sentence(
        f"The model's loss, {short(at_model)}, is {where.en}; the highest is {short(highest)}{beyond.en}",
        f"モデルの損失 {short(at_model)} は{where.ja}、最大は {short(highest)}{beyond.ja}",
    )


def hidden_by(surface: "Surface") -> Sentence:
    """Return what ``surface`` hides: how much of the gradient, of the path and of the directions lies outside it."""
    if surface.plane is None:
        return Sentence("Nothing is hidden: these are all the weights there are.", "隠れているものはありません。重みはこの 2 つだけです。")
    parts = [Sentence(f"The slice shows 2 of {surface.n_weights} directions", f"この断面は {surface.n_weights} 方向のうち 2 方向を示します")]
    if not math.isnan(surface.gradient_share):
        out = 1 - surface.gradient_share
        parts.append(
            Sentence(f"{_percent(out)} of the squared gradient at its centre points out of it", f"中心での勾配（2 乗）の {_percent(out)} は断面の外を向きます")
        )
    if not math.isnan(surface.path_share):
        out = 1 - surface.path_share
        parts.append(Sentence(f"{_percent(out)} of the path's squared distance lies outside it", f"経路の 2 乗距離の {_percent(out)} は断面の外にあります"))
    if surface.explained is not None:
        parts.append(
            Sentence(
                f"the axes hold {_percent(surface.explained[0])} and {_percent(surface.explained[1])} of its variance (a random walk: 61 % and 15 %)",
                f"両軸は分散の {_percent(surface.explained[0])} と {_percent(surface.explained[1])} を含みます（ランダムウォークなら 61 % と 15 %）",
            )
        )
    return Sentence("; ".join(part.en for part in parts) + ".", "。".join(part.ja for part in parts) + "。")


def share_not_finite(surface: "Surface") -> float:
    """Return the share of the computed points whose loss is not finite."""
    computed = surface.values[: surface.n_computed]
    return float(1 - np.isfinite(computed).mean()) if computed.size else 0.0


def _percent(share: float) -> str:
    """Return a share with two significant digits near 0 and near 1: 99.97 % is not 100 %."""
    share = min(max(share, 0.0), 1.0)
    rest = min(share, 1 - share)
    if rest < 1e-6:
        return f"{share * 100:.0f} %"
    places = max(0, 1 - math.floor(math.log10(rest * 100))) if rest * 100 < 10 else 0
    return f"{share * 100:.{places}f} %"


def _nearest(surface: "Surface", a: float, b: float) -> float:
    return float(surface.values[np.abs(surface.b - b).argmin(), np.abs(surface.a - a).argmin()])
