"""Take a recurrent net with gates."""

from typing import ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, decades_over_time, is_gated, layer_at, path_of, short


class GatedRecurrent(AbstractCure):
    """Replaces a plain recurrent net by an LSTM, whose cell state carries gradients over time by addition instead of multiplication.

    Limits:
        Parameters and their names change: checkpoints do not load.
    """

    name: ClassVar = "gated_recurrent"
    treats: ClassVar = ("vanishing_gradient", "exploding_gradient")
    order: ClassVar = 6
    changes: ClassVar = both("Replaces the recurrent net by one with gates.", "再帰ネットをゲート付きのものに替えます。")
    side_effects: ClassVar = both(
        "Four times the parameters (three for a GRU), and other checkpoints.", "パラメータが 4 倍（GRU なら 3 倍）になり、チェックポイントも変わります。"
    )
    reference: ClassVar = "Hochreiter and Schmidhuber 1997, Neural Computation 9(8), 1735-1780; Cho et al. 2014, arXiv 1406.1078"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the line that makes the LSTM, with the widths seen; ``None`` where the net has gates or the change is not one over time."""
        decades, layer = decades_over_time(finding), layer_at(trace, finding.place)
        if decades is None or (layer is not None and is_gated(layer)):
            return None
        width = layer.fan_out if layer is not None else 64
        feed = next((one for one in trace.layers if layer is not None and one is not layer and one.fan_out == width and one.n_uses == layer.n_uses), None)
        inputs = feed.fan_in if feed is not None else layer.fan_in if layer is not None else width
        owner = (
            path_of(finding.place.rpartition(".")[0])
            if layer is not None and "." in finding.place and "weight" in finding.place.rsplit(".", 1)[-1]
            else "model.rnn"
        )
        return self.prescription(
            parameters={"kind": "lstm", "inputs": inputs, "hidden": width, "replaces": finding.place},
            code=f"{owner} = nn.LSTM({inputs}, {width}, batch_first=True)  # or nn.GRU; state is (h, c)",
            sentence=both(
                f"Replaces `{finding.place}` by an LSTM of {width} units: its cell carries gradients over time without the {short(decades)} decades.",
                f"`{finding.place}` を {width} ユニットの LSTM に替えます。セルが勾配を時間方向にほぼそのまま運びます（現在は {short(decades)} 桁の変化）。",
            ),
        )
