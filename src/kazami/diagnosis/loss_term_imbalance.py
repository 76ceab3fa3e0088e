"""Terms of a loss of which one gets all the gradient."""

import math
from typing import Any, ClassVar

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Trace
from ._base import AbstractRule, both, short

LIMIT = 100.0
FEWEST_MEASURED = 4
LEAST_STEPS = 30
UNLEARNED = 0.8  # of its value at the start
LEARNED = 0.5
LONG = 150
ASKED = 10.0  # weights within this factor say that the terms matter alike,
PLAIN = 0.5  # and so does a term that nobody made smaller (a mean of two terms has weights of a half)
LEFT = 0.05  # of the loss that is left,
WORSE = 1.5  # and worse than the best constant: whatever its weight, a side task would not be left so
ERRORS = ("mse", "l1", "smooth_l1", "huber", "cross_entropy", "nll", "bce", "bce_with_logits", "squares", "absolute")


class LossTermImbalance(AbstractRule):
    """Fires when a term of the loss gets less than a hundredth of another term's gradient on the weights they share, matters, and is not being learned.

    A step goes along the weighted sum of the terms' gradients, and the largest of them bounds the learning rate; a term with a hundredth of its gradient
    takes a hundred times as long. The term must be an error (penalties on weights alone, entropies and divergences are meant to be small), must stand above
    0.8 of its first value while the large one has fallen below half of its own (or after 150 steps of poor progress), and must matter: its weight is a half
    or more, or within a factor of ten of the other's (a smaller one says that it is a side task); or it is more than 5 % of the loss that is left and stands
    above what the best constant would cost. Progress is that of the term, as the sum hides it.

    References:
        Wang, Teng and Perdikaris 2021, "Understanding and mitigating gradient flow pathologies in physics-informed neural networks" (arXiv 2001.04536).
        Chen et al. 2018, "GradNorm" (arXiv 1711.02257).
    """

    id: ClassVar = "KZ318"
    name: ClassVar = "loss_term_imbalance"
    title: ClassVar = both("balance between the terms of the loss", "損失の項どうしの釣り合い")
    family: ClassVar = "step"
    rank: ClassVar = 27
    wind: ClassVar = -1.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if a term that matters gets no share of the gradient."""
        seen = trace.facts.get("loss_terms")
        if not seen or seen["measured"] < FEWEST_MEASURED or trace.step < LEAST_STEPS or trace.progress is None:
            return None
        terms = [term for term in seen["terms"] if math.isfinite(term["gradient_share"])]
        largest = max(terms, key=lambda term: float(term["gradient_share"]), default=None)
        starved = [term for term in terms if largest is not None and _is_starved(trace, term, largest, terms)]
        if largest is None or not starved:
            return None
        worst = min(starved, key=lambda term: float(term["gradient_share"]))
        ratio = float(largest["gradient_share"]) / max(float(worst["gradient_share"]), 1e-30)
        kept = float(worst["now"]) / float(worst["first"])
        return self.finding(
            confidence=0.7 + 0.1 * min(math.log10(ratio / LIMIT), 2.0),
            place=f"term {worst['name']}",
            place_ja=f"項 {worst['name']}",
            evidence=[
                Evidence(
                    "gradient of the largest term over that of the smallest",
                    ratio,
                    LIMIT,
                    "",
                    "two decades: a hundred times as long",
                    "項の勾配の比",
                    "2 桁：100 倍の長さ",
                ),
                Evidence("value of the small term over its first value", kept, UNLEARNED, "", "", name_ja="小さい項の値（開始時比）"),
                Evidence("weight of the large term", float(largest["weight"]), None, "", largest["name"], name_ja="大きい項の重み"),
                Evidence("weight of the small term", float(worst["weight"]), None, "", worst["name"], name_ja="小さい項の重み"),
            ],
            sentence=both(
                f"The loss is a sum, and its term {_name(worst)} is not being learned ({short(float(worst['first']))} at the start, "
                f"{short(float(worst['now']))} now): its gradient is {short(ratio)} times smaller than that of term {_name(largest)}.",
                f"損失は項の和ですが、項 {_name(worst)} が学習されていません（開始時 {short(float(worst['first']))}、現在 {short(float(worst['now']))}）。"
                f"その勾配は項 {_name(largest)} の {short(ratio)} 分の1です。",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say by how little the terms' gradients differ."""
        terms = trace.facts.get("loss_terms", {}).get("terms", [])
        shares = [float(term["gradient_share"]) for term in terms if float(term["gradient_share"]) > 0]
        if len(shares) < 2 or max(shares) / min(shares) > LIMIT / 10:
            return None
        ratio = short(max(shares) / min(shares))
        return both(f"balance of the loss's terms (gradients differ by a factor of {ratio})", f"損失の項の釣り合い（勾配の差は {ratio} 倍）")


def _is_starved(trace: Trace, term: dict[str, Any], largest: dict[str, Any], terms: list[dict[str, Any]]) -> bool:
    if float(term["gradient_share"]) * LIMIT > float(largest["gradient_share"]) or not any(f" {kind}" in f" {_kind(term)}" for kind in ERRORS):
        return False
    if not (math.isfinite(term["first"]) and math.isfinite(term["now"]) and term["first"] > 0) or term["now"] < UNLEARNED * term["first"]:
        return False
    has_time = largest["now"] < LEARNED * largest["first"] or (trace.step >= LONG and trace.progress_is_poor)
    left = sum(abs(one["weight"] * one["now"]) for one in terms if math.isfinite(one["now"]))
    is_asked = abs(term["weight"]) >= PLAIN or abs(term["weight"]) * ASKED >= abs(largest["weight"])
    is_left = abs(term["weight"] * term["now"]) > LEFT * left and term["now"] > WORSE * term["trivial"]
    return bool(has_time and (is_asked or is_left))


def _kind(term: dict[str, Any]) -> str:
    """Return what a term is: its name is ``"2: mse of head"``."""
    return str(term["name"]).partition(": ")[2].partition(" of ")[0]


def _name(term: dict[str, Any]) -> str:
    number, _, rest = str(term["name"]).partition(": ")
    return f"{number} ({rest})"
