"""The terms of a loss as a trace shows them: which are errors, and which one outweighs the only error that is learned from targets."""

import math
from typing import Any

from ..records.trace import Trace
from ._progress import SLOW_PACE, share_left

Term = dict[str, Any]
LEARNED = 0.5
CANCELLED = -0.5  # of its gradient: half of every step towards it is taken back by the other terms
HEAVY = 2.0  # times the error's gradient
GUESSED = 0.8  # of what the best constant costs
ERRORS = ("mse", "l1", "smooth_l1", "huber", "cross_entropy", "nll", "bce", "bce_with_logits", "squares", "absolute")


def measured_terms(trace: Trace) -> list[Term]:
    """Return the terms whose gradients were measured."""
    return [term for term in trace.facts.get("loss_terms", {}).get("terms", []) if math.isfinite(term["gradient_share"])]


def kind_of(term: Term) -> str:
    """Return what a term is: its name is ``"2: mse of head"``."""
    return str(term["name"]).partition(": ")[2].partition(" of ")[0]


def shown(term: Term) -> str:
    """Return a term's name as it stands in sentences."""
    number, _, rest = str(term["name"]).partition(": ")
    return f"{number} ({rest})"


def is_error(term: Term) -> bool:
    """Return whether a term is a distance that should become small, and its value is known."""
    return any(f" {kind}" in f" {kind_of(term)}" for kind in ERRORS) and bool(math.isfinite(term["first"]) and math.isfinite(term["now"]) and term["first"] > 0)


def outweighed(trace: Trace) -> tuple[Term, Term] | None:
    """Return the only error that is learned from targets and the term that outweighs it: the error stands where guessing does, and the other one has twice
    its gradient and has brought the loss down alone, or more than half of the error's gradient is taken back.
    """
    terms = measured_terms(trace)
    errors = [term for term in terms if is_error(term) and math.isfinite(term["trivial"]) and term["trivial"] > 0]  # targets that are all alike: 0
    if len(errors) != 1 or len(terms) < 2 or trace.progress is None or not share_left(errors[0]) > GUESSED:
        return None
    error = errors[0]
    other = max((one for one in terms if one is not error), key=lambda one: float(one["gradient_share"]))
    is_alone = other["gradient_share"] > HEAVY * error["gradient_share"] and abs(other["now"]) < LEARNED * abs(other["first"])
    is_taken_back = trace.progress.pace < SLOW_PACE and float(error.get("opposed", math.nan)) < CANCELLED
    return (error, other) if is_alone or is_taken_back else None
