"""What a claim is: a sentence of a text, and cases in which it either holds or does not, each measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...records import Check, Sentence
from ...storage.strict_json import plain

__all__ = ["Check", "Claim", "Judged", "Sentence", "Verdict", "case", "fade"]

Verdict = Literal["holds", "holds_when", "does_not_hold"]
Kind = Literal["within", "at_least", "at_most"]
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and its experiment.

    Attributes:
        name: What it is called.
        row: The row of the mission that it belongs to.
        text: The claim, as the text has it.
        cases: Measures, and returns one check per condition; a check that passes is a condition under which the claim holds.
    """

    name: str
    row: str
    text: Sentence
    cases: Callable[[], Sequence[Check]]

    def judged(self) -> "Judged":
        """Measure all cases."""
        return Judged(self, tuple(self.cases()))


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim with its measured cases."""

    claim: Claim
    cases: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """It holds if it does in every case, does not if in none, and holds under conditions otherwise."""
        n_holding = sum(check.passed for check in self.cases)
        return "holds" if n_holding == len(self.cases) else "holds_when" if n_holding else "does_not_hold"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, the form of ``--json``."""
        text = {"en": self.claim.text.en, "ja": self.claim.text.ja}
        cases = [{"condition": check.name, "holds": check.passed, **plain(check.to_dict())} for check in self.cases]
        return {"name": self.claim.name, "row": self.claim.row, "text": text, "verdict": self.verdict, "cases": cases}


def case(condition: Pair, measured: float, limit: float, kind: Kind, what: str, *, tolerance: float = 0.0) -> Check:
    """Return one case.

    Args:
        condition: In English and Japanese.
        measured: What came out.
        limit: What it must be for the claim to hold here.
        kind: At least, at most, or within ``tolerance`` of it.
        what: What is measured, with its unit.
        tolerance: For ``"within"``.
    """
    return Check(condition[0], measured, limit, tolerance, kind, "", what, condition[1])


def fade(first: float, last: float) -> float:
    """Return by how many decades a norm falls on the way back, from the mean squares of the gradient at both ends.

    Example:
        >>> fade(1e-8, 1.0)
        4.0
    """
    import math

    return 0.5 * math.log10(max(last, 1e-300) / max(first, 1e-300))
