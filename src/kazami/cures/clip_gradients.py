"""Clip gradients at the run's own 90th percentile."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, before_trouble, both, ended_a_storm, short

if TYPE_CHECKING:
    from ..maps import Training

PERCENTILE = 90


class ClipGradients(AbstractCure):
    """Limits the total gradient norm to its own 90th percentile before the trouble, so that nine steps in ten stay as they are.

    Limits:
        Treats the large step, not its cause. Adam feels single large gradients only.
    """

    name: ClassVar = "clip_gradients"
    treats: ClassVar = ("exploding_gradient", "nan_inf", "lr_too_high", "loss_spike", "nonfinite_weights")
    order: ClassVar = 3
    changes: ClassVar = both("Clips the gradient at its usual size.", "勾配を普段の大きさで打ち切ります。")
    side_effects: ClassVar = both("About one step in ten is shortened.", "およそ十回に一回のステップが短くなります。")
    reference: ClassVar = (
        "Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063, section 3.2; Seetharaman "
        "et al. 2020, AutoClip, arXiv 2007.14469 (a percentile of the run's own norms)"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the line with the percentile as its number; ``None`` where no norm was seen, or a non-finite number did not end a growth."""
        if finding.name in ("nan_inf", "nonfinite_weights") and not ended_a_storm(finding):
            return None
        norms = before_trouble(finding, trace, "total_gradient_norm")
        norms = norms[norms > 0]
        if norms.size == 0:
            return None
        limit = float(f"{np.percentile(norms, PERCENTILE):.2g}")
        return self.prescription(
            parameters={"max_norm": limit, "percentile": PERCENTILE},
            code=f"torch.nn.utils.clip_grad_norm_(model.parameters(), {limit:g})  # before optimizer.step()",
            sentence=both(
                f"Clips the gradient norm at {limit:g}, its {PERCENTILE}th percentile in this run (median {short(float(np.median(norms)))}).",
                f"勾配のノルムを {limit:g} で打ち切ります（この学習の {PERCENTILE} パーセンタイル。中央値は {short(float(np.median(norms)))}）。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with its gradients clipped; ``None`` where it clips as much, or where its own step calls an optimizer with a closure."""
        from ._guards import Clips, with_guard

        limit = float(parameters["max_norm"])
        if training.train_step is not None:
            return with_guard(training, lambda: Clips(limit))
        return training.replaced(clip_grad_norm=limit) if training.clip_grad_norm is None or training.clip_grad_norm > limit else None
