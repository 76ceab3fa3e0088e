"""Scale the initial weights so that gradients neither fade nor grow over depth."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, for_weights, hidden, measured, names_of, short

if TYPE_CHECKING:
    from ..maps import Training


class RescaleInit(AbstractCure):
    r"""Multiplies the hidden layers' initial weights by :math:`r = 10^{\pm d/(L-1)}`, where *d* decades of attenuation or growth were measured over *L* layers.

    A linear back-propagation multiplies a gradient by each layer's gain, so *r* in every layer takes the measured slope back to zero: a layer-sequential
    initialisation with the gain
    read off the training itself.

    Limits:
        To first order: a larger weight also bends a sigmoid or tanh further. Measure again after it, and use another activation if the slope comes back.
    """

    name: ClassVar = "rescale_init"
    treats: ClassVar = ("vanishing_gradient", "exploding_gradient")
    order: ClassVar = 2
    changes: ClassVar = both(
        "Scales the initial weights so that gradients keep their size over depth.", "勾配の大きさが層を通じて保たれるように、初期の重みを定数倍します。"
    )
    side_effects: ClassVar = both(
        "Re-tune the learning rate afterwards; bounded activations may saturate.",
        "その後で学習率を調整し直してください。有界な活性化関数は飽和することがあります。",
    )
    reference: ClassVar = "Mishkin and Matas 2016, All you need is a good init, arXiv 1511.06422; Glorot and Bengio 2010, PMLR 9, 249-256, section 4.2"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the factor from the measured decades, ``None`` where the change was measured over time or over the run."""
        decades = measured(finding, "over depth")
        layers = hidden(trace)
        n_weights = len(layers) + sum(layer.is_output for layer in trace.layers)
        if math.isnan(decades) or n_weights < 3 or not layers:
            return None
        factor = 10 ** (decades / (n_weights - 1) * (1 if finding.name == "vanishing_gradient" else -1))
        factor = float(f"{min(max(factor, 1e-3), 1e3):.2g}")
        return self.prescription(
            parameters={"factor": factor, "layers": names_of(layers)},
            code=for_weights(layers, f"{{weight}}.data.mul_({factor:g})") + "  # after the model is made",
            sentence=both(
                f"Multiplies the initial weights of the {len(layers)} hidden layers by "
                f"{factor:g}: gradients change by {short(decades)} decades over {n_weights} layers.",
                f"{len(layers)} 個の隠れ層の初期の重みを {factor:g} 倍します。勾配が {n_weights} 層で {short(decades)} 桁変わっているためです。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose hidden weights are multiplied; ``None`` where the model has none of these names."""
        from ._surgery import with_weights

        return with_weights(training, parameters["layers"], lambda weight: weight.mul_(parameters["factor"]))
