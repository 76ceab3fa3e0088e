"""Open the forget gates at the start."""

from typing import ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, decades_over_time, gates, layer_at, path_of, recurrent_layers


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
        bias = path_of(layer.name.removesuffix(".weight").replace("weight_hh", "bias_hh").replace("weight_ih", "bias_hh"))
        if "bias_hh" not in bias:
            bias += ".bias"
        return self.prescription(
            parameters={"layer": layer.name, "first": width, "last": 2 * width, "value": 1.0},
            code=f"{bias}.data[{width}:{2 * width}] = 1.0  # gates: input, forget, cell, output",
            sentence=both(f"Sets the {width} forget biases of `{layer.name}` to 1.", f"`{layer.name}` の忘却ゲートのバイアス {width} 個を 1 にします。"),
        )
