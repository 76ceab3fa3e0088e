"""Take a recurrent net with gates."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, decades_over_time, is_gated, layer_at, path_of, short

if TYPE_CHECKING:
    from ..maps import Training


class GatedRecurrent(AbstractCure):
    r"""Replaces a plain recurrent net by a GRU, whose state carries gradients over time by addition; a cell written by hand gets an update gate behind it.

    With :math:`a_t` what the cell's activation is given, :math:`h_t = h_{t-1} + \sigma(V a_t + b)(\varphi(a_t) - h_{t-1})`, begun at :math:`b = -\log(T - 1)`.

    Limits:
        Parameters change: checkpoints do not load. The state of a GRU is one tensor like that of the plain net, so the code around it stays as it is.
    """

    keeps_names: ClassVar = False
    name: ClassVar = "gated_recurrent"
    treats: ClassVar = ("vanishing_gradient", "exploding_gradient")
    order: ClassVar = 6
    changes: ClassVar = both("Replaces the recurrent net by one with gates.", "再帰ネットをゲート付きのものに替えます。")
    side_effects: ClassVar = both(
        "Three times the parameters (twice for a gate by hand), and other checkpoints.",
        "パラメータが 3 倍（手書きのセルのゲートなら 2 倍）になり、チェックポイントも変わります。",
    )
    reference: ClassVar = (
        "Hochreiter and Schmidhuber 1997, Neural Computation 9(8), 1735-1780; Cho et al. 2014, arXiv 1406.1078; "
        "Tallec and Ollivier 2018, arXiv 1804.11188 (the gate and its bias)"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the line that makes the GRU, or the gate for a cell by hand; ``None`` where the net has gates or the change is not one over time."""
        decades, layer = decades_over_time(finding), layer_at(trace, finding.place)
        if decades is None or (layer is not None and is_gated(layer)):
            return None
        width = layer.fan_out if layer is not None else 64
        steps = layer.n_uses if layer is not None else 0
        if layer is not None and "weight_hh" not in layer.name:
            return self._gate(layer.name, width, steps, decades)
        feed = next((one for one in trace.layers if layer is not None and one is not layer and one.fan_out == width and one.n_uses == layer.n_uses), None)
        inputs = feed.fan_in if feed is not None else layer.fan_in if layer is not None else width
        owner = path_of(finding.place.rpartition(".")[0]) if layer is not None and "." in finding.place else "model.rnn"
        return self.prescription(
            parameters={"kind": "gru", "inputs": inputs, "hidden": width, "replaces": finding.place, "steps": steps},
            code=f"{owner} = nn.GRU({inputs}, {width}, batch_first=True)  # or nn.LSTM, whose state is (h, c)",
            sentence=both(
                f"Replaces `{finding.place}` by a GRU of {width} units: its state carries gradients over time without the {short(decades)} decades.",
                f"`{finding.place}` を {width} ユニットの GRU に替えます。状態が勾配を時間方向にほぼそのまま運びます（現在は {short(decades)} 桁の変化）。",
            ),
        )

    def _gate(self, layer: str, width: int, steps: int, decades: float) -> Prescription:
        bias = -math.log(max(steps - 1, 1))
        lines = [
            f"model.gate = nn.Linear({width}, {width})  # before the optimizer is made",
            f"nn.init.constant_(model.gate.bias, {bias:.2g})",
            "# in forward, where a is what the activation is given:",
            "# h = h + torch.sigmoid(self.gate(a)) * (activation(a) - h)",
        ]
        return self.prescription(
            parameters={"kind": "gate", "inputs": width, "hidden": width, "replaces": layer, "steps": steps},
            code="\n".join(lines),
            sentence=both(
                f"Puts an update gate of {width} units behind `{layer}`: the state goes on by addition, without the {short(decades)} decades.",
                f"`{layer}` の後に {width} ユニットの更新ゲートを置きます。状態が加算で引き継がれ、"
                f"勾配が時間方向に保たれます（現在は {short(decades)} 桁の変化）。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with a GRU in the place of the net, or a gate behind its cell; ``None`` where neither is possible."""
        from ._gates import with_gru, with_update_gate

        if parameters["kind"] != "gate":
            return with_gru(training, parameters["replaces"])
        return with_update_gate(training, parameters["replaces"], int(parameters["hidden"]), int(parameters["steps"]))
