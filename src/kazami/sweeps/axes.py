"""What the pictures of a sweep have in common: axes of factors, and the words for them."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError, unknown_name
from ..reports.numerals import short
from .grids import axis_of

if TYPE_CHECKING:
    from .result import SweepResult

LOG_FROM = 10.0  # ratio of the largest to the smallest value
UNEVEN = 0.25  # standard deviation of the gaps over their mean
MOST_NAMES = 16
WORDS = {
    "ja": {
        "learning_rate": "学習率", "momentum": "モーメンタム", "seed": "シード", "perturbation": "摂動 ε",
        "weight_decay": "重み減衰",
        "batch_size": "バッチサイズ",
        "loss": "損失", "final_loss": "最終損失", "score": "スコア", "max_lyapunov": "最大リアプノフ指数", "sharpness": "鋭さ", "distance": "初期値からの距離",
        "gradient_norm": "勾配ノルム", "diverged_at": "発散したステップ", "width": "幅", "depth": "深さ", "activation": "活性化関数", "regime": "レジーム",
    },
    "en": {"max_lyapunov": "largest Lyapunov exponent", "perturbation": "perturbation ε"},
}  # fmt: skip


def said(name: str, language: str, unit: str = "") -> str:
    """Return a column's name for people, with its unit.

    >>> said("learning_rate", "en"), said("max_lyapunov", "ja", "1/step")
    ('learning rate', '最大リアプノフ指数 (1/step)')
    """
    word = WORDS[language if language in WORDS else "en"].get(name, name.replace("_", " "))
    return f"{word} ({unit})" if unit and unit not in name else word


def factor_named(found: "SweepResult", name: str | None, others: tuple[str, ...] = ()) -> str:
    """Return ``name`` if it is a factor, or the first that is none of ``others``: with several values if there is one, seeds last.

    Raises:
        UnknownName: There is no such factor.
        UsageError: No factor is left.
    """
    if name is not None:
        if name not in found.factors:
            raise unknown_name("factor", name, found.factors)
        return name
    left = [factor for factor in found.factors if factor not in others]
    left.sort(key=lambda factor: (len(set(map(str, found.values[factor]))) < 2, factor == "seed"))
    if not left:
        raise UsageError(f"This picture needs one more factor than the sweep has ({', '.join(found.factors)}). Draw a curve of one factor instead.")
    return left[0]


def scale_of(values: list[Any]) -> str:
    """Return how values are drawn: ``"log"`` where they are positive, over more than a decade and even there, ``"names"`` (one place each) for text and for a
    few uneven numbers, else ``"linear"``.

    >>> scale_of([0.01, 0.1, 1.0]), scale_of([1, 2, 3]), scale_of(["relu", "tanh"]), scale_of([0.0, 0.5, 0.9, 0.99])
    ('log', 'linear', 'names', 'names')
    """
    if not are_numbers(values):
        return "names"
    places = np.sort(np.array(values, dtype=float))
    if len(places) < 3:
        return "names"
    gaps = np.diff(places)
    uneven = float(np.std(gaps) / np.mean(gaps))
    if places[0] > 0 and places[-1] / places[0] >= LOG_FROM:
        logs = np.diff(np.log(places))
        if float(np.std(logs) / np.mean(logs)) < uneven:
            return "log"
    return "names" if uneven > UNEVEN and len(places) <= MOST_NAMES else "linear"


def are_numbers(values: list[Any]) -> bool:
    """Return whether all are numbers."""
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def borders(values: list[Any]) -> NDArray[np.float64]:
    """Return the borders of cells around ``values``: halfway between neighbours, in the logarithm where they are drawn so.

    >>> borders([1.0, 2.0, 3.0]).tolist(), borders(["a", "b"]).tolist()
    ([0.5, 1.5, 2.5, 3.5], [-0.5, 0.5, 1.5])
    """
    places, is_log = centres(values), scale_of(values) == "log"
    if len(places) == 1:
        width = 0.5 * abs(places[0]) or 0.5
        return np.array([places[0] - width, places[0] + width])
    places = np.log(places) if is_log else places
    middles = (places[1:] + places[:-1]) / 2
    ends = np.concatenate([[2 * places[0] - middles[0]], middles, [2 * places[-1] - middles[-1]]])
    return np.exp(ends) if is_log else ends


def dress(axis: Any, which: str, found: "SweepResult", name: str, language: str) -> None:
    """Give an axis (``"x"`` or ``"y"``) its scale, ticks and label."""
    values, _ = axis_of(found, name)
    getattr(axis, f"set_{which}label")(said(name, language, found.units.get(name, "")))
    scale = scale_of(values)
    if scale == "log":
        getattr(axis, f"set_{which}scale")("log")
    elif scale == "names":
        getattr(axis, f"set_{which}ticks")(range(len(values)), [short(value) if are_numbers([value]) else str(value) for value in values])


def centres(values: list[Any]) -> NDArray[np.float64]:
    """Return where the middles of cells are drawn."""
    return np.arange(len(values), dtype=float) if scale_of(values) == "names" else np.array(values, dtype=float)


def at(name: str, value: Any, language: str) -> str:
    """Return ``"learning rate 0.5"``."""
    number = short(float(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) else str(value)
    return f"{said(name, language)} {number}"
