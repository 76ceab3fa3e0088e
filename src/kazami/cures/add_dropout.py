"""Drop hidden units at random while training."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import MOST_NAMED, AbstractCure, both, hidden, module_class, names_of, path_of

if TYPE_CHECKING:
    from ..maps import Training

RATE = 0.2
USUAL = 0.1  # a rate that is there already


class AddDropout(AbstractCure):
    """Drops a fifth of the units of each hidden layer, anew at every step.

    More data does the same without its cost: augmented copies of the samples, where there is a change that leaves the target as it is.

    Limits:
        Needs ``model.eval()`` before validation.
    """

    name: ClassVar = "add_dropout"
    treats: ClassVar = ("overfitting",)
    order: ClassVar = 3
    changes: ClassVar = both("Drops a fifth of the hidden units at random while training.", "学習中に隠れユニットの二割をランダムに無効にします。")
    side_effects: ClassVar = both(
        "A noisier and higher training loss; slower learning. Augmenting the data does the same at no such cost.",
        "訓練損失が高くなり揺らぎも増え、学習が遅くなります。データ拡張でも同じ効果が得られます。",
    )
    reference: ClassVar = "Srivastava et al. 2014, Dropout, Journal of Machine Learning Research 15, 1929-1958, section 7.3"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the hooks for the hidden layers; ``None`` where units are dropped already, or no hidden layer has a name."""
        del finding
        layers = [layer for layer in hidden(trace, ("linear", "conv")) if path_of(layer.name) != "weight"]
        if not layers or float((trace.facts.get("dropout") or {}).get("rate", 0.0)) >= USUAL:
            return None
        paths = [path_of(layer.name) for layer in layers]
        many = f"[m for m in model.modules() if isinstance(m, {module_class(layers[0])})][:{len(layers)}]"
        named = f"({', '.join(paths)}{',' if len(paths) == 1 else ''})"
        drop = f"lambda layer, x, y: nn.functional.dropout(y, {RATE:g}, model.training)"
        return self.prescription(
            parameters={"layers": names_of(layers), "p": RATE},
            code=f"for layer in {named if len(paths) <= MOST_NAMED else many}:\n    layer.register_forward_hook({drop})",
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training that drops units behind each of these layers while training; ``None`` where the model does not have them."""
        from torch import Tensor, nn
        from torch.nn import functional as F

        from ._layers import with_behind

        rate = float(parameters["p"])

        def behind(model: nn.Module, layer: str, output: Tensor) -> Tensor:
            del layer
            return F.dropout(output, rate, model.training)

        return with_behind(training, parameters["layers"], behind)
