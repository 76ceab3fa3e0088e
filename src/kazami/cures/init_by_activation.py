"""Initialise each layer by the activation that follows it."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription, Sentence
from ..records.trace import Layer, Trace
from ._base import HIDDEN_KINDS, AbstractCure, both, for_weights, layer_at, measured, names_of, path_of, short, weight_of

if TYPE_CHECKING:
    from ..maps import Training

GAINED = ("sigmoid", "tanh", "selu")  # names that nn.init.calculate_gain knows beside ReLU's
BENT = ("relu", "leaky_relu", "prelu", "rrelu", "elu", "celu", "gelu", "silu", "mish", "hardswish", "softplus")


class InitByActivation(AbstractCure):
    r"""Draws weights with the standard deviation :math:`g/\sqrt{n_{in}}` (He) or :math:`g\sqrt{2/(n_{in}+n_{out})}` (Glorot), *g* the activation's gain.

    Limits:
        For layers at their initialisation; a training that runs is not helped. Afterwards the learning rate should be tuned again.
    """

    name: ClassVar = "init_by_activation"
    treats: ClassVar = ("bad_init_scale", "dead_units", "saturated")
    order: ClassVar = 2
    changes: ClassVar = both("Initialises each layer by the activation that follows it.", "各層を、続く活性化関数に合わせて初期化します。")
    side_effects: ClassVar = both(
        "Re-tune the learning rate: an otherwise right initialisation may fail at the old one.",
        "学習率を調整し直してください。以前の値では正しい初期化でも失敗することがあります。",
    )
    reference: ClassVar = "He et al. 2015, arXiv 1502.01852, section 2.2; Glorot and Bengio 2010, PMLR 9, 249-256, section 4.2"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return one call of ``nn.init`` for each activation, with zero biases where units were born dead; ``None`` where the trouble began during training."""
        if finding.name in ("dead_units", "saturated") and finding.step > 1:
            return None
        if finding.name == "saturated" and finding.rank >= 45:  # saturated later, not from the start
            return None
        layers = [layer for layer in trace.layers if layer.kind in HIDDEN_KINDS]
        if not layers:
            return None
        groups: dict[str, list[Layer]] = {}
        for layer in layers:
            groups.setdefault(init_call(layer), []).append(layer)
        code = "\n".join(for_weights(group, call) for call, group in groups.items())
        found, dead = layer_at(trace, finding.place), ""
        if finding.name == "dead_units" and found is not None and weight_of(found).endswith(".weight"):
            dead = found.name
            code += f"\nnn.init.zeros_({path_of(dead)}.bias)"
        gain = measured(finding, "gain of the initial weights")
        calls = ", ".join(dict.fromkeys(call.split("(")[0].removeprefix("nn.init.") for call in groups))
        return self.prescription(
            parameters={"layers": names_of(layers), "init": [init_call(layer) for layer in layers], "zero_bias": dead},
            code=code,
            sentence=_sentence(calls, gain),
            is_singled_out=finding.name == "bad_init_scale",
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with these initial weights; ``None`` where the model has none of these layers."""
        from ._surgery import with_initialised, with_zero_biases

        changed = with_initialised(training, parameters["layers"], parameters["init"])
        return with_zero_biases(changed, [parameters["zero_bias"]]) if changed is not None and parameters["zero_bias"] else changed


def init_call(layer: Layer) -> str:
    """Return the call of ``nn.init`` for a layer, with ``{weight}`` for its weight."""
    if layer.kind == "recurrent":
        return "nn.init.orthogonal_({weight})"
    if layer.activation in BENT:
        return 'nn.init.kaiming_normal_({weight}, nonlinearity="relu")'
    if layer.activation in GAINED and not layer.is_output:
        return f'nn.init.xavier_uniform_({{weight}}, gain=nn.init.calculate_gain("{layer.activation}"))'
    return "nn.init.xavier_uniform_({weight})"


def _sentence(calls: str, gain: float) -> Sentence:
    if math.isnan(gain):
        return both(f"Initialises the weights by each layer's activation ({calls}).", f"各層の活性化関数に合わせて重みを初期化します（{calls}）。")
    return both(
        f"Initialises the weights by each layer's activation ({calls}), whose gain is {short(1 / gain)} times the present one.",
        f"各層の活性化関数に合わせて重みを初期化します（{calls}）。利得は現在の {short(1 / gain)} 倍になります。",
    )
