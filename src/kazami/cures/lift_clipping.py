"""Clip at the usual gradient norm instead of far below it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, measured, rounded, short

if TYPE_CHECKING:
    from ..maps import Training

PERCENTILE = 90


class LiftClipping(AbstractCure):
    """Raises the clipping limit to the 90th percentile of the norms before clipping, so that only outliers are cut."""

    name: ClassVar = "lift_clipping"
    treats: ClassVar = ("over_clipping",)
    order: ClassVar = 1
    changes: ClassVar = both("Raises the clipping limit.", "クリッピングの上限を上げます。")
    side_effects: ClassVar = both(
        "Steps become longer; lower the learning rate if the loss begins to swing.", "ステップが長くなります。損失が振れ始めたら学習率を下げてください。"
    )
    reference: ClassVar = "Seetharaman et al. 2020, AutoClip, arXiv 2007.14469; Zhang et al. 2020, Why gradient clipping accelerates training, arXiv 1905.11881"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the new limit; ``None`` where the norms were not seen."""
        norms = trace["norm_before_clipping"].values
        norms = norms[np.isfinite(norms) & (norms > 0)]
        limits = trace["clipping_limit"].values
        if norms.size == 0:
            return None
        new = rounded(float(np.percentile(norms, PERCENTILE)), up=True)
        old = f"  # was {limits[-1]:.3g}" if limits.size else ""
        share = measured(finding, "share of the gradient")
        return self.prescription(
            parameters={"max_norm": new},
            code=f"torch.nn.utils.clip_grad_norm_(model.parameters(), {new:.3g}){old}",
            sentence=both(
                f"Clips at {new:.3g}, the {PERCENTILE}th percentile of the norms, instead of leaving {short(share)} of every gradient.",
                f"勾配を毎回 {short(share)} 倍に縮める代わりに、ノルムの {PERCENTILE} パーセンタイルの {new:.3g} で打ち切ります。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with the new limit; ``None`` where it clips in a step of its own."""
        clips = training.clip_grad_norm is not None and training.clip_grad_norm < parameters["max_norm"]
        return training.replaced(clip_grad_norm=parameters["max_norm"]) if clips and training.train_step is None else None
