"""Comparison: what two runs have in common, where they part, and how."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records import Sentence
from .growth import Growth
from .parting import Parting
from .weights import Distances

KINDS = ("same", "configuration", "start", "jump", "exponential", "contraction", "drift")


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump of the distance between runs that differed already.

    Attributes:
        step: After which the distance is seen to have jumped.
        after: The last record before.
        name: The parameter whose own distance rose most.
        before: Relative distance before.
        size: Relative distance after.
    """

    step: int
    after: int
    name: str
    before: float
    size: float


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that differs.

    Attributes:
        name: ``"optimizer.momentum"``, ``"versions.torch"`` …
        a: Its value in the first run.
        b: Its value in the second.
    """

    name: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of two runs.

    Attributes:
        a: Where the first run lies.
        b: Where the second lies.
        kind: One of ``KINDS``.
        sentence: The finding.
        first: The first difference, ``None`` where there is none.
        jump: A jump later on, ``None`` where there is none.
        growth: How the distance grows after the parting (after the jump, where there is one), ``None`` with too few records.
        from_rounding: Whether the first difference is no larger than rounding makes it.
        horizon: Step at which a difference that grows exponentially is as large as the weights themselves, ``None`` where it does not.
        horizon_error: Its standard error.
        distances: Over the steps.
        settings: Settings that differ.
        notes: What must be known to read this.
        offset: By how many steps the second run's step numbers were raised, negative: the first run's, because it goes on where the other was.
    """

    a: str
    b: str
    kind: str
    sentence: Sentence
    first: Parting | None
    jump: Jump | None
    growth: Growth | None
    from_rounding: bool
    horizon: float | None
    horizon_error: float
    distances: Distances
    settings: tuple[Setting, ...] = ()
    notes: tuple[Sentence, ...] = ()
    offset: int = 0

    def to_dict(self, language: str = "en") -> dict[str, Any]:
        """Return plain data, as ``kazami compare --json`` prints it; numbers that JSON does not know are ``None``."""
        apart = self.distances
        return {
            "schema": 1,
            "a": self.a,
            "b": self.b,
            "kind": self.kind,
            "sentence": self.sentence.in_language(language),
            "first": _plain(asdict(self.first)) if self.first else None,
            "jump": _plain(asdict(self.jump)) if self.jump else None,
            "growth": _plain(asdict(self.growth)) if self.growth else None,
            "from_rounding": self.from_rounding,
            "horizon": _number(self.horizon),
            "horizon_error": _number(self.horizon_error),
            "is_exact": apart.is_exact,
            "distance": {
                "steps": apart.steps.tolist(),
                "values": _numbers(apart.values),
                "standard_errors": _numbers(apart.errors),
                "relative": _numbers(apart.relative),
            },
            "settings": [_plain(asdict(one)) for one in self.settings],
            "notes": [note.in_language(language) for note in self.notes],
            "offset": self.offset,
        }


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [_number(value) for value in values]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return _number(value) if isinstance(value, float) else value
