"""Normalise the inputs batch by batch, where their statistics are not known beforehand."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, layer_at, path_of

if TYPE_CHECKING:
    from ..maps import Training


class InputBatchNorm(AbstractCure):
    """Puts a batch normalisation without weights before the first layer.

    Limits:
        Needs batches of about 16 or more; the first evaluations run on young running averages.
    """

    name: ClassVar = "input_batch_norm"
    treats: ClassVar = ("input_scaling",)
    order: ClassVar = 5
    changes: ClassVar = both("Normalises the inputs by the statistics of each batch.", "入力をバッチごとの統計量で正規化します。")
    side_effects: ClassVar = both(
        "Outputs depend on the batch while training, and on running averages in evaluation.", "学習中の出力はバッチに、評価時の出力は移動平均に依存します。"
    )
    reference: ClassVar = "Ioffe and Szegedy 2015, arXiv 1502.03167"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the two lines for the layer that reads the batch; ``None`` where that layer is not known."""
        layer = layer_at(trace, finding.place)
        if layer is None or path_of(layer.name) == "weight":
            return None
        dimensions = len(layer.shape) - 2 if layer.kind == "conv" else 1
        features = layer.shape[1] if len(layer.shape) > 1 else layer.fan_in
        path = "model" if layer.name == "weight" else path_of(layer.name)  # the whole model is that layer
        return self.prescription(
            parameters={"layer": layer.name, "features": features, "dimensions": dimensions},
            code=f"{path}.input_norm = nn.BatchNorm{dimensions}d({features}, "
            f"affine=False)\n{path}.register_forward_pre_hook(lambda layer, x: (layer.input_norm(x[0]),))",
            sentence=both(
                f"Puts BatchNorm{dimensions}d({features}) before `{layer.name}`.", f"`{layer.name}` の前に BatchNorm{dimensions}d({features}) を置きます。"
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with the normalisation before this layer; ``None`` where its module does not get inputs of that width."""
        from ._layers import with_input_norm

        return with_input_norm(training, parameters["layer"], int(parameters["features"]), int(parameters["dimensions"]))
