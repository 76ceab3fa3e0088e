"""Carry less of the last steps on."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, optimizer_line

if TYPE_CHECKING:
    from ..maps import Training

LEAST = 0.5


class LowerMomentum(AbstractCure):
    r"""Halves the memory of the momentum: :math:`1 - \beta' = 2(1 - \beta)`.

    A heavy ball of momentum β swings with a decay of :math:`\sqrt{\beta}` a step; twice the loss a step halves how long a swing lasts.
    """

    name: ClassVar = "lower_momentum"
    treats: ClassVar = ("oscillating_loss", "player_rotation")
    order: ClassVar = 1
    changes: ClassVar = both("Lowers the momentum.", "モメンタムを下げます。")
    side_effects: ClassVar = both("Steps become shorter along steady directions.", "一定の方向に進むステップが短くなります。")
    reference: ClassVar = (
        "Polyak 1964, USSR Computational Mathematics and Mathematical Physics 4(5), 1-17; O'Donoghue and Candès 2015, arXiv 1204.3982, section 3"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the new momentum; ``None`` where there is little of it."""
        del finding
        betas, momentum = trace.optimizer.get("betas"), trace.optimizer.get("momentum")
        old = float(betas[0]) if isinstance(betas, list | tuple) and betas else float(momentum) if isinstance(momentum, int | float) else 0.0
        if old < LEAST:
            return None
        new = round(1 - 2 * (1 - old), 4)
        changes: dict[str, Any] = {"betas": (new, float(betas[1]))} if isinstance(betas, list | tuple) and len(betas) > 1 else {"momentum": new}
        return self.prescription(
            parameters={"momentum": new, "from": old},
            code=optimizer_line(trace, f"was {old:g}", **changes),
            sentence=both(f"Lowers the momentum from {old:g} to {new:g}.", f"モメンタムを {old:g} から {new:g} に下げます。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with the new momentum, which is the first of Adam's betas; ``None`` where the optimizer has none."""
        from ._fresh import fresh
        from ._surgery import with_settings

        new, betas = float(parameters["momentum"]), fresh(training).optimizer.param_groups[0].get("betas")
        return with_settings(training, betas=(new, *betas[1:])) if betas is not None else with_settings(training, momentum=new)
