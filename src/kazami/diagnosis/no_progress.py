"""Nothing is being learned, and no other rule knows why."""

import math
from typing import ClassVar

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both, short
from ._curves import explained

LEAST_STEPS = 150
EXPLAINED = 0.1
PACE = 0.05
SURELY = 4.0  # standard errors of a median: a little that is surely better than guessing may be all that noisy targets leave to learn


class NoProgress(AbstractRule):
    """Fires when the loss is no better than guessing and is not falling, or stands well above its start: the gate of all other rules, told by itself.

    A twentieth or more that is explained by four standard errors is better than guessing: noisy targets may leave no more. It names no cause, so it ranks
    behind every rule that does and is a remark beside them. Before 150 steps a slow start cannot be told from a standstill, so it is a remark there too,
    unless the loss has risen.
    """

    id: ClassVar = "KZ001"
    name: ClassVar = "no_progress"
    title: ClassVar = both("progress against guessing", "当て推量と比べた進み")
    family: ClassVar = "symptom"
    rank: ClassVar = 90
    wind: ClassVar = -1.0
    curves: ClassVar = {
        "share of the loss explained": explained,
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if nothing is being learned."""
        progress = trace.progress
        if progress is None or not progress.is_poor or trace.step < 2:
            return None
        level = max(1, min(50, len(trace["loss"]) // 5))  # losses behind `progress.now`
        is_better = progress.trivial is not None and progress.explained > SURELY * progress.noise * 1.25 / math.sqrt(level)
        is_standing = progress.explained < (EXPLAINED / 2 if is_better else EXPLAINED) and progress.pace < PACE
        if not (is_standing or progress.is_diverging):
            return None
        is_sure = progress.is_diverging or trace.step >= LEAST_STEPS
        against = both("the trivial predictor", "自明な予測器") if progress.trivial is not None else both("the first loss", "最初の損失")
        return self.finding(
            confidence=0.5,
            severity="warning" if is_sure else "info",
            wind=1.5 if progress.is_diverging else None,
            evidence=[
                Evidence(
                    "share of the loss explained",
                    progress.explained,
                    EXPLAINED,
                    source=f"against {against.en}",
                    name_ja="説明された損失の割合",
                    source_ja=f"{against.ja}との比較",
                ),
                Evidence("share of the loss gained in the second half", progress.pace, PACE, "", "", name_ja="後半で減った損失の割合"),
            ],
            sentence=both(
                f"After {trace.step} steps the loss has risen from {short(progress.first)} to {short(progress.now)}; the cause is not sure.",
                f"{trace.step} ステップで損失が {short(progress.first)} から {short(progress.now)} に上昇しました。原因は確定できません。",
            )
            if progress.is_diverging
            else both(
                f"After {trace.step} steps the loss ({short(progress.now)}) is no better than "
                f"{'guessing' if progress.trivial is not None else 'at the start'} ({short(progress.reference)}); the cause is not sure.",
                f"{trace.step} ステップ後の損失（{short(progress.now)}）"
                f"は{'当て推量' if progress.trivial is not None else '開始時'}（{short(progress.reference)}）"
                "と変わりません。原因は確定できません。",
            ),
        )
