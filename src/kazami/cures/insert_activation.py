"""Put an activation between layers that have none."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, for_weights, hidden, module_class, names_of, path_of

if TYPE_CHECKING:
    from ..maps import Training


class InsertActivation(AbstractCure):
    """Applies ReLU after each hidden layer, with the initialisation that goes with it; parameter names stay."""

    name: ClassVar = "insert_activation"
    treats: ClassVar = ("no_nonlinearity",)
    order: ClassVar = 4
    changes: ClassVar = both("Applies ReLU after every hidden layer.", "すべての隠れ層の後に ReLU を入れます。")
    side_effects: ClassVar = both("Re-tune the learning rate: the curvature changes with the activation.", "曲率が変わるため、学習率を調整し直してください。")
    reference: ClassVar = (
        "Glorot, Bordes and Bengio 2011, Deep sparse rectifier neural networks, PMLR 15, 315-323; He et al. 2015, arXiv 1502.01852, section 2.2"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return a forward line for each hidden layer, or a hook on all of them where there are many."""
        del finding
        layers = hidden(trace, ("linear", "conv"))
        bend = "lambda layer, inputs, output: F.relu(output)"
        if not layers:
            code = "x = F.relu(layer(x))  # after every layer but the last"
        elif len(layers) == 1:
            code = f"{path_of(layers[0].name)}.register_forward_hook({bend})"
        else:
            paths = [path_of(layer.name) for layer in layers]
            many = f"[m for m in model.modules() if isinstance(m, {module_class(layers[0])})][:{len(layers)}]"
            code = f"for layer in {'(' + ', '.join(paths) + ')' if len(paths) <= 4 else many}:\n    layer.register_forward_hook({bend})"
        if layers:
            code += "\n" + for_weights(layers, 'nn.init.kaiming_normal_({weight}, nonlinearity="relu")')
        named = ", ".join(f"`{name}`" for name in names_of(layers)[:3]) + (" …" if len(layers) > 3 else "")
        return self.prescription(
            parameters={"activation": "relu", "layers": names_of(layers)},
            code=code,
            sentence=both(f"Applies ReLU after {named}.", f"{named} の後に ReLU を入れます。") if layers else None,
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with ReLU behind each of these layers, drawn by He; ``None`` where the model does not have them."""
        from ._layers import with_behind
        from ._surgery import with_initialised

        layers = parameters["layers"]
        bent = with_behind(training, layers, lambda model, layer, output: output.relu())
        return with_initialised(bent, layers, ['nn.init.kaiming_normal_({weight}, nonlinearity="relu")'] * len(layers)) if bent is not None else None
