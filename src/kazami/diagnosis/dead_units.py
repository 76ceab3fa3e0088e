"""Units that are silent on everything they have seen."""

from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Floats, Trace
from ._answers import gives_one_answer
from ._base import AbstractRule, both, early, hidden, layer_name, recent
from ._curves import of_layer
from ._progress import STUCK_EXPLAINED, is_slow

LIMIT = 0.5
MOST, ALL = 0.75, 0.95
DIED = 55  # units that died on the way are the mark of something else


class DeadUnits(AbstractRule):
    """Fires when more than half of a layer's ReLU units were exactly zero on every sample of the last 50 recorded steps, while progress is poor.

    A unit silent on all samples has exactly zero gradient and cannot come back by itself. Sparse layers in a training that goes well are no fault. A layer
    that was born dead is a cause; one that died during training is more often the mark that a too large step left.

    References:
        Lu et al. 2019, "Dying ReLU and initialization" (arXiv 1903.06733).
    """

    id: ClassVar = "KZ104"
    name: ClassVar = "dead_units"
    title: ClassVar = both("dead units", "死んだユニット")
    family: ClassVar = "signal"
    rank: ClassVar = 36
    wind: ClassVar = -2.0
    curves: ClassVar = {
        "share of units silent on every sample": of_layer("dead_share"),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if hidden layers are largely dead while progress is poor."""
        now, born = recent(trace, "dead_share", 3), early(trace, "dead_share", 1)
        if not (is_slow(trace.progress) or _is_cut_off(trace, now)):
            return None
        columns = [i for i in range(len(trace.layers)) if now[i] > LIMIT]
        if not columns or not (trace.progress_is_poor or max(now[i] for i in columns) > MOST):
            return None
        worst = max(columns, key=lambda i: (round(float(now[i]), 1), -i))
        layer, share = trace.layers[worst], float(now[worst])
        is_born = bool(born[worst] > LIMIT)
        return self.finding(
            confidence=(0.85 if share > ALL else 0.6) + (0.08 if is_born else 0.0),
            place=layer.name,
            step=1 if is_born else _died_at(trace, worst),
            rank=23 if is_born and share > ALL else None if is_born else DIED,
            severity="error" if share > ALL else "warning",
            evidence=[
                Evidence(
                    "share of units silent on every sample",
                    share,
                    LIMIT,
                    "",
                    "last 50 recorded steps",
                    name_ja="全サンプルで0のユニットの割合",
                    source_ja="最新 50 回の記録",
                )
            ],
            sentence=both(
                f"{share:.0%} of the units of {layer_name(layer)} are dead{' from the start' if is_born else ''}: "
                "they give zero on every sample and get no gradient.",
                f"{layer_name(layer)} のユニットの {share:.0%} が{'最初から' if is_born else ''}死んでいます。どのサンプルでも0を出し、勾配が届きません。",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say how few units are dead."""
        now = recent(trace, "dead_share", 3)
        columns = [i for i in hidden(trace) if np.isfinite(now[i])]
        if not columns or max(now[i] for i in columns) > LIMIT / 2:
            return None
        return both(f"dead units ({max(now[i] for i in columns):.0%} at most)", f"死んだユニット（最大 {max(now[i] for i in columns):.0%}）")


def _is_cut_off(trace: Trace, dead: Floats) -> bool:
    """Return whether a layer is dead as a whole, every input gets the same answer, and that is no better than guessing: a loss that falls meanwhile only comes
    down to the best constant.
    """
    progress = trace.progress
    return progress is not None and progress.explained < STUCK_EXPLAINED and bool(np.any(dead > ALL)) and gives_one_answer(trace)


def _died_at(trace: Trace, column: int) -> int:
    series = trace["dead_share"]
    over = np.flatnonzero(series.values[:, column] > LIMIT)
    return int(series.steps[over[0]]) if over.size else trace.step
