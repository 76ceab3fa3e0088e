"""Leave out steps whose gradient is not finite or far too large."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, before_trouble, both, ended_a_storm, rounded, short

if TYPE_CHECKING:
    from ..maps import Training

SPIKE = 10.0  # times the usual norm: a step of ten ordinary ones in a direction that one batch asks for


class SkipBadStep(AbstractCure):
    """Skips the optimizer step of a batch whose total gradient norm is not finite, or more than ten times its median in this run.

    Limits:
        Keeps the weights whole, and hides the cause: a batch that is skipped at every epoch should be looked at.
    """

    name: ClassVar = "skip_bad_step"
    treats: ClassVar = ("loss_spike", "nan_inf", "nonfinite_weights")
    order: ClassVar = 3
    changes: ClassVar = both("Skips the steps of bad batches.", "異常なバッチのステップを飛ばします。")
    side_effects: ClassVar = both("The skipped batches teach nothing.", "飛ばしたバッチからは何も学びません。")
    reference: ClassVar = "Chowdhery et al. 2022, PaLM, arXiv 2204.02311, section 5.1 (skipping batches around a spike)"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the guarded step, with a limit from the run's own median; ``None`` for a number that ended a growth, where every later step is bad."""
        if ended_a_storm(finding):
            return None
        norms = before_trouble(finding, trace, "total_gradient_norm")
        limit = rounded(SPIKE * float(np.median(norms)), up=True) if norms.size else float("inf")
        test = f"norm < {limit:.3g}" if np.isfinite(limit) and finding.name == "loss_spike" else "torch.isfinite(norm)"
        size = f" (ten times the median of {short(limit / SPIKE)})" if "<" in test else ""
        return self.prescription(
            parameters={"max_norm": limit if "<" in test else None},
            code=f'norm = torch.nn.utils.clip_grad_norm_(model.parameters(), float("inf"))\nif {test}:\n    optimizer.step()',
            sentence=both(
                f"Steps only where the gradient norm is {'below ' + short(limit) + size if size else 'finite'}.",
                f"勾配のノルムが{f' {short(limit)} 未満' if size else '有限'}のときだけ更新します。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose optimizer leaves out bad steps; ``None`` for an optimizer that takes a closure."""
        from ._guards import SkipsBadSteps, with_guard

        return with_guard(training, lambda: SkipsBadSteps(parameters["max_norm"]))
