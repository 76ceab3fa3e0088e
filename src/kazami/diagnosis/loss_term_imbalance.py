"""Terms of a loss of which one gets all the gradient."""

import math
from typing import ClassVar

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Trace
from ._base import AbstractRule, both, short
from ._progress import share_left
from ._sums import CANCELLED, GUESSED, HEAVY, LEARNED, Term, is_error, measured_terms, outweighed, shown

LIMIT = 100.0
FEWEST_MEASURED = 4
LEAST_STEPS = 30
UNLEARNED = 0.8  # of its value at the start
LONG = 150
ASKED = 10.0  # weights within this factor say that the terms matter alike,
PLAIN = 0.5  # and so does a term that nobody made smaller (a mean of two terms has weights of a half)
LEFT = 0.05  # of the loss that is left,
WORSE = 1.5  # and worse than the best constant: whatever its weight, a side task would not be left so
RISEN = 1.5  # times its first value, and the best constant's: a term that a tenth of the gradient cannot hold down
OUTGROWN = 10.0


class LossTermImbalance(AbstractRule):
    """Fires when a term of the loss gets less than a hundredth of another term's gradient on the weights they share, matters, and is not being learned.

    A step goes along the weighted sum of the terms' gradients, and the largest of them bounds the learning rate; a term with a hundredth of its gradient
    takes a hundred times as long. The term must be an error (penalties on weights alone, entropies and divergences are meant to be small), must stand above
    0.8 of its first value while the large one has fallen below half of its own (or after 150 steps of poor progress), and must matter: its weight is a half
    or more, or within a factor of ten of the other's (a smaller one says that it is a side task); or it is more than 5 % of the loss that is left and stands
    above what the best constant would cost. Progress is that of the term, as the sum hides it.

    A term that has *risen* above its start and above the best constant's cost while the large one fell has been outgrown already, and a tenth of the
    gradient is little enough. And where the only error that is learned from data stands at guessing, a term with twice its gradient that has brought the loss
    down alone outweighs it, and so do terms that take back more than half of its gradient: at a standstill they are equal and opposite.

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
        terms = measured_terms(trace)
        largest = max(terms, key=lambda term: float(term["gradient_share"]), default=None)
        starved = [term for term in terms if largest is not None and (_is_starved(trace, term, largest, terms) or _is_outgrown(term, largest))]
        if largest is None or not starved:
            return self._outweighed(trace)
        worst = min(starved, key=lambda term: float(term["gradient_share"]))
        ratio = float(largest["gradient_share"]) / max(float(worst["gradient_share"]), 1e-30)
        kept = float(worst["now"]) / float(worst["first"])
        return self.finding(
            confidence=0.7 + 0.1 * min(max(math.log10(ratio / LIMIT), 0.0), 2.0),
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
                f"The loss is a sum, and its term {shown(worst)} is not being learned ({short(float(worst['first']))} at the start, "
                f"{short(float(worst['now']))} now): its gradient is {short(ratio)} times smaller than that of term {shown(largest)}.",
                f"損失は項の和ですが、項 {shown(worst)} が学習されていません（開始時 {short(float(worst['first']))}、現在 {short(float(worst['now']))}）。"
                f"その勾配は項 {shown(largest)} の {short(ratio)} 分の1です。",
            ),
        )

    def _outweighed(self, trace: Trace) -> Finding | None:
        found = outweighed(trace)
        if found is None or found[1].get("is_penalty"):
            return None  # a penalty on weights is over_regularised
        error, others = found
        heavier = float(others["gradient_share"]) / max(float(error["gradient_share"]), 1e-30)
        back, stands = -float(error.get("opposed", math.nan)), share_left(error)
        return self.finding(
            confidence=0.8,
            place=f"term {others['name']}",
            place_ja=f"項 {others['name']}",
            evidence=[
                Evidence("share of the error's gradient that the other terms take back", back, -CANCELLED, "", "", name_ja="他の項が打ち消す誤差の勾配の割合"),
                Evidence("gradient of the other term over that of the error", heavier, HEAVY, "", "", name_ja="他の項と誤差の勾配の比"),
                Evidence("error over that of the best constant", stands, GUESSED, "", "", name_ja="最良の定数に対する誤差の比"),
                Evidence("weight of the other term", float(others["weight"]), None, "", others["name"], name_ja="他の項の重み"),
            ],
            sentence=both(
                f"Term {shown(others)} outweighs the error: its gradient is {short(heavier)} times as large, and term {shown(error)} stands at "
                f"{short(float(error['now']))}, where guessing does.",
                f"項 {shown(others)} が誤差より強く働いています。勾配は {short(heavier)} 倍あり、項 {shown(error)} は当て推量と同じ "
                f"{short(float(error['now']))} のままです。",
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


def _is_starved(trace: Trace, term: Term, largest: Term, terms: list[Term]) -> bool:
    if float(term["gradient_share"]) * LIMIT > float(largest["gradient_share"]) or not is_error(term):
        return False
    if term["now"] < UNLEARNED * term["first"]:
        return False
    has_time = largest["now"] < LEARNED * largest["first"] or (trace.step >= LONG and trace.progress_is_poor)
    left = sum(abs(one["weight"] * one["now"]) for one in terms if math.isfinite(one["now"]))
    is_asked = abs(term["weight"]) >= PLAIN or abs(term["weight"]) * ASKED >= abs(largest["weight"])
    is_left = abs(term["weight"] * term["now"]) > LEFT * left and term["now"] > WORSE * term["trivial"]
    return bool(has_time and (is_asked or is_left))


def _is_outgrown(term: Term, largest: Term) -> bool:
    """Return whether a term rises while the one that has most of the gradient falls."""
    if not math.isfinite(term["trivial"]):
        return False  # no targets are seen: the size of a code may grow as it likes
    is_small = float(term["gradient_share"]) * OUTGROWN <= float(largest["gradient_share"])
    is_falling = largest["now"] < LEARNED * largest["first"]
    return is_error(term) and bool(is_small and is_falling and term["now"] > RISEN * max(term["first"], term["trivial"]))
