"""Finding: one statement about a training, with its evidence, its place and what to do."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self

from .shown import as_html, mimebundle, pretty

Severity = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in both languages.

    Attributes:
        en: English.
        ja: Japanese.
    """

    en: str
    ja: str

    def in_language(self, language: str) -> str:
        """Return the sentence in ``"ja"``, else in English."""
        return self.ja if language == "ja" else self.en


@dataclass(frozen=True, slots=True)
class Evidence:
    """A measured number beside its limit.

    Attributes:
        name: What was measured.
        value: The measured number, in ``unit``.
        limit: The limit it is held against, in the same unit; ``None`` where there is none.
        unit: Unit, empty for a pure number.
        source: Where the limit comes from (a derivation, a paper, a calibration).
        name_ja: The name in Japanese.
        source_ja: The source in Japanese, empty where both languages say it alike.
    """

    name: str
    value: float
    limit: float | None = None
    unit: str = ""
    source: str = ""
    name_ja: str = ""
    source_ja: str = ""

    def source_in(self, language: str) -> str:
        """Return the source in ``"ja"`` where there is one, else in English."""
        return self.source_ja if language == "ja" and self.source_ja else self.source

    def name_in(self, language: str) -> str:
        """Return the name in ``"ja"`` where there is one, else in English."""
        return self.name_ja if language == "ja" and self.name_ja else self.name


@dataclass(frozen=True, slots=True)
class Prescription:
    """One change that treats a finding.

    Attributes:
        name: Name of the cure.
        parameters: Its numbers, as plain data.
        code: The line or lines to write.
        sentence: What the change does.
        order: Smaller is the lesser change.
    """

    name: str
    parameters: dict[str, Any]
    code: str
    sentence: Sentence
    order: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement about a training.

    Attributes:
        id: Stable identifier, ``"KZ101"``.
        name: Name of the finding, ``"vanishing_gradient"``.
        severity: ``"info"``, ``"warning"`` or ``"error"``.
        confidence: 0 to 1.
        step: Optimizer step since which it holds (the first step is 1; 0 is before any step).
        place: Layer, parameter or operation; empty for the whole model.
        sentence: What is wrong, in both languages.
        evidence: Numbers beside their limits.
        is_primary: Whether this is the cause that explains the others.
        prescriptions: What to change, least change first.
        not_the_cause: What was looked at and excluded.
        wind: Sign and strength on the wind scale: negative is calm, positive is storm, 0 says nothing; -2 to 2, and 3 for NaN or Inf.
        rank: Place in the causal order; a smaller rank explains a larger one.
        family: ``"structure"``, ``"data"``, ``"initialisation"``, ``"signal"``, ``"step"`` or ``"symptom"``.
        related: Names of the other findings of the run, of a primary one.
        place_ja: The place in Japanese, where it is a phrase and not a name.
        file: The user's file that the finding points at, as the command line named it; empty where it is not known.
        line: The line of that file, counted from 1; ``None`` where it is not known.
    """

    id: str
    name: str
    severity: Severity
    confidence: float
    step: int
    place: str
    sentence: Sentence
    evidence: tuple[Evidence, ...] = ()
    is_primary: bool = False
    prescriptions: tuple[Prescription, ...] = ()
    not_the_cause: tuple[Sentence, ...] = ()
    wind: float = 0.0
    rank: int = 50
    family: str = "symptom"
    related: tuple[str, ...] = field(default=())
    place_ja: str = ""
    file: str = ""
    line: int | None = None

    _repr_html_ = as_html
    _repr_mimebundle_ = mimebundle

    def place_in(self, language: str) -> str:
        """Return the place in ``"ja"`` where there is one, else as it stands."""
        return self.place_ja if language == "ja" and self.place_ja else self.place

    def replaced(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as printed by ``--json`` under ``"findings"``."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Finding":
        """Return the finding that :meth:`to_dict` described; unknown fields of later versions are left out."""
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        known["sentence"] = Sentence(**known["sentence"])
        known["evidence"] = tuple(Evidence(**item) for item in known.get("evidence", ()))
        known["prescriptions"] = tuple(Prescription(**{**item, "sentence": Sentence(**item["sentence"])}) for item in known.get("prescriptions", ()))
        known["not_the_cause"] = tuple(Sentence(**item) for item in known.get("not_the_cause", ()))
        known["related"] = tuple(known.get("related", ()))
        return cls(**known)


class Findings(list[Finding]):
    """Findings, most important first: a list that a notebook shows as cards."""

    _repr_html_ = as_html
    _repr_mimebundle_ = mimebundle
    _repr_pretty_ = pretty
