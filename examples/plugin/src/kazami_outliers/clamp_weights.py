"""A cure of the example: weights that stick out are clamped before the training begins."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn

from kazami import Training
from kazami.cures import AbstractCure
from kazami.records import Finding, Prescription, Sentence, Trace


class ClampWeights(AbstractCure):
    """Clamps every weight matrix at a multiple of its root mean square."""

    name: ClassVar = "clamp_weights"
    treats: ClassVar = ("outlier_weights",)
    order: ClassVar = 2
    changes: ClassVar = Sentence("Clamps the weights that stick out.", "突出した重みを切り詰めます。")
    side_effects: ClassVar = Sentence("What such a weight had learned is lost.", "その重みが学習した内容は失われます。")
    reference: ClassVar = "an example"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines for any model."""
        del finding, trace
        lines = (
            "for weight in model.parameters():  # before training",
            "    limit = 4 * weight.detach().square().median().sqrt()",
            "    weight.data.clamp_(-limit, limit)",
        )
        return self.prescription(parameters={"factor": 4.0}, code="\n".join(lines))

    def apply(self, training: Training, parameters: Mapping[str, Any]) -> Training | None:
        """Return the training from clamped weights."""

        def clamped() -> nn.Module:
            model = training.model()
            with torch.no_grad():
                for weight in (one for one in model.parameters() if one.dim() > 1):
                    limit = parameters["factor"] * weight.square().median().sqrt()
                    weight.clamp_(-limit, limit)
            return model

        return training.replaced(model=clamped)
