"""A validation loss that rises while the training loss goes on falling."""

from typing import ClassVar

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Trace
from ._base import AbstractRule, both, short
from ._validation import gaps


class Overfitting(AbstractRule):
    r"""Fires when a validation loss that the script computes has risen from its lowest level beyond chance, by a tenth of what guessing costs, and stands above
    a training loss that did not rise.

    The lowest of *n* noisy levels lies about :math:`\sigma\sqrt{2 \ln n}` too low, so the rise is held against :math:`\sigma(\sqrt{2 \ln n} + 3)`.
    """

    id: ClassVar = "KZ401"
    name: ClassVar = "overfitting"
    title: ClassVar = both("validation loss against training loss", "訓練損失に対する検証損失")
    family: ClassVar = "symptom"
    rank: ClassVar = 54

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding for the validation curve that rose most."""
        if trace.progress is None or trace.progress.is_diverging:
            return None
        found = [gap for gap in gaps(trace) if gap.is_overfit]
        if not found:
            return None
        worst = max(found, key=lambda gap: gap.rise / gap.rise_limit)
        return self.finding(
            confidence=0.7 + 0.25 * min(worst.rise / worst.rise_limit - 1, 1.0),
            step=worst.lowest_at,
            evidence=[
                Evidence(
                    "rise of the validation loss",
                    worst.rise,
                    worst.rise_limit,
                    "",
                    "chance, and a tenth of guessing",
                    "検証損失の上昇",
                    "偶然の範囲と、当て推量の 10 分の 1",
                ),
                Evidence(
                    "validation loss above the training loss",
                    worst.now - worst.train,
                    worst.gap_limit,
                    "",
                    "3 standard errors",
                    "検証損失と訓練損失の差",
                    "標準誤差の 3 倍",
                ),
            ],
            sentence=both(
                f"The validation loss has risen from {short(worst.lowest)} at step {worst.lowest_at} to {short(worst.now)} while the training loss is at "
                f"{short(worst.train)}: the model learns its samples by heart.",
                f"検証損失がステップ {worst.lowest_at} の {short(worst.lowest)} から {short(worst.now)} へ上昇する一方、訓練損失は {short(worst.train)} です。"
                f"モデルが訓練データを丸暗記しています（過学習）。",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say that the validation loss did not rise."""
        seen = gaps(trace)
        if not seen or any(gap.rise > gap.rise_limit / 2 for gap in seen):
            return None
        value = max(gap.now for gap in seen)
        return both(f"overfitting (the validation loss, {short(value)}, has not risen)", f"過学習（検証損失 {short(value)} は上昇していない）")
