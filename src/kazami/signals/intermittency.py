"""Which of Pomeau and Manneville's three intermittencies a series shows, as far as its laminar phases allow."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .laminar import LaminarPhases, laminar_phases
from .series import checked

Floats = NDArray[np.float64]
IntermittencyType = Literal["I", "II", "III", "unsure"]
LEAST_PHASES = 5
CLEAR = 0.6  # share of the phases that must agree
EDGE = 0.14  # turns from 0 (type I) or from 1/2 (type III)
GROWTH = 1.7  # of what differs at a lag that is the orbit's period; at any other lag it is about 1


@dataclass(frozen=True, slots=True)
class Intermittency:
    """The type of an intermittency, and the local multiplier that it was read from.

    Attributes:
        type: ``"I"`` (the multiplier is near +1: a periodic orbit has just vanished), ``"II"`` (a complex pair: a slow spiral), ``"III"`` (near -1: a slowly
            growing alternation), or ``"unsure"``.
        multiplier: Median angle of the local multiplier, in turns: 0 for I, 1/2 for III, between for II.
        phases: The laminar phases.
        power: Maximum-likelihood exponent of the lengths' distribution above their median: 3/2 for types II and III near onset (before the cut-off); type I
            has most of its phases near the longest instead, and a large exponent.
    """

    type: IntermittencyType
    multiplier: float
    phases: LaminarPhases
    power: float


def intermittency_type(series: Floats, *, phases: LaminarPhases | None = None) -> Intermittency:
    r"""Return the type of an intermittency from how the deviation from the laminar orbit goes on within the laminar phases.

    Within each phase the series is seen once a period of the laminar orbit; successive moves have the same sign where the multiplier is near +1 (type I),
    alternate where it is near -1 (III), and turn at another rate for a complex pair (II).

    Args:
        series: Shape ``(n,)``; its transient should be cut.
        phases: Its laminar phases, if known.

    Returns:
        An `Intermittency`; ``"unsure"`` with fewer than five phases, or where the phases disagree.

    Limits:
        A type-II spiral whose angle is near 0 or 1/2 turn looks like I or III. The Pomeau–Manneville map (a marginal fixed point, multiplier +1) is of type I
        here. The law of the mean length (ε^-1/2 for I, ε^-1 for II and III) needs series at several distances from the onset.

    References:
        Pomeau and Manneville 1980; Schuster, Deterministic Chaos, chapter 4.

    Example:
        >>> x = [0.5]
        >>> for _ in range(9999):
        ...     x.append((1 + 8**0.5 - 1e-4) * x[-1] * (1 - x[-1]))
        >>> intermittency_type(np.array(x)).type
        'I'
    """
    values = checked(series, least=100)
    phases = laminar_phases(values) if phases is None else phases
    if phases.lengths.size < LEAST_PHASES:
        return Intermittency("unsure", float("nan"), phases, float("nan"))
    base = _base_period(values, phases)
    angles = np.array([_angle(values[start : start + length - 2 * phases.period : base]) for start, length in _of(phases)])  # without the burst's first steps
    angles = angles[np.isfinite(angles)]
    if angles.size < LEAST_PHASES:
        return Intermittency("unsure", float("nan"), phases, _power(phases.lengths))
    shares = {"I": float(np.mean(angles < EDGE)), "III": float(np.mean(angles > 0.5 - EDGE))}
    kind: IntermittencyType = "I" if shares["I"] > CLEAR else "III" if shares["III"] > CLEAR else "II" if max(shares.values()) < 1 - CLEAR else "unsure"
    return Intermittency(kind, float(np.median(angles)), phases, _power(phases.lengths))


def _of(phases: LaminarPhases) -> list[tuple[int, int]]:
    return [(int(start), int(length)) for start, length in zip(phases.starts, phases.lengths, strict=True)]


def _base_period(values: Floats, phases: LaminarPhases) -> int:
    """Return the period of the laminar orbit itself: the smallest lag at which what differs grows from the calmest stretch of a typical phase to its
    end. At a lag that is no period the orbit differs from itself by as much all the time.
    """
    for lag in range(1, phases.period):
        growth = []
        for start, length in _of(phases):
            gaps = np.abs(values[start + lag : start + length] - values[start : start + length - lag])
            if gaps.size >= 10 * lag:
                tops = np.lib.stride_tricks.sliding_window_view(gaps, 5 * lag).max(axis=1)
                growth.append(float(tops[-1] / max(float(tops.min()), 1e-300)))
        if growth and float(np.median(growth)) > GROWTH:
            return lag
    return phases.period


def _angle(seen: Floats) -> float:
    """Return the angle, in turns, by which successive moves along the laminar orbit turn: the arc cosine of their correlation."""
    moves = np.diff(seen)
    power = float(np.sum(moves[:-1] ** 2 + moves[1:] ** 2)) / 2
    if moves.size < 5 or power <= 0:
        return float("nan")
    return float(np.arccos(np.clip(np.sum(moves[1:] * moves[:-1]) / power, -1.0, 1.0)) / (2 * np.pi))


def _power(lengths: NDArray[np.int64]) -> float:
    """Return the maximum-likelihood exponent of a power law above the median length (Clauset, Shalizi and Newman 2009, equation 3.1)."""
    least = float(np.median(lengths))
    tail = lengths[lengths >= least].astype(np.float64)
    total = float(np.sum(np.log(tail / least)))
    return 1 + tail.size / total if total > 0 else float("inf")
