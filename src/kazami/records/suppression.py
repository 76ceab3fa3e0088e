"""Suppression: what the user asked to leave out of the verdict, and where he said so."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["in_source", "external"]


@dataclass(frozen=True, slots=True)
class Suppression:
    """One wish to leave a finding out.

    Attributes:
        what: Identifier or name of a finding (``"KZ104"``, ``"dead_units"``); empty: whatever is found at ``line``, or anything where there is no line.
        kind: ``"in_source"``: a comment in the user's file; ``"external"``: an option of the command line.
        file: The file of the comment.
        line: Its line, counted from 1; ``None`` for an option and for a comment that speaks for its whole file.
        reason: What stands behind the bracket, the user's own words.
    """

    what: str
    kind: Kind = "in_source"
    file: str = ""
    line: int | None = None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as stored in run.json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Suppression":
        """Return the suppression that :meth:`to_dict` described; unknown fields of later versions are left out."""
        return cls(**{key: value for key, value in data.items() if key in cls.__dataclass_fields__})
