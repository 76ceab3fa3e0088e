"""Gradient clipping that takes nearly all of the gradient."""

from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both, is_adaptive, short
from ._curves import ratio_of

LIMIT = 0.1


class OverClipping(AbstractRule):
    """Fires when clipping leaves less than a tenth of the gradient at more than half of the steps, progress is slow, and the optimizer does not rescale
    (Adam does not feel a constant factor).
    """

    id: ClassVar = "KZ206"
    name: ClassVar = "over_clipping"
    title: ClassVar = both("gradient clipping", "勾配クリッピング")
    family: ClassVar = "step"
    rank: ClassVar = 38
    wind: ClassVar = -1.0
    curves: ClassVar = {
        "share of the gradient that clipping leaves": ratio_of("clipping_limit", "norm_before_clipping"),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if clipping takes nearly all of the gradient while progress is slow."""
        progress = trace.progress
        if (
            progress is None
            or progress.is_diverging
            or is_adaptive(trace)
            or not trace.has("norm_before_clipping")
            or not (progress.is_poor or progress.pace < 0.08)
            or not progress.explained <= 0.7
        ):
            return None
        norms, limits = trace["norm_before_clipping"].values, trace["clipping_limit"].values
        known = np.isfinite(norms) & np.isfinite(limits)
        share = float(np.median(limits[known] / np.maximum(norms[known], 1e-30))) if known.any() else 1.0
        if not share < LIMIT:
            return None
        return self.finding(
            confidence=0.75 + 0.15 * min(float(np.log10(LIMIT / max(share, 1e-30))), 1.0),
            place="gradient clipping",
            place_ja="勾配クリッピング",
            evidence=[
                Evidence(
                    "share of the gradient that clipping leaves",
                    share,
                    LIMIT,
                    "",
                    "median over the recorded steps",
                    name_ja="クリッピング後に残る勾配の割合",
                    source_ja="記録したステップの中央値",
                )
            ],
            sentence=both(
                f"Clipping leaves only {short(share)} of the gradient at a typical step: training is slowed by that factor.",
                f"クリッピング後に残る勾配は典型的なステップで {short(share)} 倍だけで、その分だけ学習が遅くなっています。",
            ),
        )
