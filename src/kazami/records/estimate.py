"""Estimate: a number measured along an orbit, with its error, its local values, and the conditions under which it is true."""

import math
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .shown import as_html, mimebundle

Floats = NDArray[np.float64]


class Remark(str):
    """One sentence in both languages, which is its English text wherever a string is wanted.

    Args:
        en: English.
        ja: Japanese; the English text where there is none.

    Example:
        >>> remark = Remark("All is frozen.", "すべて固定した。")
        >>> "frozen" in remark, remark.in_language("ja")
        (True, 'すべて固定した。')
    """

    ja: str

    def __new__(cls, en: str, ja: str = "") -> "Remark":
        """Make the English string and remember the Japanese one."""
        remark = str.__new__(cls, en)
        remark.ja = ja or en
        return remark

    def in_language(self, language: str) -> str:
        """Return the sentence in ``"ja"``, else in English."""
        return self.ja if language == "ja" else str(self)


class Outcome(Enum):
    """How a measurement along an orbit ended; the value is its sentence."""

    COMPLETE = "All steps were taken."
    NON_FINITE = "The state stopped being finite; only the steps before count."
    INTERRUPTED = "It was interrupted; only the steps before count."
    OVERFLOW = "The tangent vectors stopped being finite while the state was; only the steps before count."


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    r"""A number (or one per direction) measured along an orbit.

    Attributes:
        name: What was measured.
        value: The number, per step of the map; an array of shape ``(k,)`` for a spectrum. NaN where nothing could be measured.
        uncertainty: One standard error of ``value`` for an orbit of this length, of the same shape; see ``docs/lyapunov.md`` for how it is found.
        local: What each step gave, shape ``(steps,)`` or ``(steps, k)``; ``value`` is its mean.
        steps: Number of steps that count.
        transient: Number of steps taken before them.
        time_per_step: Time of the system's own in one step (flows; 1 for maps).
        unit: Unit of ``value``.
        outcome: Whether all steps could be taken.
        stopped_at: The step (counted from 0, transient included) at which it could not go on, else ``None``.
        conditions: What was frozen, in which precision, and so on.
        warnings: What may be wrong with the number.
        details: Further numbers by name (``kaplan_yorke``, ``sum`` …).

    Example:
        >>> Estimate(name="exponent", value=0.5, uncertainty=0.1, local=np.array([0.4, 0.6]), steps=2).convergence.tolist()
        [0.4, 0.5]
    """

    name: str
    value: Any
    uncertainty: Any
    local: Floats
    steps: int
    transient: int = 0
    time_per_step: float = 1.0
    unit: str = "1/step"
    outcome: Outcome = Outcome.COMPLETE
    stopped_at: int | None = None
    conditions: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    details: MappingProxyType[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    _repr_html_ = as_html
    _repr_mimebundle_ = mimebundle

    @property
    def threshold(self) -> Any:
        """The value above which theory calls the system unstable, where one was given (`kazami.sharpness`); else ``None``."""
        return self.details.get("threshold")

    @property
    def convergence(self) -> Floats:
        """The mean of the local values up to each step, of the shape of ``local``: the estimate as it settled."""
        counts = np.arange(1, len(self.local) + 1, dtype=float)
        return np.asarray(np.cumsum(self.local, axis=0) / (counts if self.local.ndim == 1 else counts[:, None]))

    @property
    def per_time(self) -> Any:
        """The value per unit of the system's own time."""
        return self.value / self.time_per_step

    @property
    def horizon(self) -> float:
        r"""Steps after which a tiny difference has grown :math:`e`-fold, :math:`1/\lambda` of the largest value; infinite where it does not grow."""
        largest = float(np.max(self.value))
        return 1.0 / largest if largest > 0.0 else math.inf

    def __float__(self) -> float:
        """Return the value, which must be a single number."""
        return float(self.value)

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as plain data for JSON: finite numbers or ``None``, the local values in full."""
        plain = {name: _plain(getattr(self, name)) for name in ("name", "value", "uncertainty", "steps", "transient", "time_per_step", "unit", "stopped_at")}
        said = {"conditions": [str(text) for text in self.conditions], "warnings": [str(text) for text in self.warnings]}
        details = {name: _plain(value) for name, value in self.details.items()}
        return {**plain, "outcome": self.outcome.name.lower(), **said, "details": details, "local": _plain(self.local)}


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON can hold it; what is not finite becomes ``None``."""
    if isinstance(value, np.ndarray):
        return [_plain(part) for part in value.tolist()]
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value
