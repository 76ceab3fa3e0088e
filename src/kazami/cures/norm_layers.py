"""Normalise signals between layers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Layer, Trace
from ._base import MOST_NAMED, AbstractCure, both, decades_over_time, hidden, layer_at, module_class, names_of, path_of

if TYPE_CHECKING:
    from ..maps import Training


class NormLayers(AbstractCure):
    """Puts a normalisation after each hidden weight layer, before its activation: BatchNorm after convolutions, LayerNorm after linear layers.

    Limits:
        Must stand before the optimizer is made, since it has parameters of its own. Batch normalisation needs batches of about 16 or more.
    """

    name: ClassVar = "norm_layers"
    treats: ClassVar = ("vanishing_gradient", "exploding_gradient", "saturated", "saturated_but_moving", "dead_units", "slow_convergence")
    order: ClassVar = 5
    changes: ClassVar = both("Normalises signals between the layers.", "層の間で信号を正規化します。")
    side_effects: ClassVar = both(
        "More parameters; the scale of the weights before a normalisation no longer matters, and the learning rate acts differently.",
        "パラメータが増えます。正規化の前の重みの大きさは効かなくなり、学習率の働き方も変わります。",
    )
    reference: ClassVar = "Ioffe and Szegedy 2015, arXiv 1502.03167; Ba, Kiros and Hinton 2016, arXiv 1607.06450"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines for the hidden layers with their widths; ``None`` over time, or where the net is normalised already."""
        layers = [layer for layer in hidden(trace, ("linear", "conv")) if path_of(layer.name) != "weight"]
        found = layer_at(trace, finding.place)
        if (
            decades_over_time(finding) is not None
            or not layers
            or any(layer.kind == "norm" for layer in trace.layers)
            or (found is not None and found.kind == "recurrent")
        ):
            return None
        return self.prescription(
            parameters={
                "layers": names_of(layers),
                "widths": [layer.fan_out for layer in layers],
                "norm": norm_of(layers[0], "").split("(")[0].removeprefix("nn."),
            },
            code=lines_for(layers),
            sentence=both(
                f"Puts {norm_of(layers[0], '').split('(')[0].removeprefix('nn.')} between each of the {len(layers)} hidden layers and its activation.",
                f"{len(layers)} 個の隠れ層のそれぞれと活性化関数の間に {norm_of(layers[0], '').split('(')[0].removeprefix('nn.')} を置きます。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with a normalisation behind each of these layers; ``None`` where the model does not have them."""
        from torch import Tensor, nn

        from ._layers import home_of, with_behind

        names = {layer: f"kazami_norm_{number}" for number, layer in enumerate(parameters["layers"])}  # not in the model itself: a Sequential would call it

        def prepare(model: nn.Module) -> None:
            for layer, width in zip(parameters["layers"], parameters["widths"], strict=True):
                home_of(model, layer).add_module(names[layer], getattr(nn, parameters["norm"])(width))

        def behind(model: nn.Module, layer: str, output: Tensor) -> Tensor:
            normalised: Tensor = home_of(model, layer).get_submodule(names[layer])(output)
            return normalised

        return with_behind(training, parameters["layers"], behind, prepare)


def norm_of(layer: Layer, width: str) -> str:
    """Return the normalisation for a layer of that width."""
    return f"nn.BatchNorm{len(layer.shape) - 2}d({width})" if layer.kind == "conv" and len(layer.shape) > 2 else f"nn.LayerNorm({width})"


def lines_for(layers: Sequence[Layer]) -> str:
    """Return the lines that give each layer a normalisation of its width behind it."""
    hook = "layer.register_forward_hook(lambda layer, x, y: layer.norm(y))"
    if len(layers) == 1:
        path = path_of(layers[0].name)
        return f"{path}.norm = {norm_of(layers[0], str(layers[0].fan_out))}\n{hook.replace('layer.register', path + '.register', 1)}"
    paths = [path_of(layer.name) for layer in layers]
    attribute = "out_channels" if layers[0].kind == "conv" else "out_features"
    many = f"[m for m in model.modules() if isinstance(m, {module_class(layers[0])})][:{len(layers)}]"
    return "\n".join(
        [
            f"for layer in {'(' + ', '.join(paths) + ')' if len(paths) <= MOST_NAMED else many}:  # before the optimizer is made",
            f"    layer.norm = {norm_of(layers[0], f'layer.{attribute}')}",
            f"    {hook}",
        ]
    )
