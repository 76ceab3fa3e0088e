"""Weights that start far from the size that keeps a signal alive."""

from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Layer, Trace
from ._base import AbstractRule, both, early, hidden, layer_name, matrices, number, short
from ._progress import falls_short, is_slow

LARGE, SMALL = 3.0, 0.2
EXTREME = 10.0  # so large that a norm layer does not mend it, and that unfinished progress is enough
# Gains that keep a signal's variance (He 2015, Glorot 2010); activations not named: 1.
IDEAL = {"relu": 2**0.5, "leaky_relu": 2**0.5, "gelu": 2**0.5, "silu": 2**0.5, "elu": 1.2, "sigmoid": 1.0, "tanh": 5 / 3}


class BadInitScale(AbstractRule):
    r"""Fires when the weights' gain :math:`\sigma_w\sqrt{n_{in}}` at the first step is more than 3 times, or less than a fifth of, the gain that keeps a
    signal's size, and it shows.

    It shows if the signal's spread between samples changes by two decades from the first layer to the last, or the first loss is twice that of the
    trivial predictor; and progress is poor.

    Limits:
        Small weights before a normalisation layer or on a residual branch do no harm and do not show.

    References:
        Glorot and Bengio 2010; He et al. 2015, section 2.2.
    """

    id: ClassVar = "KZ106"
    name: ClassVar = "bad_init_scale"
    title: ClassVar = both("scale of the initial weights", "重みの初期値の尺度")
    family: ClassVar = "initialisation"
    rank: ClassVar = 25
    can_decide_at: ClassVar = 1

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if initial weights are far too large or too small, it shows, and progress is poor."""
        columns = hidden(trace)  # a single layer has no signal to keep alive
        if not falls_short(trace.progress, 0.5, 0.6) or not columns or not trace.has("gain"):
            return None
        gain = early(trace, "gain", 1)
        relative = np.array([gain[i] / ideal_gain(trace.layers[i]) for i in columns])
        known = np.isfinite(relative) & (relative > 0)
        if not known.any():
            return None
        typical = float(np.exp(np.mean(np.log(relative[known]))))
        worst = columns[int(np.nanargmax(np.abs(np.log(np.where(known, relative, 1.0)))))]
        if not is_slow(trace.progress) and typical < EXTREME:
            return None
        normed = any(layer.kind == "norm" for layer in trace.layers)
        if typical > (EXTREME if normed else LARGE) and self._shows_large(trace):
            return self._found(trace, worst, typical, LARGE, 1.5)
        if typical < SMALL and self._shows_small(trace, columns):
            return self._found(trace, worst, typical, SMALL, -1.5)
        return None

    def _shows_large(self, trace: Trace) -> bool:
        progress = trace.progress
        first_is_large = progress is not None and progress.trivial is not None and progress.first > 2 * progress.trivial
        squashed = early(trace, "saturated_share", 1)
        return first_is_large or bool(np.nanmax(np.append(squashed, 0.0)) > 0.5) or growth(trace) > 2.0 or bool(progress and progress.is_diverging)

    def _shows_small(self, trace: Trace, columns: list[int]) -> bool:
        kinds = {layer.kind for layer in trace.layers}
        return growth(trace) < -2.0 or (len(columns) >= 2 and "norm" not in kinds and number(trace, "output_spread", first=1) < 1e-3)

    def _found(self, trace: Trace, worst: int, typical: float, limit: float, wind: float) -> Finding:
        large = typical > 1
        layer = trace.layers[worst]
        excess = abs(np.log(typical / limit)) / np.log(5)
        return self.finding(
            confidence=0.7 + 0.25 * min(float(excess), 1.0),
            place=layer.name,
            wind=wind,
            evidence=[
                Evidence(
                    "gain of the initial weights over the ideal",
                    typical,
                    limit,
                    "",
                    "He et al. 2015, section 2.2",
                    name_ja="初期の重みの増幅率（理想比）",
                    source_ja="He et al. 2015、2.2 節",
                )
            ],
            sentence=both(
                f"The initial weights are too {'large' if large else 'small'}: their gain is {short(typical)} "
                f"times the one that keeps a signal's size (worst in {layer_name(layer)}).",
                f"初期の重みが{'大き' if large else '小さ'}すぎます。信号の大きさを保つ値の "
                f"{short(typical)} 倍です（最も外れているのは {layer_name(layer)}）。",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say that the initial weights are of the right size."""
        columns = hidden(trace)
        gain = early(trace, "gain", 1)
        values = [gain[i] / ideal_gain(trace.layers[i]) for i in columns if np.isfinite(gain[i])]
        if not values or not all(SMALL < value < LARGE for value in values):
            return None
        return both(f"initial weights (gain {short(float(np.median(values)))} of the ideal)", f"重みの初期値（理想の {short(float(np.median(values)))} 倍）")


def ideal_gain(layer: Layer) -> float:
    """Return the gain that keeps a signal's size: by the activation, and 1 for a recurrent weight, whose factors multiply over time."""
    return 1.0 if layer.kind == "recurrent" else IDEAL.get(layer.activation, 1.0)


def growth(trace: Trace) -> float:
    """Return by how many decades the spread between samples changes from the first layer's input to the last layer's, at the first recorded step."""
    spread = early(trace, "input_spread", 1)
    values = np.array([spread[i] for i in matrices(trace, ("linear", "conv")) if np.isfinite(spread[i]) and spread[i] > 0])
    return float(np.log10(values[-1] / values[0])) if values.size >= 2 else 0.0
