"""Draw the initial weights at random."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Layer, Trace
from ._base import AbstractCure, both, for_weights, hidden, layer_at, names_of

if TYPE_CHECKING:
    from ..maps import Training


class RandomInit(AbstractCure):
    """Draws the weights of hidden layers from a distribution, so that units differ from one another and can part."""

    name: ClassVar = "random_init"
    treats: ClassVar = ("symmetric_units",)
    order: ClassVar = 2
    changes: ClassVar = both("Draws the initial weights at random, so that units differ.", "初期の重みを乱数で決め、ユニットどうしを異ならせます。")
    side_effects: ClassVar = both("Results depend on the seed.", "結果が乱数のシードに依存するようになります。")
    reference: ClassVar = "Glorot and Bengio 2010, PMLR 9, 249-256, section 4.2; He et al. 2015, arXiv 1502.01852, section 2.2"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the initialisation that fits the activation of the layer that was found."""
        found = layer_at(trace, finding.place)
        layers = hidden(trace) or ([found] if found else [])
        call = call_for(found or (layers[0] if layers else None))
        return self.prescription(
            parameters={"layers": names_of(layers), "init": call},
            code=for_weights(layers, f"nn.init.{call}({{weight}}{_extra(call)})"),
            sentence=both(f"Draws the weights of `{finding.place}` at random ({call}).", f"`{finding.place}` の重みを乱数で初期化します（{call}）。")
            if found
            else None,
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with other initial weights; ``None`` where the model has none of these names."""
        from ._surgery import with_initialised

        call = f"nn.init.{parameters['init']}({{weight}}{_extra(parameters['init'])})"
        return with_initialised(training, parameters["layers"], [call] * len(parameters["layers"]))


def call_for(layer: Layer | None) -> str:
    """Return the initialisation of ``nn.init`` for a layer's activation: Xavier's where it is symmetric and bounded or absent, He's otherwise."""
    if layer is not None and layer.kind == "recurrent":
        return "orthogonal_"
    return "xavier_uniform_" if layer is None or layer.activation in ("sigmoid", "tanh", "hardtanh", "softmax", "identity") else "kaiming_normal_"


def _extra(call: str) -> str:
    return ', nonlinearity="relu"' if call == "kaiming_normal_" else ""
