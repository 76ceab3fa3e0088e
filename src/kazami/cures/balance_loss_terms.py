"""Weigh the terms of a loss so that each gets its share of the gradient."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, both, short

if TYPE_CHECKING:
    from ..maps import Training

FAIR = 0.1  # of the largest gradient: terms above it are left as they are


class BalanceLossTerms(AbstractCure):
    r"""Multiplies each term that gets less than a tenth of the largest gradient by what makes them alike: :math:`w_i' = w_i \max_j \|w_j g_j\| / \|w_i g_i\|`.

    The largest term keeps its weight, so the learning rate that suits it still does.

    Limits:
        The norms are medians over the steps seen; as the terms are learned their balance moves on. Penalties on weights keep theirs.
    """

    name: ClassVar = "balance_loss_terms"
    treats: ClassVar = ("loss_term_imbalance",)
    order: ClassVar = 2
    changes: ClassVar = both("Weighs the terms of the loss by their gradients.", "損失の各項を勾配の大きさに応じて重み付けします。")
    side_effects: ClassVar = both("Losses from before cannot be compared with those after.", "変更前後の損失の値は比較できなくなります。")
    reference: ClassVar = "Wang, Teng and Perdikaris 2021, arXiv 2001.04536, section 2.5; Chen et al. 2018, GradNorm, arXiv 1711.02257"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the sum with its new weights; ``None`` where no gradients of terms were measured."""
        del finding
        terms = [term for term in trace.facts.get("loss_terms", {}).get("terms", []) if float(term["gradient_share"]) > 0]
        largest = max((float(term["gradient_share"]) for term in terms), default=math.nan)
        factors = {_place(term): float(f"{largest / float(term['gradient_share']):.2g}") for term in terms}
        factors = {place: factor for place, factor in factors.items() if factor * FAIR > 1}
        if not factors:
            return None
        new = {_place(term): float(term["weight"]) * factors.get(_place(term), 1.0) for term in terms}
        was = ", ".join(f"{float(term['weight']):g}" for term in terms)
        code = "loss = " + " + ".join(f"{weight:.3g} * term_{place}" for place, weight in new.items()) + f"  # was {was}"
        told = ", ".join(f"{place} × {short(factor)}" for place, factor in factors.items())
        return self.prescription(
            parameters={"factors": {str(place): factor for place, factor in factors.items()}},
            code=code,
            sentence=both(f"Multiplies the weights of the loss's terms: {told}.", f"損失の項の重みを掛け直します: {told}。"),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with these factors on its terms' gradients (the values stay comparable); ``None`` where the terms are not found."""
        from ._scaling import with_term_weights

        return with_term_weights(training, {int(place): float(factor) for place, factor in parameters["factors"].items()})


def _place(term: Mapping[str, Any]) -> int:
    """Return the place of a term in the sum: its name is ``"2: mse of head"``."""
    return int(str(term["name"]).partition(":")[0])
