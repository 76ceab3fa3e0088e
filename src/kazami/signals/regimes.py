"""The regime of a series: what kind of motion it shows, with its evidence, or what is missing to say so."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError
from ..records.finding import Evidence
from ..records.regime import Regime, RegimeLabel
from ._words import sentence
from .divergence import Divergence, neighbour_divergence
from .embedding import decorrelation_time
from .laminar import LaminarPhases, laminar_phases
from .periods import Period, period
from .predictability import N_SURROGATES, Determinism, determinism
from .prediction import best_local, linear_prediction_error
from .robust import turning_rate
from .settling import dies_away, is_constant, ranges, runs_away, travel, unsettled_head
from .spectrum import Lines, spectral_lines

Floats = NDArray[np.float64]
LEAST_STEPS = 100
MOST_STEPS = 4000  # looked at for neighbours, which are near enough by then
LONGEST = 14000  # looked at for returns and lines
DENSE = 6  # steps: a signal with a longer decorrelation time is thinned to this one before neighbours are looked for
CLEARLY_RULED = 0.3  # local over linear error: ten kinds of noise stay above 0.55 (docs/signals.md)
MAYBE_RULED = 0.85
LEAST_SLOPE = 0.5  # of the images of neighbours: half-way from chance (0) to rule (1)
LEAST_GROWTH = 0.8  # e-foldings
COHERENT = 0.1  # long-range error over the standard deviation that a sum of oscillations with noise may have
OBSERVATION = 0.015  # noise over the way travelled that is still noise on the observations of a convergence
BROAD = 0.03  # variance outside the lines: more, with a range that comes and goes, is an alternation and no oscillation
LINED = 1e-3  # variance outside isolated lines: noise of three percent; coherent chaos leaves ten times as much
LEAST_CYCLES = 3.0  # a slower line is a drift
SLOWING = 0.9  # a way that is not slower at its end is a drift
LAMINAR_SHARE = 0.15
FAST = 0.25  # turning points a step; a smooth signal sampled six times a decorrelation time has fewer
RESOLVED = 10.0  # steps: an oscillation of a longer period, none of whose harmonics is folded back, is a sampled one


@dataclass(frozen=True, slots=True)
class Sustained:
    """What was measured on the sustained part of a series, the label it leads to, and the numbers of the label."""

    label: RegimeLabel
    parameters: dict[str, Any]
    evidence: tuple[Evidence, ...]
    confidence: float


def regime(series: ArrayLike) -> Regime:
    """Return the regime of a series, with its evidence.

    The series is divergent if it runs away or ends in a number that is not finite, dead if it never moved, convergent if it dies away or has travelled far
    against its noise. Else the part after the transient is looked at: a return after p steps whose slip does not add up is periodic; long-range
    predictability without growth is a smooth oscillation (periodic if all lines of the spectrum are harmonics of one, else quasi-periodic); a nonlinear rule
    (`determinism`) with neighbours that part is chaos, intermittent if long laminar phases alternate with bursts; no rule is noise. A chaotic head that went
    quiet is transient chaos. Chaos takes all of: better than the linear rule, images that follow their neighbours or a large margin, better than 19
    surrogates, and growth. The edge of stability cannot be seen in a series.

    Args:
        series: One number a step, shape ``(n,)``; the loss of a full-batch training, a weight, an observable of a map.

    Returns:
        A `Regime`; ``"unsure"`` with a sentence where the series is too short or the signs contradict one another.

    Raises:
        UsageError: If it is not one axis of numbers.

    Limits:
        A nonlinear rule observed through noise of several percent, or strong chaos in more than two dimensions over a few hundred steps, reads as noise. A
        locked state of a period longer than a quarter of the series reads as quasi-periodic.

    References:
        The estimators' own; `docs/signals.md` has the confusion table.

    Example:
        >>> x = [0.4]
        >>> for _ in range(999):
        ...     x.append(3.83 * x[-1] * (1 - x[-1]))
        >>> found = regime(x)
        >>> found.label, found.parameters["period"]
        ('periodic', 3)
        >>> regime(np.random.default_rng(0).standard_normal(1000)).label
        'noise'
    """
    values = np.asarray(series, dtype=np.float64)
    if values.ndim != 1:
        raise UsageError(f"The series must have one axis, and has the shape {values.shape}. Hand over one number a step.")
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        step = int(wrong[0])
        return _made(
            "divergent", {"step": step}, (Evidence("first step that is not finite", float(step), None, "steps", name_ja="有限でない最初のステップ"),), 1.0
        )
    if values.size < LEAST_STEPS:
        return _made("unsure", {"needs": LEAST_STEPS, "has": int(values.size)}, (), 0.0)
    if is_constant(values):
        return _made("dead", {"value": float(values[-1])}, (_evidence("range", "変動幅", float(np.ptp(values)), 0.0),), 1.0)
    if runs_away(values):
        return _made("divergent", {}, (_evidence("range", "変動幅", float(np.ptp(values))),), 0.95)
    return _settled(values) or _of(sustained_regime(sustained_part(values)), values)


def sustained_part(values: Floats) -> Floats:
    """Return the series without its first third (its transient), at most the last 14 000 steps."""
    return values[values.size // 3 :][-LONGEST:]


def thinned(values: Floats) -> Floats:
    """Return every k-th value of a densely sampled signal, so that its decorrelation time is about six steps; at least 120 values if there are as many."""
    stride = min(decorrelation_time(values) // DENSE, values.size // 120)
    return values[:: max(stride, 1)][-MOST_STEPS:]


def _settled(values: Floats) -> Regime | None:
    """Return convergence or transient chaos, if the series came to rest, else ``None``."""
    head = unsettled_head(values) if values.size >= 120 else None
    if head is not None and head.steps >= max(LEAST_STEPS, values.size // 7) and not dies_away(values[: head.steps]):
        before = sustained_regime(values[: int(0.95 * head.steps)][-LONGEST:])
        if before.label in ("chaos", "intermittent"):
            evidence = (_evidence("chaotic steps", "カオスのステップ数", float(head.steps)), *before.evidence)
            return _made("transient_chaos", {"steps": head.steps, **({"period": head.period} if head.period > 1 else {})}, evidence, before.confidence)
    if dies_away(values) or is_constant(values[-values.size // 4 :]):
        return _made(
            "convergent", {"value": float(values[-1])}, (_evidence("last range over whole range", "終盤の変動幅の比", _last_range(values), 0.6),), 0.95
        )
    return None


def _last_range(values: Floats) -> float:
    return float(np.ptp(values[-max(values.size // 12, 2) :]) / np.ptp(values))


def _of(found: Sustained, values: Floats) -> Regime:
    """Return the regime, after asking whether what looks like noise is the noise on a convergence."""
    if found.label in ("noise", "unsure"):
        travelled = travel(values)
        if travelled.ratio < OBSERVATION and travelled.slowing < SLOWING:
            evidence = _evidence("noise over the way travelled", "移動距離に対する雑音", travelled.ratio, OBSERVATION)
            return _made("convergent", {"value": float(np.median(values[-values.size // 10 :]))}, (evidence,), 0.8)
    return _made(found.label, found.parameters, found.evidence, found.confidence)


def sustained_regime(values: Floats) -> Sustained:
    """Return the label of a series without its transient: periodic, quasi-periodic, intermittent, chaos, noise or unsure."""
    values = (values - values.mean()) / max(float(np.std(values)), 1e-300)
    returned = period(values)
    if returned is not None and not _residual_is_ruled(values, returned):
        evidence = _evidence("mismatch after a period", "一周期後のずれ", returned.mismatch, 0.05)
        return Sustained("periodic", {"period": _finer(values, returned)}, (evidence,), 0.95)
    sparse = thinned(values)
    ruled = determinism(sparse)
    parting = neighbour_divergence(sparse, dimension=3, delay=max((ruled.horizon + 1) // 2, 1))
    oscillation = _oscillation(values, sparse, ruled, parting)
    if oscillation is not None:
        return oscillation
    fast = _fast_rule(values, ruled)
    if fast is not None:
        sparse, ruled = values[-MOST_STEPS:], fast
        parting = neighbour_divergence(sparse, dimension=3, delay=1)
    return _irregular(values, sparse, ruled, parting)


def _fast_rule(values: Floats, ruled: Determinism) -> Determinism | None:
    """Return the rule from one step to the next of a series that is slow and fast at once, as a map that hops between two bands: its slow part sets the
    decorrelation time, over which the rule is long forgotten. ``None`` where there is no such rule, or no need of it.
    """
    if is_clearly_ruled(ruled) or decorrelation_time(values) == 1 or turning_rate(values) < FAST:
        return None
    found = determinism(values[-MOST_STEPS:], horizon=1)
    return found if found.ratio < CLEARLY_RULED and found.slope > LEAST_SLOPE else None


def is_clearly_ruled(ruled: Determinism) -> bool:
    """Return whether a nonlinear rule leaves no doubt: a large margin at the decorrelation time or one step ahead, or a clear one and images that follow."""
    is_near_enough = ruled.near < (CLEARLY_RULED if ruled.slope > LEAST_SLOPE else CLEARLY_RULED / 3 if ruled.slope > 0.0 else 0.0)
    return ruled.ratio < CLEARLY_RULED or is_near_enough  # a slope of 0: neighbours coincide (a few values only), and nothing says where they go


def _finer(values: Floats, returned: Period) -> float:
    """Return the period; of a sampled oscillation that returns after several of its periods, one of these, which is no whole number of steps."""
    fundamental = spectral_lines(values).fundamental if returned.steps > 2 * RESOLVED else None
    if fundamental is None or 1 / fundamental < RESOLVED or fundamental * returned.steps < 1.5:
        return returned.steps
    return 1 / fundamental


def _residual_is_ruled(values: Floats, returned: Period) -> bool:
    """Return whether what is left after a period follows a rule itself (narrow chaotic bands) and does not shrink."""
    if returned.mismatch < 1e-9:
        return False
    left = values[returned.steps :] - values[: -returned.steps]
    halves = float(np.std(left[: left.size // 2])), float(np.std(left[left.size // 2 :]))
    if halves[1] < 0.7 * halves[0]:
        return False
    error = best_local(values[-MOST_STEPS:], delay=1, horizon=1, apart=1)[0]
    return bool(error < 0.25 * float(np.std(left)) / np.sqrt(2))


def _oscillation(values: Floats, sparse: Floats, ruled: Determinism, parting: Divergence) -> Sustained | None:
    """Return periodic or quasi-periodic if the far future is as predictable as the near one, and neighbours stay together."""
    horizon = min(max(sparse.size // 8, 4 * ruled.horizon), sparse.size // 3)
    far = linear_prediction_error(sparse, horizon=horizon, delay=ruled.horizon)
    if far > COHERENT:
        far = min(far, best_local(sparse, delay=ruled.horizon, horizon=horizon, apart=2 * ruled.horizon, dimensions=(2, 3, 4))[0])
    keeps = far <= COHERENT and (parting.growth < LEAST_GROWTH or far < 0.03 or far < 4 * min(ruled.local, ruled.linear))
    lines = spectral_lines(values)
    is_lined = 1.0 - lines.isolated < LINED and _locked(lines, values.size) is None
    if not keeps and not is_lined:  # many lines (a strong modulation) are a rule too complicated for either prediction; chaos and noise are broad
        return None
    sizes = ranges(values)
    if lines.frequencies[0] * values.size < LEAST_CYCLES or (lines.background > BROAD and sizes.min() < 0.6 * sizes.max()):
        return None
    evidence = (
        _evidence("error far ahead", "遠い将来の予測誤差", far, COHERENT),
        _evidence("growth between neighbours", "近傍の広がり", parting.growth, LEAST_GROWTH, "e-foldings"),
        _evidence("variance outside the lines", "線スペクトル外の分散", lines.background),
    )
    locked = _locked(lines, values.size)
    if locked is not None:
        return Sustained("periodic", {"period": locked}, evidence, 0.9)
    if lines.fundamental is not None and 1 / lines.fundamental >= RESOLVED:
        return Sustained("periodic", {"period": 1 / lines.fundamental}, evidence, 0.9)
    return Sustained("quasi_periodic", {"frequencies": _independent(lines)}, evidence, 0.85)


def _locked(lines: Lines, n: int) -> int | None:
    """Return the smallest whole number of steps of which all strong lines are harmonics, folded back or not."""
    strong = lines.frequencies[lines.shares > 1e-4]
    for steps in range(2, min(16, n // 40) + 1):
        if np.all(np.abs(strong * steps - np.round(strong * steps)) < 0.1 * steps / n):
            return steps
    return None


def _independent(lines: Lines) -> list[float]:
    """Return the strongest frequencies that are no multiple of a stronger one."""
    kept: list[float] = []
    for frequency in lines.frequencies[:6]:
        if all(abs(frequency / other - round(frequency / other)) > 1e-3 for other in kept) and len(kept) < 3:
            kept.append(float(frequency))
    return kept


def _irregular(values: Floats, sparse: Floats, ruled: Determinism, parting: Divergence) -> Sustained:
    """Return chaos, intermittent, noise or unsure."""
    evidence = [
        _evidence("local over linear prediction error", "局所予測と線形予測の誤差比", ruled.ratio, MAYBE_RULED),
        _evidence("exponent of the images of neighbours", "近傍の像の指数", ruled.slope, LEAST_SLOPE),
        _evidence("growth between neighbours", "近傍の広がり", parting.growth, LEAST_GROWTH, "e-foldings"),
    ]
    is_clear = is_clearly_ruled(ruled)
    if not is_clear and not (ruled.ratio < MAYBE_RULED and ruled.slope > LEAST_SLOPE):
        if ruled.linear < COHERENT and turns(values) < LEAST_CYCLES:  # smooth, and too little of it was seen
            return Sustained("unsure", {}, tuple(evidence), 0.3)
        return Sustained("noise", {}, tuple(evidence), 0.9 if ruled.ratio > 0.9 else 0.7)
    tested = determinism(sparse, surrogates=N_SURROGATES, horizon=ruled.horizon)
    evidence.append(_evidence("share of surrogates predicted as well", "同程度に予測できる代替データの割合", tested.rank, 0.05))
    if tested.rank > 0.05:
        return Sustained("noise", {}, tuple(evidence), 0.6)
    phases = laminar_phases(values) if values.size >= LEAST_STEPS else None  # the sustained part of a short series is shorter still
    if phases is not None and phases.share >= LAMINAR_SHARE and phases.lengths.size >= 2:
        return Sustained("intermittent", _laminar(phases), (*evidence, _evidence("laminar share", "層流の割合", phases.share, LAMINAR_SHARE)), 0.85)
    if parting.growth < LEAST_GROWTH:
        return Sustained("unsure", {}, tuple(evidence), 0.3)
    return Sustained("chaos", {}, tuple(evidence), 0.95 if is_clear else 0.75)


def turns(values: Floats) -> int:
    """Return how often a series crosses its mean upwards."""
    above = values > values.mean()
    return int(np.sum(~above[:-1] & above[1:]))


def _laminar(phases: LaminarPhases) -> dict[str, Any]:
    return {"laminar_share": phases.share, "mean_laminar_length": phases.mean_length, "laminar_period": phases.period, "bursts": phases.n_bursts}


def _evidence(name: str, name_ja: str, value: float, limit: float | None = None, unit: str = "") -> Evidence:
    return Evidence(name, float(value), limit, unit, "docs/signals.md", name_ja)


def _made(label: RegimeLabel, parameters: dict[str, Any], evidence: tuple[Evidence, ...], confidence: float) -> Regime:
    return Regime(label, sentence(label, parameters), evidence, parameters, confidence)
