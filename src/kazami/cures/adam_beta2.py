"""Let Adam learn sooner how large its gradients are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, optimizer_line

if TYPE_CHECKING:
    from ..maps import Training

BETA2 = 0.95


class AdamBeta2(AbstractCure):
    r"""Sets Adam's :math:`\beta_2` to 0.95.

    The second moment remembers :math:`1/(1-\beta_2)` steps: at 0.999 a gradient that grows is divided by the size it had a thousand steps ago.

    Limits:
        Shortens the memory of a spike, and lets one batch count for more in it: with very noisy batches take a value between.
    """

    name: ClassVar = "adam_beta2"
    treats: ClassVar = ("loss_spike",)
    order: ClassVar = 1
    changes: ClassVar = both("Shortens the memory of Adam's second moment.", "Adam の二次モーメントの記憶を短くします。")
    side_effects: ClassVar = both("Steps follow the size of the newest gradients more closely.", "ステップの大きさが直近の勾配に強く左右されます。")
    reference: ClassVar = (
        "Wortsman et al. 2023, arXiv 2304.13013, section 3 (spikes follow an outdated second moment); Brown et al. 2020, arXiv 2005.14165 (0.95)"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the optimizer's line; ``None`` for an optimizer without such a setting, or with a lower one."""
        del finding
        betas = trace.optimizer.get("betas")
        if not isinstance(betas, list | tuple) or len(betas) < 2 or float(betas[1]) <= BETA2:
            return None
        old = float(betas[1])
        return self.prescription(
            parameters={"beta2": BETA2, "from": old},
            code=optimizer_line(trace, f"beta2 was {old:g}", betas=(float(betas[0]), BETA2)),
            sentence=both(f"Lowers Adam's beta2 from {old:g} to {BETA2:g}.", f"Adam の β2 を {old:g} から {BETA2:g} に下げます。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with the new beta2; ``None`` where the optimizer has none, or has it already."""
        from ._fresh import fresh
        from ._surgery import with_settings

        betas = fresh(training).optimizer.param_groups[0].get("betas")
        return with_settings(training, betas=(betas[0], float(parameters["beta2"]))) if betas is not None and len(betas) > 1 else None
