"""What a gradient check found: a verdict, where the gradient is wrong, and one row per parameter."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from ..records import Sentence
from ..reports.numerals import short
from .slopes import ErrorGrowth

Status = Literal["right", "kink", "settled", "unused", "unresolved", "skipped", "wrong", "missing", "not_finite"]

FAULTS: tuple[Status, ...] = ("wrong", "missing", "not_finite")

STATUS_WORDS: dict[Status, Sentence] = {
    "right": Sentence("agrees", "一致"),
    "kink": Sentence("agrees near by; the weights lie on a kink", "近傍では一致（ちょうど折れ点上）"),
    "settled": Sentence("agrees once its state has come to rest", "内部状態が落ち着けば一致"),
    "unused": Sentence("no gradient, and the loss does not depend on it", "勾配なし（損失も依存しない）"),
    "unresolved": Sentence("hidden by rounding", "丸め誤差に埋もれて判定不能"),
    "skipped": Sentence("not checked", "対象外"),
    "wrong": Sentence("WRONG", "誤り"),
    "missing": Sentence("NO GRADIENT, yet the loss depends on it", "勾配がないのに損失は依存する"),
    "not_finite": Sentence("NOT FINITE", "有限でない"),
}


@dataclass(frozen=True, slots=True)
class ParameterRow:
    r"""One parameter (or input) of a gradient check.

    Attributes:
        name: As in ``named_parameters()``; ``"input"``, ``"input[1]"`` for inputs.
        shape: Its shape.
        status: One of ``STATUS_WORDS``.
        analytic: Backprop's slope along the decisive random direction, in units of the loss; NaN where not checked.
        numeric: The same from values of the loss.
        uncertainty: Estimated error of ``numeric``, same unit.
        relative_difference: :math:`|a - n|` over what a slope in this parameter is typically like.
        worst_index: Index of the entry with the largest difference among those probed alone.
        worst_analytic: Backprop's derivative there, loss per unit of the entry; NaN where none was probed.
        worst_numeric: The numeric one.
        growth: Error against step size along the direction; ``None`` where not checked.
        n_probed: Entries probed alone.
        n_wrong: Those of them that are wrong.
        together: How many parameters were tested in one direction with it; 1 is alone.
        note: Why it was skipped.
    """

    name: str
    shape: tuple[int, ...]
    status: Status
    analytic: float = math.nan
    numeric: float = math.nan
    uncertainty: float = math.nan
    relative_difference: float = math.nan
    worst_index: tuple[int, ...] | None = None
    worst_analytic: float = math.nan
    worst_numeric: float = math.nan
    growth: ErrorGrowth | None = None
    n_probed: int = 0
    n_wrong: int = 0
    together: int = 1
    note: str = ""

    @property
    def is_fault(self) -> bool:
        """Whether the gradient of this parameter is wrong, missing or not finite."""
        return self.status in FAULTS

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain data."""
        growth = self.growth
        return {
            "name": self.name,
            "shape": list(self.shape),
            "status": self.status,
            "analytic": _number(self.analytic),
            "numeric": _number(self.numeric),
            "uncertainty": _number(self.uncertainty),
            "relative_difference": _number(self.relative_difference),
            "worst_index": None if self.worst_index is None else list(self.worst_index),
            "worst_analytic": _number(self.worst_analytic),
            "worst_numeric": _number(self.worst_numeric),
            "steps": [] if growth is None else list(growth.steps),
            "errors": [] if growth is None else [_number(error) for error in growth.errors],
            "n_probed": self.n_probed,
            "n_wrong": self.n_wrong,
            "together": self.together,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GradCheck:
    r"""The result of :func:`kazami.gradcheck`.

    Attributes:
        ok: ``True`` if no gradient was found to be wrong, missing or not finite.
        verdict: The answer in one sentence.
        parameter: Name of the first parameter with a fault on the way back from the loss; ``None`` if ok.
        index: Index of its worst entry.
        analytic: Backprop's derivative there, loss per unit of the entry.
        numeric: The numeric derivative there.
        table: One row per parameter and checked input.
        error_growth: Error against step size along the direction that found the fault, or along all parameters together if ok.
        hints: What the pattern of the error looks like (a factor, a sign, a transpose, a straight-through estimator …).
        module: Name of the innermost module of the user's own whose backward is at fault, where that could be told.
        notes: What must be known to read this: frozen dropout, float32, kinks.
        complex_step: What the complex step said, or why there is none.
        loss: The loss on this batch.
        dtype: In which precision it was checked.
        n_evaluations: Forward passes taken.
        seconds: Wall time, s.
    """

    ok: bool
    verdict: Sentence
    parameter: str | None = None
    index: tuple[int, ...] | None = None
    analytic: float | None = None
    numeric: float | None = None
    table: tuple[ParameterRow, ...] = ()
    error_growth: ErrorGrowth | None = None
    hints: tuple[Sentence, ...] = ()
    module: str | None = None
    notes: tuple[Sentence, ...] = ()
    complex_step: Sentence | None = None
    loss: float = math.nan
    dtype: str = "float64"
    n_evaluations: int = 0
    seconds: float = 0.0
    faults: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        """Return the verdict in English with its hints."""
        return " ".join([self.verdict.en, *(hint.en for hint in self.hints)])

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data, the form of ``--json``."""
        growth = self.error_growth
        return {
            "ok": self.ok,
            "verdict": _both(self.verdict),
            "parameter": self.parameter,
            "index": None if self.index is None else list(self.index),
            "analytic": _number(self.analytic),
            "numeric": _number(self.numeric),
            "faults": list(self.faults),
            "module": self.module,
            "hints": [_both(hint) for hint in self.hints],
            "notes": [_both(note) for note in self.notes],
            "complex_step": None if self.complex_step is None else _both(self.complex_step),
            "error_growth": None
            if growth is None
            else {
                "steps": list(growth.steps),
                "errors": [_number(error) for error in growth.errors],
                "truncation": _number(growth.truncation),
                "rounding": _number(growth.rounding),
                "kind": growth.kind,
            },
            "loss": _number(self.loss),
            "dtype": self.dtype,
            "n_evaluations": self.n_evaluations,
            "seconds": self.seconds,
            "table": [row.to_dict() for row in self.table],
        }

    def rows(self, language: str = "en") -> tuple[list[str], list[list[str]]]:
        """Return header and cells of the table for people."""
        japanese = language == "ja"
        header = ["パラメータ", "形状", "判定", "誤差逆伝播", "数値微分", "相対差", "最悪の成分"] if japanese else HEADER
        cells = []
        for row in self.table:
            words = STATUS_WORDS[row.status]
            said = (words.ja if japanese else words.en) + (f" ({row.note})" if row.note else "")
            worst = "–" if row.worst_index is None else f"{list(row.worst_index)}: {short(row.worst_analytic)} / {short(row.worst_numeric)}"
            numbers = [short(value) if not math.isnan(value) else "–" for value in (row.analytic, row.numeric, row.relative_difference)]
            cells.append([row.name, "×".join(map(str, row.shape)) or "–", said, *numbers, worst])
        return header, cells


HEADER = ["parameter", "shape", "verdict", "backprop", "numeric", "relative difference", "worst entry: backprop / numeric"]


def _number(value: float | None) -> float | str | None:
    """Return a number that strict JSON can hold: NaN is none, infinities are their names."""
    if value is None or math.isnan(value):
        return None
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def _both(sentence: Sentence) -> dict[str, str]:
    return {"en": sentence.en, "ja": sentence.ja}
