"""Scale the branches of a residual network."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, for_weights, names_of

if TYPE_CHECKING:
    from ..maps import Training


class ResidualScale(AbstractCure):
    r"""Multiplies the last weight of each residual branch by :math:`1/\sqrt{L}`: *L* unit branches then add a variance of 1, not of *L*."""

    name: ClassVar = "residual_scale"
    treats: ClassVar = ("exploding_gradient", "bad_init_scale")
    order: ClassVar = 2
    changes: ClassVar = both("Scales the residual branches by one over the root of their number.", "残差の枝を、本数の平方根の逆数倍にします。")
    side_effects: ClassVar = both("The network starts closer to the identity.", "ネットワークが恒等写像に近いところから始まります。")
    reference: ClassVar = "Hayou et al. 2021, Stable ResNet, arXiv 2010.12859; Zhang, Dauphin and Ma 2019, Fixup, arXiv 1901.09321"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines for the branches that were seen; ``None`` where there are fewer than two, or where initial weights are too small."""
        branches = [layer for layer in trace.layers if layer.is_residual]
        if len(branches) < 2 or finding.wind < 0:
            return None
        factor = float(f"{len(branches) ** -0.5:.2g}")
        return self.prescription(
            parameters={"factor": factor, "layers": names_of(branches)},
            code="\n".join(for_weights([layer], f"{{weight}}.data.mul_({factor:g})") for layer in branches),
            sentence=both(
                f"Multiplies the initial weights of the {len(branches)} residual branches by {factor:g}.",
                f"{len(branches)} 本の残差の枝の初期の重みを {factor:g} 倍します。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose residual branches begin smaller; ``None`` where the model has none of these names."""
        from ._surgery import with_weights

        return with_weights(training, parameters["layers"], lambda weight: weight.mul_(parameters["factor"]))
