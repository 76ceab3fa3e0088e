"""Clip only what stands out from the run's own recent gradients."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, before_trouble, both

if TYPE_CHECKING:
    from ..maps import Training

Z = 2.5
MEMORY = 0.97


class Zclip(AbstractCure):
    r"""Clips a gradient whose norm stands more than *z* = 2.5 deviations above its exponential average, to :math:`\mu + (z^2/z_t)\sigma`.

    Limits:
        The average needs some twenty-five steps to settle (1/(1 - 0.97) is 33).
    """

    name: ClassVar = "zclip"
    treats: ClassVar = ("loss_spike",)
    order: ClassVar = 3
    changes: ClassVar = both("Clips gradients that stand out from the recent ones (ZClip).", "最近の勾配から突出した勾配だけを打ち切ります（ZClip）。")
    side_effects: ClassVar = both("Two numbers more to keep in a checkpoint.", "チェックポイントに保存する数値が二つ増えます。")
    reference: ClassVar = "Kumar et al. 2025, ZClip: adaptive spike mitigation for LLM pre-training, arXiv 2504.02507 (z = 2.5, alpha = 0.97)"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines, which begin with the run's own mean norm and variance; ``None`` where no norms were seen."""
        norms = before_trouble(finding, trace, "total_gradient_norm")
        if norms.size < 2:
            return None
        mean, var = float(f"{norms.mean():.3g}"), float(f"{max(norms.var(), 1e-12):.3g}")
        lines = [
            f"mean, var = {mean:g}, {var:g}  # before the loop: of the gradient norm in this run",
            'norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), float("inf")))',
            "z = (norm - mean) / var**0.5",
            f"norm = mean + {Z**2:g} / z * var**0.5 if z > {Z:g} else norm",
            "torch.nn.utils.clip_grad_norm_(model.parameters(), norm)",
            f"mean, var = {MEMORY:g} * mean + {1 - MEMORY:.2g} * norm, {MEMORY:g} * var + {1 - MEMORY:.2g} * (norm - mean) ** 2",
        ]
        return self.prescription(parameters={"z": Z, "alpha": MEMORY, "mean": mean, "variance": var}, code="\n".join(lines), is_singled_out=True)

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose optimizer clips outliers; ``None`` for an optimizer that takes a closure."""
        from ._guards import ClipsOutliers, with_guard

        return with_guard(training, lambda: ClipsOutliers(parameters["z"], parameters["alpha"], parameters["mean"], parameters["variance"]))
