"""Regime: what kind of motion a series or a training shows, with its evidence."""

from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from .finding import Evidence, Sentence
from .shown import as_html, mimebundle

RegimeLabel = Literal[
    "convergent", "edge_of_stability", "periodic", "quasi_periodic", "intermittent", "transient_chaos", "chaos", "dead", "divergent", "noise", "unsure"
]
LETTERS: Final = MappingProxyType(dict(zip(get_args(RegimeLabel), "CEPQITXDVN?", strict=True)))  # one for each cell of a map, the same everywhere


@dataclass(frozen=True, slots=True)
class Regime:
    """What kind of motion was seen.

    Attributes:
        label: One of the eleven of ``LETTERS``; ``"unsure"`` says in its sentence what is missing, ``"noise"`` is for series only.
        sentence: What was seen, in both languages.
        evidence: Numbers beside their limits.
        parameters: The label's own numbers, as plain data: ``{"period": 3}``, ``{"laminar_share": 0.7, "mean_laminar_length": 41.0}`` …
        confidence: 0 to 1.

    Example:
        >>> Regime("periodic", Sentence("Every third step is the same.", "3 ステップごとに同じ値に戻ります。"), parameters={"period": 3}).letter
        'P'
    """

    label: RegimeLabel
    sentence: Sentence
    evidence: tuple[Evidence, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    confidence: float = 1.0

    _repr_html_ = as_html
    _repr_mimebundle_ = mimebundle

    @property
    def letter(self) -> str:
        """The label's letter on maps: C E P Q I T X D V N or ?."""
        letter: str = LETTERS[self.label]
        return letter

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, the form of ``--json``."""
        return {**asdict(self), "letter": self.letter}
