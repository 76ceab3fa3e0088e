"""Lead signals past the layers."""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, decades_over_time, hidden, layer_at, names_of, path_of

if TYPE_CHECKING:
    from ..maps import Training


class Residual(AbstractCure):
    r"""Adds each hidden layer's input to its output where both have one width: :math:`x + f(x)` passes a gradient on with :math:`1 + f'`.

    Limits:
        Needs hidden layers of equal width; others need a projection.
    """

    name: ClassVar = "residual"
    treats: ClassVar = ("vanishing_gradient",)
    order: ClassVar = 6
    changes: ClassVar = both("Adds skip connections around the hidden layers.", "隠れ層をまたぐスキップ接続を加えます。")
    side_effects: ClassVar = both(
        "Signals grow with depth unless branches are scaled by one over the root of their number.",
        "枝を本数の平方根の逆数で縮めないと、深くなるほど信号が大きくなります。",
    )
    reference: ClassVar = "He, Zhang, Ren and Sun 2016, arXiv 1512.03385; Hayou et al. 2021, Stable ResNet, arXiv 2010.12859 (the scale of the branches)"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the forward line with his layers' names; ``None`` over time, where branches exist, or without two hidden layers of equal ends."""
        found = layer_at(trace, finding.place)
        layers = hidden(trace, ("linear", "conv"))
        if decades_over_time(finding) is not None or any(layer.is_residual for layer in layers) or (found is not None and found.kind == "recurrent"):
            return None
        square = [after for before, after in pairwise(layers) if before.fan_out == after.fan_out]
        if len(square) < 2:
            return None
        activation = {"identity": "F.relu", "relu": "F.relu", "sigmoid": "torch.sigmoid", "tanh": "torch.tanh", "gelu": "F.gelu", "silu": "F.silu"}.get(
            square[0].activation, "F.relu"
        )
        width = square[0].fan_out
        scale = float(f"{len(square) ** -0.5:.2g}")
        return self.prescription(
            parameters={"layers": names_of(square), "scale": scale, "width": width},
            code=f"x = x + {scale:g} * {activation}({path_of(square[0].name)}(x))  # so for all {len(square)} hidden layers from {width} to {width}",
            sentence=both(
                f"Adds a skip connection around each of the {len(square)} hidden layers of equal "
                f"width, with branches scaled by {scale:g} (one over the root of their number).",
                f"幅の等しい {len(square)} 個の隠れ層にスキップ接続を加え、枝を {scale:g} 倍（本数の平方根の逆数）にします。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with these skip connections; ``None`` where the model does not have the layers."""
        from ._layers import with_past

        return with_past(training, parameters["layers"], float(parameters["scale"]))
