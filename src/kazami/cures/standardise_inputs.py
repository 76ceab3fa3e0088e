"""Bring the inputs to zero mean and unit spread, inside the model."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription, Sentence
from ..records.trace import Trace
from ._base import AbstractCure, both, layer_at, rounded, short

if TYPE_CHECKING:
    from ..maps import Training

ODD = 3.0  # inputs this far from unit size are worth a look where another finding speaks


class StandardiseInputs(AbstractCure):
    r"""Replaces each input feature by :math:`(x - \mu)/\sigma`, with mean and spread of the training inputs as buffers of the model.

    Limits:
        Take the numbers from training data only, and from all of it or a large batch. A feature that never varies keeps a spread of zero: the floor is the
        smallest spread that was seen.
    """

    name: ClassVar = "standardise_inputs"
    treats: ClassVar = ("input_scaling", "saturated", "slow_convergence", "saturated_but_moving")
    order: ClassVar = 3
    changes: ClassVar = both("Standardises the inputs inside the model.", "モデルの中で入力を標準化します。")
    side_effects: ClassVar = both(
        "The model carries two buffers; re-tune the learning rate, which may now be larger.",
        "モデルにバッファが二つ加わります。学習率は大きくできるので調整し直してください。",
    )
    reference: ClassVar = "LeCun, Bottou, Orr and Müller 1998, Efficient BackProp, section 4.3"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the buffers and the hook; for other findings than ``input_scaling`` only where the inputs are odd."""
        fact: dict[str, Any] = dict(trace.facts.get("input") or {})
        is_odd = bool(fact) and (fact["rms"] > ODD or fact["offset"] > ODD or fact["largest_std"] > 10 * max(fact["smallest_std"], 1e-30))
        if finding.name not in ("input_scaling", "slow_convergence") and not is_odd:
            return None
        layer = layer_at(trace, str(fact.get("layer", finding.place)))
        is_image = layer is not None and layer.kind == "conv"
        axes = str((0, *range(2, len(layer.shape)))) + ", keepdim=True" if layer is not None and is_image else "0"
        floor = rounded(float(fact.get("smallest_std", 0.0))) or 1e-8
        lines = [
            f'model.register_buffer("input_mean", train_inputs.mean({axes}))',
            f'model.register_buffer("input_std", train_inputs.std({axes}).clamp_min({floor:.3g}))',
            "scale = lambda m, x: ((x[0] - m.input_mean) / m.input_std, *x[1:])",
            "model.register_forward_pre_hook(scale)",
        ]
        return self.prescription(
            parameters={"layer": fact.get("layer", finding.place), "axes": axes, "smallest_std": floor},
            code="\n".join(lines),
            sentence=_sentence(fact),
            is_singled_out=finding.name == "saturated" and bool(fact) and fact["rms"] > 10,
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose model standardises its inputs; ``None`` where they are no floating-point tensors."""
        from ._losses import with_standardised_inputs

        return with_standardised_inputs(training, float(parameters["smallest_std"]))


def _sentence(fact: dict[str, Any]) -> Sentence | None:
    if not fact:
        return None
    size, offset = short(float(fact["rms"])), short(float(fact["largest_mean"]))
    return both(
        f"Standardises the inputs of `{fact['layer']}` (now of size {size}, means up to {offset}) inside the model.",
        f"`{fact['layer']}` の入力（現在の大きさ {size}、平均は最大 {offset}）をモデルの中で標準化します。",
    )
