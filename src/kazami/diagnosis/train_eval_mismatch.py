"""A batch normalisation that computes something else in evaluation than in training, or dropout that is left on while the script validates."""

import math
from typing import ClassVar

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Trace
from ._base import AbstractRule, both, layer_name, short
from ._evaluation import forgetful, left_on
from ._norms import LEAST_STEPS, SHIFT, Norm, evaluation_gap, norms_of
from ._progress import falls_short

FEWEST = 2.0
SUNK = 0.01  # variance over epsilon: the output is a tenth of what was promised
EVALUATED_WELL = 1.5
NEARLY_DONE = 0.9


class TrainEvalMismatch(AbstractRule):
    r"""Fires when a batch normalisation's running statistics lie half a spread or more from those of its batches and will not arrive, when it has two numbers
    or fewer to take a statistic from, or when, under slow progress, its batch variance has sunk below a hundredth of its epsilon.

    Dropout of a third and more fires where the script validates in training mode.

    Silent on the first where the script's own evaluation shows a loss like that of training.
    """

    id: ClassVar = "KZ308"
    name: ClassVar = "train_eval_mismatch"
    title: ClassVar = both("normalisation in training and in evaluation", "訓練時と評価時の正規化")
    family: ClassVar = "structure"
    rank: ClassVar = 26
    wind: ClassVar = -0.5

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding for the worst normalisation."""
        dropped = left_on(trace)
        if dropped is not None:
            return self.finding(**dropped)
        norms = norms_of(trace)
        if not norms or trace.progress is None or trace.step < LEAST_STEPS:
            return None
        return self._few(trace, norms) or self._forgetful(trace, norms) or self._sunk(trace, norms) or self._apart(trace, norms)

    def _few(self, trace: Trace, norms: list[Norm]) -> Finding | None:
        norm = min(norms, key=lambda one: one.samples if one.samples == one.samples else math.inf)
        if not norm.samples <= FEWEST or (trace.progress is not None and trace.progress.explained > NEARLY_DONE):
            return None
        place = trace.layers[norm.index]
        return self.finding(
            confidence=0.88,
            place=place.name,
            evidence=[
                Evidence(
                    "numbers per channel in a batch",
                    norm.samples,
                    FEWEST,
                    "",
                    "of two, one becomes +1 and one -1",
                    "チャネルあたりの値の数",
                    "2 件のうち一方が +1、他方が −1 になる",
                )
            ],
            sentence=both(
                f"{layer_name(place)} normalises {short(norm.samples)} numbers per channel: in training each becomes +1 or -1, in evaluation not.",
                f"{layer_name(place)} はチャネルあたり {short(norm.samples)} 個の値で正規化しています。訓練時は必ず +1 か -1 になり、評価時と異なります。",
            ),
        )

    def _forgetful(self, trace: Trace, norms: list[Norm]) -> Finding | None:
        known = forgetful(trace, norms) if trace.progress is None or not trace.progress.explained > NEARLY_DONE else None
        return self.finding(**known) if known is not None else None

    def _sunk(self, trace: Trace, norms: list[Norm]) -> Finding | None:
        norm = min(norms, key=lambda one: one.variance if one.variance == one.variance else math.inf)
        if not norm.variance < SUNK or not falls_short(trace.progress, 0.8, 0.12):
            return None
        place = trace.layers[norm.index]
        return self.finding(
            confidence=0.7 + 0.1 * min(math.log10(SUNK / max(norm.variance, 1e-30)), 2.0),
            place=place.name,
            wind=-1.0,
            evidence=[Evidence("batch variance over epsilon", norm.variance, SUNK, "", "an output of a tenth", "バッチ分散と ε の比", "出力の 10 分の 1")],
            sentence=both(
                f"The batch variance that {layer_name(place)} divides by is only {short(norm.variance)} of its epsilon: it shrinks its signal instead of "
                f"normalising it.",
                f"{layer_name(place)} のバッチ分散は ε の {short(norm.variance)} 倍しかなく、正規化されずに信号が縮んでいます。",
            ),
        )

    def _apart(self, trace: Trace, norms: list[Norm]) -> Finding | None:
        apart = [norm for norm in norms if (norm.shift > SHIFT and norm.is_late(trace.step)) or norm.is_left_behind(trace.step)]
        gap = evaluation_gap(trace)
        if not apart or gap < EVALUATED_WELL:
            return None
        norm = max(apart, key=lambda one: max(one.shift, one.later))
        shift = max(norm.shift, norm.later)
        place, is_late = trace.layers[norm.index], norm.is_late(trace.step)
        why_en = f"with a momentum of {short(norm.memory)} they are still near their start" if is_late else "the weights change faster than they follow"
        why_ja = f"モメンタム {short(norm.memory)} では初期値からほとんど動いていません" if is_late else "重みの変化に追いついていません"
        return self.finding(
            confidence=0.7 + 0.1 * min(shift / SHIFT - 1, 1.5) + (0.1 if gap < math.inf else 0.0),
            place=place.name,
            evidence=[
                Evidence("running statistics against batch statistics", shift, SHIFT, "spreads of the output", "KZ308", name_ja="移動平均とバッチ統計の差"),
                Evidence("momentum of the running statistics", norm.memory, None, "", "", name_ja="移動平均のモメンタム"),
                *(
                    [Evidence("validation loss over training loss", gap, EVALUATED_WELL, "", "KZ308", name_ja="検証損失と訓練損失の比")]
                    if gap < math.inf
                    else []
                ),
            ],
            sentence=both(
                f"In evaluation {layer_name(place)} uses running statistics that lie {short(shift)} spreads from those of its batches: {why_en}.",
                f"評価時に {layer_name(place)} が使う移動平均は、バッチ統計から標準偏差の {short(norm.shift)} 倍離れています（{why_ja}）。",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say that the running statistics are those of the batches."""
        norms = [norm for norm in norms_of(trace) if norm.shift == norm.shift]
        if not norms or trace.step < LEAST_STEPS or max(norm.shift for norm in norms) > SHIFT / 2:
            return None
        value = max(norm.shift for norm in norms)
        return both(
            f"statistics of the normalisation in evaluation ({short(value)} spreads from training's)",
            f"評価時の正規化の統計量（訓練時との差は {short(value)}）",
        )
