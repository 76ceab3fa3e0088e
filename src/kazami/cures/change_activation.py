"""Take an activation whose slope does not fade."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, decades_over_time, for_weights, hidden, layer_at, names_of

if TYPE_CHECKING:
    from ..maps import Training

MODULES = {"sigmoid": "nn.Sigmoid", "tanh": "nn.Tanh", "relu": "nn.ReLU", "hardtanh": "nn.Hardtanh", "hardsigmoid": "nn.Hardsigmoid", "softplus": "nn.Softplus"}
FLAT = ("sigmoid", "tanh", "hardtanh", "hardsigmoid", "softmax", "softplus")


class ChangeActivation(AbstractCure):
    r"""Replaces sigmoid and tanh by ReLU, and a ReLU that dies by LeakyReLU, with He's initialisation.

    The slope of ReLU is 1 wherever a unit is active, that of LeakyReLU is nowhere 0.
    The sigmoid's slope is at most 1/4, so a gradient shrinks at least fourfold per layer unless the weights make up for it.
    """

    name: ClassVar = "change_activation"
    treats: ClassVar = ("vanishing_gradient", "saturated", "dead_units")
    order: ClassVar = 4
    changes: ClassVar = both("Uses another activation in the hidden layers.", "隠れ層の活性化関数を替えます。")
    side_effects: ClassVar = both(
        "Re-tune the learning rate; signals are no longer bounded.", "学習率を調整し直してください。信号の大きさに上限がなくなります。"
    )
    reference: ClassVar = (
        "Glorot, Bordes and Bengio 2011, PMLR 15, 315-323; Maas, Hannun and Ng 2013, Rectifier "
        "nonlinearities improve neural network acoustic models; He et al. 2015, arXiv 1502.01852"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the new activation for the layers that have the old one; ``None`` over time, where a net needs its bound, or where none was seen."""
        found = layer_at(trace, finding.place)
        layers = hidden(trace)
        old = (
            found.activation
            if found is not None and found.activation in MODULES
            else next((layer.activation for layer in layers if layer.activation in MODULES), "")
        )
        if decades_over_time(finding) is not None or (found is not None and found.kind == "recurrent") or not old:
            return None
        if finding.name != "dead_units" and old not in FLAT:
            return None
        new, module, slope = ("leaky_relu", "nn.LeakyReLU(0.01)", 0.01) if finding.name == "dead_units" else ("relu", "nn.ReLU()", 0.0)
        changed = [layer for layer in layers if layer.activation == old] or ([found] if found else layers)
        places = ", ".join(layer.name for layer in changed[:3]) + (" …" if len(changed) > 3 else "")
        code = f"activation = {module}  # not {MODULES[old]}(), after {places}\n" + for_weights(
            changed, 'nn.init.kaiming_normal_({weight}, nonlinearity="relu")'
        )
        return self.prescription(
            parameters={"from": old, "to": new, "negative_slope": slope, "layers": names_of(changed)},
            code=code,
            sentence=both(
                f"Uses {module.split('(')[0].removeprefix('nn.')} instead of {old} in {len(changed)} layers, with He's initialisation.",
                f"{len(changed)} 個の層の {old} を {module.split('(')[0].removeprefix('nn.')} に替え、He の初期化を使います。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training that calls the new activation after these layers, drawn by He; ``None`` where none of the calls is seen."""
        from ._order import FUNCTIONS, calls_after
        from ._surgery import SwapsWhileForward, with_initialised, with_model

        old = FUNCTIONS[parameters["from"]]
        calls = calls_after(training, old, parameters["layers"])
        drawn = with_initialised(training, parameters["layers"], ['nn.init.kaiming_normal_({weight}, nonlinearity="relu")'] * len(parameters["layers"]))
        if not calls or drawn is None:
            return None
        new = partial(_bent, slope=float(parameters["negative_slope"])) if parameters["negative_slope"] else _rectified
        return with_model(drawn, SwapsWhileForward(dict.fromkeys(old, new), calls).attach)


def _rectified(x: Any, *_: Any, **__: Any) -> Any:
    return x.relu()


def _bent(x: Any, *_: Any, slope: float, **__: Any) -> Any:
    from torch.nn import functional as F

    return F.leaky_relu(x, slope)
