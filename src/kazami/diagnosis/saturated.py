"""Squashing activations driven to their flat ends."""

from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Trace
from ._base import AbstractRule, both, early, hidden, layer_name, recent, short
from ._curves import of_layer
from ._progress import SLOW_PACE, falls_short, is_slow

LIMIT = 0.1
SHUT = 0.01  # from the first step on: so little that the layer before can be left out, however far the layer after has come


class Saturated(AbstractRule):
    """Fires when the mean slope of a sigmoid or tanh layer is below a tenth of the greatest slope it can have, while progress is poor.

    A network that has learned with confidence saturates too; the gate keeps it out. Which layer saturated first is told, and whether it was born so.
    """

    id: ClassVar = "KZ105"
    name: ClassVar = "saturated"
    title: ClassVar = both("saturation of squashing activations", "活性化関数の飽和")
    family: ClassVar = "signal"
    rank: ClassVar = 34
    wind: ClassVar = -1.5
    curves: ClassVar = {
        "mean slope of the activation over its greatest": of_layer("slope_share"),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if hidden layers are saturated while progress is poor."""
        columns = hidden(trace, ("linear", "conv", "recurrent", "norm", "embedding"))
        now = recent(trace, "slope_share")
        flat = [i for i in columns if now[i] < LIMIT]
        is_shut = bool(flat) and float(now[flat[0]]) < SHUT and bool(early(trace, "slope_share", 1)[flat[0]] < SHUT)
        if not flat or not (is_slow(trace.progress) or (is_shut and falls_short(trace.progress, 0.9, SLOW_PACE))):
            return None
        if not trace.progress_is_poor and float(now[flat[0]]) > LIMIT / 2:
            return None
        born = bool(early(trace, "slope_share", 1)[flat[0]] < 2 * LIMIT)
        layer = trace.layers[flat[0]]
        value = float(now[flat[0]])
        return self.finding(
            confidence=0.7 + 0.2 * (1 - value / LIMIT),
            place=layer.name,
            rank=None if born else 45,
            evidence=[
                Evidence("mean slope of the activation over its greatest", value, LIMIT, "", "KZ105", name_ja="活性化関数の平均の傾き（最大値比）"),
                Evidence("saturated layers", float(len(flat)), 0.0, "layers", "", name_ja="飽和した層の数"),
            ],
            sentence=both(
                f"{layer_name(layer)} ({layer.activation}) is saturated{' from the start' if born else ''}: its "
                f"mean slope is {short(value)} of the greatest, so hardly any gradient passes.",
                f"{layer_name(layer)}（{layer.activation}）が{'最初から' if born else ''}飽和しています。"
                f"平均の傾きが最大値の {short(value)} 倍しかなく、勾配がほとんど通りません。",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say how much slope is left."""
        now = recent(trace, "slope_share")
        if not np.isfinite(now).any() or np.nanmin(now) < 3 * LIMIT:
            return None
        return both(
            f"saturation (mean slope {short(float(np.nanmin(now)))} of the greatest)", f"飽和（平均の傾きは最大値の {short(float(np.nanmin(now)))} 倍）"
        )
