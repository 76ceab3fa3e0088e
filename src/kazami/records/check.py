"""Check: a measured number beside what was expected of it."""

import math
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Check:
    r"""One expectation and what was measured.

    Attributes:
        name: What is measured, in English.
        measured: The measured number, in ``unit``; NaN never passes.
        expected: What was expected, in the same unit.
        tolerance: Largest allowed distance from ``expected``, in the same unit, at least 0.
        kind: ``"within"``: :math:`|m - e| \le t`; ``"at_least"``: :math:`m \ge e - t`; ``"at_most"``: :math:`m \le e + t`.
        unit: Unit, empty for a pure number.
        source: Where the expectation comes from: a derivation, a paper with its equation.
        name_ja: The name in Japanese.

    Example:
        >>> Check("exponent", measured=0.6932, expected=math.log(2), tolerance=1e-3).passed
        True
    """

    name: str
    measured: float
    expected: float
    tolerance: float = 0.0
    kind: Literal["within", "at_least", "at_most"] = "within"
    unit: str = ""
    source: str = ""
    name_ja: str = ""

    @property
    def passed(self) -> bool:
        """Whether the measured number is where it was expected."""
        if math.isnan(self.measured):
            return False
        if self.kind == "at_least":
            return self.measured >= self.expected - self.tolerance
        if self.kind == "at_most":
            return self.measured <= self.expected + self.tolerance
        return abs(self.measured - self.expected) <= self.tolerance

    def name_in(self, language: str) -> str:
        """Return the name in ``"ja"`` where there is one, else in English."""
        return self.name_ja if language == "ja" and self.name_ja else self.name

    def to_dict(self) -> dict[str, Any]:
        """Return the check as plain data, the form of ``--json``."""
        names = ("name", "expected", "tolerance", "measured", "passed", "kind", "unit", "source")
        return {name: getattr(self, name) for name in names}
