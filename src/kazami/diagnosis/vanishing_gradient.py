"""Dead calm: gradients fade on their way back to the first layers, or to the first time steps."""

from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Floats, Trace
from ._base import AbstractRule, both, early, growth_to_input, is_adaptive, layer_name, matrices, on_the_way, recent, short
from ._curves import of_layer, over_depth
from ._progress import SLOW_EXPLAINED
from ._steps import TORN, peak_update

LIMIT = 3.5
LOST = 5.0
EARLY = 150  # steps in which an adaptive optimizer, whose steps do not shrink with the gradient, may still come out of a plateau
FORGOTTEN = 8.0
LATER = 47  # the rank of a fade that was not there at the start
SEVERE = 5.0  # decades: at this fade the first layers stand still even where the last ones already bring the loss down


class VanishingGradient(AbstractRule):
    r"""Fires when progress is poor and :math:`\log_{10} \mathrm{rms}(\delta_\ell)` falls from the last layer to the first by more than 3.5 decades, or over
    the unrolled time of a recurrent net.

    The limit: an update must change a weight by at least one part in :math:`2^{24}` (float32), and to learn at the pace of the last layer within
    :math:`10^3` to :math:`10^4` steps the first may be slower by no more than the same factor; :math:`\log(1/\sqrt{2^{-24}})` is 3.6 decades. The slope is
    the robust one of Theil and Sen times the depth.

    A fade that was not there at the start (units died, activations saturated) is a consequence and ranks behind its cause. Where first steps were half as large
    as the weights, what faded at the start is gone with those weights.

    Limits:
        Needs three layers; a skip connection flattens the profile, as it should. Fused recurrent kernels hide their time steps.

    References:
        Glorot and Bengio 2010, section 4.2; Pascanu et al. 2013 for time.
    """

    id: ClassVar = "KZ101"
    name: ClassVar = "vanishing_gradient"
    title: ClassVar = both("gradients that reach the first layers", "最初の層に届く勾配")
    family: ClassVar = "signal"
    rank: ClassVar = 32
    wind: ClassVar = -2.0
    curves: ClassVar = {
        "attenuation of the gradient over depth": over_depth("output_gradient_rms", sign=-1, kinds=("linear", "conv", "recurrent", "embedding")),
        "attenuation of the gradient over time": of_layer("time_growth", sign=-1),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if gradients fade over depth or time while progress is poor."""
        progress = trace.progress
        if progress is None or progress.is_diverging:
            return None
        if not progress.is_poor:
            return self._over_depth(trace, SEVERE) if progress.explained < SLOW_EXPLAINED else None
        patient = is_adaptive(trace) and trace.step < EARLY
        return self._over_depth(trace, SEVERE if patient else LIMIT) or self._over_time(trace, FORGOTTEN if patient else LIMIT) or self._no_signal(trace)

    def _over_depth(self, trace: Trace, limit: float) -> Finding | None:
        columns = [i for i in on_the_way(trace, ("linear", "conv", "recurrent", "embedding")) if np.isfinite(recent(trace, "output_gradient_rms")[i])]
        born, now = (-growth_to_input(profile(trace, name, columns)) for name in ("early", "recent"))
        born = np.nan if peak_update(trace) > TORN else born
        fade = float(np.fmax(born, now))
        if len(columns) < 3 or not fade > limit:
            return None
        first, last = trace.layers[columns[0]], trace.layers[columns[-1]]
        source, source_ja = "float32 resolution, docs/findings", "float32 の分解能、docs/findings"
        return self.finding(
            confidence=0.75 + 0.2 * min((fade - LIMIT) / 3, 1.0),
            place=first.name,
            rank=None if born > LIMIT else LATER,
            evidence=[Evidence("attenuation of the gradient over depth", fade, LIMIT, "decades", source, "深さ方向の勾配の減衰", source_ja)],
            sentence=both(
                f"Gradients fade by {short(fade)} decades between {layer_name(last)} and {layer_name(first)}: the first layers do not learn.",
                f"勾配が {layer_name(last)} から {layer_name(first)} までに {short(fade)} 桁減衰し、最初の層が学習できません。",
            ),
        )

    def _over_time(self, trace: Trace, limit: float) -> Finding | None:
        fades = -recent(trace, "time_growth")
        if not np.isfinite(fades).any():
            return None
        worst = int(np.nanargmax(fades))
        fade = float(fades[worst])
        if fade <= limit:
            return None
        layer = trace.layers[worst]
        return self.finding(
            confidence=0.7 + 0.2 * min((fade - LIMIT) / 4, 1.0),
            place=layer.name,
            evidence=[Evidence("attenuation of the gradient over time", fade, LIMIT, "decades", "Pascanu et al. 2013", name_ja="時間方向の勾配の減衰")],
            sentence=both(
                f"Gradients fade by {short(fade)} decades over the {layer.n_uses} time steps of {layer_name(layer)}: early inputs do not teach it anything.",
                f"{layer_name(layer)} の {layer.n_uses} 時刻をさかのぼる間に勾配が {short(fade)} 桁減衰し、初期の入力から学習できません。",
            ),
        )

    def _no_signal(self, trace: Trace) -> Finding | None:
        spread, columns = recent(trace, "input_spread"), matrices(trace)
        seen = [i for i in columns if np.isfinite(spread[i]) and spread[i] > 0]
        if len(seen) < 2 or not trace.layers[seen[-1]].is_output or bool(np.any(recent(trace, "dead_share", 3) > 0.95)):
            return None
        loss = float(np.log10(spread[seen[0]] / spread[seen[-1]]))
        if loss <= LOST:
            return None
        first, last = trace.layers[seen[0]], trace.layers[seen[-1]]
        at_first = early(trace, "input_spread", 1)[[seen[0], seen[-1]]]
        return self.finding(
            confidence=0.75,
            place=last.name,
            rank=None if at_first[1] * 10**LOST < at_first[0] else LATER,
            evidence=[
                Evidence(
                    "loss of the differences between samples on the way to the output",
                    loss,
                    LOST,
                    "decades",
                    "float32 resolution",
                    name_ja="出力までに失われたサンプル間の差",
                    source_ja="float32 の分解能",
                )
            ],
            sentence=both(
                f"Nothing of the input arrives at {layer_name(last)}: "
                f"the differences between samples shrink by {short(loss)} decades from {layer_name(first)} on.",
                f"入力の違いが {layer_name(first)} から {short(loss)} 桁縮み、{layer_name(last)} にはほとんど届いていません。",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say by how little gradients change over depth."""
        change = growth_to_input(profile(trace, "recent", on_the_way(trace)))
        if not abs(change) <= 2:
            return None
        return both(f"depth (gradients change by {short(abs(change))} decades)", f"深さ（勾配の変化は {short(abs(change))} 桁）")


def profile(trace: Trace, when: str, columns: list[int]) -> Floats:
    """Return the root-mean-square output gradients of some layers, first layer first, early in the training or now."""
    values = early(trace, "output_gradient_rms", 1) if when == "early" else recent(trace, "output_gradient_rms")
    return np.array([values[i] for i in columns])
