"""Start recurrent weights as a rotation."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, decades_over_time, for_weights, is_gated, layer_at, names_of, recurrent_layers, short, weight_of

if TYPE_CHECKING:
    from ..maps import Training


class OrthogonalRecurrent(AbstractCure):
    r"""Initialises the recurrent matrix orthogonal, so that :math:`\lVert W^T \delta \rVert = \lVert \delta \rVert` at every time step.

    Limits:
        The activation's slope, at most 1 for tanh, still shortens gradients; the initial equality fades as the weights move.
    """

    name: ClassVar = "orthogonal_recurrent"
    treats: ClassVar = ("vanishing_gradient", "exploding_gradient")
    order: ClassVar = 2
    changes: ClassVar = both("Initialises the recurrent weights orthogonal.", "再帰の重みを直交行列で初期化します。")
    side_effects: ClassVar = both("None at the start; units share no preferred direction.", "初期状態での副作用はありません。")
    reference: ClassVar = "Saxe, McClelland and Ganguli 2014, arXiv 1312.6120; Le, Jaitly and Hinton 2015, arXiv 1504.00941"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the call for the recurrent matrix that was found; ``None`` where the change was not measured over time or the net is gated."""
        decades = decades_over_time(finding)
        found = layer_at(trace, finding.place)
        layers = [found] if found else recurrent_layers(trace)
        if decades is None or any(is_gated(layer) for layer in layers):
            return None
        code = for_weights(layers, "nn.init.orthogonal_({weight})")
        where = ", ".join(f"`{weight_of(layer)}`" for layer in layers) or "the recurrent weights"
        return self.prescription(
            parameters={"layers": names_of(layers)},
            code=code,
            sentence=both(
                f"Makes {where} orthogonal at the start, which keeps gradients at one size instead of {short(decades)} decades off.",
                f"{where.replace('the recurrent weights', '再帰の重み')} を直交行列で初期化し、{short(decades)} 桁変わる勾配を同じ大きさに保ちます。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose recurrent matrices begin orthogonal; ``None`` where the model has none of these."""
        from ._surgery import with_initialised

        return with_initialised(training, parameters["layers"], ["nn.init.orthogonal_({weight})"] * len(parameters["layers"]))
