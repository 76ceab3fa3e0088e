"""What a rule is: a pure function from a Trace to a Finding or None, with its identity and its place in the causal order."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding, Sentence, Severity
from ..records.trace import Floats, Layer, Series, Trace
from ..signals import theil_sen

HIDDEN_KINDS = ("linear", "conv", "recurrent")


class AbstractRule(ABC):
    """A rule of the catalogue.

    Class attributes:
        id: Stable identifier.
        name: Name of the finding.
        title: What is looked for, in both languages (for the list of checks).
        family: ``"structure"``, ``"data"``, ``"initialisation"``, ``"signal"``, ``"step"`` or ``"symptom"``.
        rank: Place in the causal order: a smaller rank explains a larger one.
        wind: Sign and strength of its weather: negative is calm, positive is storm.
        can_decide_at: The first step at which it may speak (0 or 1: also in ``kazami check``).
        curves: For the names of evidence that follow a recorded series: how to get its course over the steps (`_curves`).
    """

    id: ClassVar[str]
    name: ClassVar[str]
    title: ClassVar[Sentence]
    family: ClassVar[str]
    rank: ClassVar[int]
    wind: ClassVar[float] = 0.0
    can_decide_at: ClassVar[int] = 1
    curves: ClassVar[Mapping[str, Callable[[Trace, Finding], Series]]] = {}

    @abstractmethod
    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding, or ``None`` where the rule does not hold."""

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Return why this is *not* the cause, in one phrase with a number, or ``None`` where that was not looked at."""
        del trace
        return None

    def finding(
        self,
        *,
        confidence: float,
        sentence: Sentence,
        step: int = 1,
        place: str = "",
        place_ja: str = "",
        evidence: Iterable[Evidence] = (),
        severity: Severity = "warning",
        wind: float | None = None,
        rank: int | None = None,
    ) -> Finding:
        """Return a finding of this rule."""
        return Finding(
            id=self.id,
            name=self.name,
            severity=severity,
            confidence=round(min(max(confidence, 0.0), 0.99), 2),
            step=step,
            place=place,
            place_ja=place_ja,
            sentence=sentence,
            evidence=tuple(item for item in evidence if not math.isnan(item.value)),
            wind=self.wind if wind is None else wind,
            rank=self.rank if rank is None else rank,
            family=self.family,
        )


def hidden(trace: Trace, kinds: tuple[str, ...] = HIDDEN_KINDS) -> list[int]:
    """Return the columns of layers that are weight matrices and not the output."""
    return [index for index, layer in enumerate(trace.layers) if layer.kind in kinds and not layer.is_output]


def matrices(trace: Trace, kinds: tuple[str, ...] = HIDDEN_KINDS) -> list[int]:
    """Return the columns of all layers that are weight matrices, the output included."""
    return [index for index, layer in enumerate(trace.layers) if layer.kind in kinds]


def on_the_way(trace: Trace, kinds: tuple[str, ...] = HIDDEN_KINDS) -> list[int]:
    """Return the columns of the weight matrices that lie on the way from the inputs to the loss.

    Those that make the scores of attention do not: their gradients are small while the scores are even, at any depth.
    """
    aside = set(trace.facts.get("score_branches", {}).get("layers", ()))
    return [index for index in matrices(trace, kinds) if trace.layers[index].name not in aside]


def recent(trace: Trace, name: str, last: int = 20) -> Floats:
    """Return the median over the newest ``last`` recorded steps of a quantity of layers, shape ``(layers,)``; NaN where nothing was recorded."""
    series = trace[name]
    if len(series) == 0:
        return np.full(len(trace.layers), np.nan)
    return nanmedian(series.values[-last:])


def early(trace: Trace, name: str, first: int = 3) -> Floats:
    """Return the median over the first recorded steps of a quantity of layers, shape ``(layers,)``."""
    series = trace[name]
    if len(series) == 0:
        return np.full(len(trace.layers), np.nan)
    return nanmedian(series.values[:first])


def nanmedian(rows: Floats) -> Floats:
    """Return the median of each column over its finite values; NaN for a column without any (and no warning)."""
    result = np.full(rows.shape[1:], np.nan)
    for index in np.ndindex(result.shape):
        column = rows[(slice(None), *index)]
        finite = column[np.isfinite(column)]
        if finite.size:
            result[index] = np.median(finite)
    return result


def number(trace: Trace, name: str, last: int = 20, *, first: int | None = None) -> float:
    """Return the median of the newest (or the first) recorded values of a run-level number, NaN where there are none."""
    values = trace[name].values
    values = values[:first] if first is not None else values[-last:]
    finite = values[np.isfinite(values)] if values.size else values
    return float(np.median(finite)) if finite.size else math.nan


def short(value: float) -> str:
    """Return a number with three significant digits."""
    return f"{value:.3g}"


def layer_name(layer: Layer) -> str:
    """Return the layer's name as it stands in sentences."""
    return f"`{layer.name}`"


def both(en: str, ja: str) -> Sentence:
    """Return a sentence in both languages."""
    return Sentence(en, ja)


def is_adaptive(trace: Trace) -> bool:
    """Return whether the optimizer divides by the size of the gradient (Adam and its relatives)."""
    return str(trace.optimizer.get("name", "")).lower() in {"adam", "adamw", "nadam", "radam", "adamax", "rmsprop", "adagrad", "adadelta", "sparseadam", "lion"}


def growth_to_input(norms: Floats) -> float:
    """Return by how many decades ``norms``, shape ``(layers,)``, first layer first, grow from the output back to the input (robust slope times depth); NaN
    below three layers.
    """
    norms = norms[np.isfinite(norms) & (norms > 0)]  # exactly zero is cut off (dead units), not faded
    if norms.size < 3:
        return float("nan")
    return float(-theil_sen(np.log10(norms)) * (norms.size - 1))
