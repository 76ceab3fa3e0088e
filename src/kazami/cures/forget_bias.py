"""Open the forget gates at the start."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, decades_over_time, gates, layer_at, path_of, recurrent_layers

if TYPE_CHECKING:
    from ..maps import Training


class ForgetBias(AbstractCure):
    r"""Sets the forget gate's bias to 1, so that the cell keeps :math:`\sigma(1) \approx 0.73` of its state a step instead of a half.

    Limits:
        For LSTMs (torch orders the gates input, forget, cell, output). Over *T* time steps a bias of :math:`\log(T - 1)` keeps a state for about *T* steps.
    """

    name: ClassVar = "forget_bias"
    treats: ClassVar = ("vanishing_gradient",)
    order: ClassVar = 2
    changes: ClassVar = both("Sets the forget gate's bias to 1.", "忘却ゲートのバイアスを 1 にします。")
    side_effects: ClassVar = both("The cell remembers longer from the start.", "最初からセルの記憶が長く保たれます。")
    reference: ClassVar = "Jozefowicz, Zaremba and Sutskever 2015, PMLR 37, 2342-2350; Tallec and Ollivier 2018, arXiv 1804.11188 (log(T - 1))"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines for each LSTM; ``None`` where gradients fade over depth or there is no LSTM."""
        found = layer_at(trace, finding.place)
        layers = [layer for layer in ([found] if found else recurrent_layers(trace)) if gates(layer) == 4]
        if decades_over_time(finding) is None or not layers:
            return None
        layer = layers[0]
        width = layer.shape[0] // 4
        bias = path_of(bias_of(layer.name))
        return self.prescription(
            parameters={"layer": layer.name, "first": width, "last": 2 * width, "value": 1.0},
            code=f"{bias}.data[{width}:{2 * width}] = 1.0  # gates: input, forget, cell, output",
            sentence=both(f"Sets the {width} forget biases of `{layer.name}` to 1.", f"`{layer.name}` の忘却ゲートのバイアス {width} 個を 1 にします。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose forget gates begin open; ``None`` without this bias, or where the order of the gates is not torch's."""
        from torch import Tensor, nn

        from ._fresh import fresh
        from ._surgery import with_model

        path, _, name = bias_of(parameters["layer"]).rpartition(".")
        owner = dict(fresh(training).model.named_modules()).get(path)
        if not isinstance(owner, nn.LSTM | nn.LSTMCell) or not isinstance(getattr(owner, name, None), Tensor):
            return None

        def change(model: nn.Module) -> None:
            model.get_parameter(f"{path}.{name}".lstrip(".")).data[parameters["first"] : parameters["last"]] = parameters["value"]

        return with_model(training, change)


def bias_of(layer: str) -> str:
    """Return the path of the bias that is added where a recurrent weight is multiplied.

    >>> bias_of("rnn.weight_hh_l0"), bias_of("gates")
    ('rnn.bias_hh_l0', 'gates.bias')
    """
    bias = layer.removesuffix(".weight").replace("weight_hh", "bias_hh").replace("weight_ih", "bias_hh")
    return bias if "bias_hh" in bias else f"{bias}.bias"
