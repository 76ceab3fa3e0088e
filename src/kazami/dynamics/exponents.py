"""Lyapunov exponents by tangent vectors: the largest, and the first k."""

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import UsageError
from ..maps import AbstractMap, Training
from ..records.estimate import Estimate, Outcome, Remark
from .growth import ALIGNMENT, Growth, Progress, tangent_growth
from .source import as_map, must_be_count, must_be_deterministic, must_fit
from .uncertainty import standard_error

Floats = NDArray[np.float64]

LARGEST_CHECKED = 400  # up to this dimension whole Jacobians are made at a few steps, for the sum rule
FEW_STEPS = 100


def max_lyapunov(
    m: AbstractMap | Training, steps: int = 2000, *, transient: int = 0, seed: int = 0, progress: Progress | None = None, keeps_partial: bool = False
) -> Estimate:
    r"""Return the largest Lyapunov exponent of a map along the orbit from its current state.

    .. math:: \lambda = \frac{1}{T} \sum_{t} \ln \frac{\lVert J_t v_t \rVert}{\lVert v_t \rVert}, \qquad v_{t+1} = J_t v_t / \lVert J_t v_t \rVert

    with the Jacobians :math:`J_t` of the steps, never differences of twin runs. The map stays where it is.

    Args:
        m: A map, or a `Training` (which becomes its `TrainingMap`, at its first step).
        steps: Number of steps :math:`T` that count.
        transient: Number of steps before them.
        seed: Of the first tangent vector.
        progress: Called with the number of steps taken.
        keeps_partial: Whether Ctrl-C, once a step counts, ends the measurement and keeps it (``outcome`` says so) instead of raising KeyboardInterrupt.

    Returns:
        An `Estimate`: ``value`` per step, one standard error, ``local`` values :math:`\lambda(t)`, ``convergence``, ``conditions`` and ``warnings``.

    Raises:
        UsageError: The map is not deterministic; fewer than one step.

    Limits:
        A finite-time number: while a training still learns it is no asymptotic exponent, and says so in ``warnings``. Positive means that nearby states part
        along this orbit; by itself it is no proof of chaos (a saddle passed does the same for a while; see :func:`~kazami.dynamics.phases.growth_phase`).

    References:
        Benettin, Galgani, Giorgilli and Strelcyn 1980.

    Example:
        >>> from kazami.maps import Logistic
        >>> abs(max_lyapunov(Logistic(), steps=100_000, transient=100).value - math.log(2)) < 1e-3
        True
    """
    return _estimated("largest Lyapunov exponent", as_map(m), 1, Span(steps, transient, seed, keeps_partial), progress, is_spectrum=False)


def lyapunov_spectrum(
    m: AbstractMap | Training,
    k: int | None = None,
    *,
    steps: int = 2000,
    transient: int = 0,
    seed: int = 0,
    progress: Progress | None = None,
    keeps_partial: bool = False,
) -> Estimate:
    r"""Return the first ``k`` Lyapunov exponents along the orbit from the map's current state, largest first.

    Tangent vectors :math:`Q_t` are carried and made orthonormal again in each step, :math:`J_t Q_t = Q_{t+1} R_{t+1}`; then
    :math:`\lambda_i = \frac1T \sum_t \ln |R_{ii}|`.

    Args:
        m: A map, or a `Training`.
        k: How many; all of them if not given.
        steps: Number of steps that count.
        transient: Number of steps before them.
        seed: Of the first directions.
        progress: Called with the number of steps taken.
        keeps_partial: Whether Ctrl-C, once a step counts, ends the measurement and keeps it (``outcome`` says so) instead of raising KeyboardInterrupt.

    Returns:
        An `Estimate` with ``value``, ``uncertainty`` of shape ``(k,)`` and ``local`` of shape ``(steps, k)``. ``details``: ``kaplan_yorke`` (NaN where ``k``
        exponents
        do not reach it), ``sum``, and with all exponents ``log_determinant``, the mean of :math:`\ln |\det J_t|` which must equal the sum, and their
        ``sum_rule_gap``.

    Raises:
        UsageError: The map is not deterministic; ``k`` directions do not fit into memory; ``k`` is not between 1 and the dimension.

    References:
        Benettin et al. 1980; Kaplan and Yorke 1979.

    Example:
        >>> from kazami.maps import Henon
        >>> found = lyapunov_spectrum(Henon(), steps=20_000, transient=100)
        >>> bool(np.allclose(found.value, [0.4192, -1.6231], atol=0.01)), bool(abs(found.value.sum() - math.log(0.3)) < 1e-9)
        (True, True)
    """
    given = as_map(m)
    count = given.dimension if k is None else k
    if not 1 <= count <= given.dimension:
        raise UsageError(f"k should be between 1 and the dimension of the phase space, {given.dimension}, but it is {count}.")
    return _estimated("Lyapunov spectrum", given, count, Span(steps, transient, seed, keeps_partial), progress, is_spectrum=True)


def kaplan_yorke(exponents: Floats, *, is_whole: bool = True) -> float:
    r"""Return the Kaplan–Yorke dimension :math:`j + \sum_{i \le j} \lambda_i / |\lambda_{j+1}|`, with :math:`j` the last place where the partial sum is not
    negative.

    Args:
        exponents: Largest first, shape ``(k,)``.
        is_whole: Whether these are all; if not, and no partial sum is negative, the answer is NaN.

    Returns:
        0 where the first is negative already; the number of exponents where the sum of all is not negative.

    Example:
        >>> kaplan_yorke(np.array([1.0, -2.0]))
        1.5
    """
    sums = np.cumsum(np.sort(np.asarray(exponents, dtype=float))[::-1])
    ordered = np.sort(np.asarray(exponents, dtype=float))[::-1]
    if np.isnan(sums).any():
        return math.nan
    if (sums >= 0.0).all():
        return float(len(sums)) if is_whole else math.nan
    place = int(np.argmax(sums < 0.0))
    return place + (float(sums[place - 1]) if place else 0.0) / abs(float(ordered[place]))


@dataclass(frozen=True, slots=True)
class Span:
    """What part of an orbit is measured, and how: the arguments that both estimators have in common."""

    steps: int
    transient: int
    seed: int
    keeps_partial: bool


def _estimated(name: str, m: AbstractMap, k: int, span: Span, progress: Progress | None, *, is_spectrum: bool) -> Estimate:
    steps, transient = span.steps, span.transient
    must_be_count("steps", steps, 1)
    must_be_count("transient", transient, 0)
    must_fit(m, k, name, "Ask for fewer exponents, or for kazami.max_lyapunov, which needs one vector.")
    must_be_deterministic(m)
    growth = tangent_growth(m, k, steps=steps, transient=transient, seed=span.seed, progress=progress, keeps_partial=span.keeps_partial)
    taken = len(growth.local)
    value = growth.local.mean(axis=0) if taken else np.full(k, np.nan)
    error = np.array([standard_error(column) for column in growth.local.T])
    if is_spectrum:
        order = np.argsort(-value, kind="stable")
        value, error, local = value[order], error[order], growth.local[:, order]
    else:
        local = growth.local
    details = _details(m, growth, value, transient) if is_spectrum and taken else {}
    return Estimate(
        name=name,
        value=value if is_spectrum else float(value[0]),
        uncertainty=error if is_spectrum else float(error[0]),
        local=local if is_spectrum else local[:, 0],
        steps=taken,
        transient=transient,
        time_per_step=m.time_per_step,
        outcome=growth.outcome,
        stopped_at=growth.stopped_at,
        conditions=(*m.notes, *_conditions(transient)),
        warnings=tuple(_warnings(growth, value, error, steps, details)),
        details=MappingProxyType(details),
    )


def _details(m: AbstractMap, growth: Growth, value: Floats, transient: int) -> dict[str, Any]:
    is_whole = len(value) == m.dimension
    found: dict[str, Any] = {"kaplan_yorke": kaplan_yorke(value, is_whole=is_whole), "sum": float(value.sum())}
    if not is_whole:
        return found
    if growth.log_determinant is not None:
        return {**found, "log_determinant": growth.log_determinant, "sum_rule_gap": abs(found["sum"] - growth.log_determinant)}
    if m.dimension <= LARGEST_CHECKED:
        counted = [(number, state) for number, state in growth.samples if number < len(growth.local)]
        gaps = [abs(_log_determinant(m, state, m.time + transient + number) - float(growth.local[number].sum())) for number, state in counted]
        finite = [gap for gap in gaps if math.isfinite(gap)]
        return {**found, "sum_rule_gap": max(finite) if finite else math.nan}
    return found


def _log_determinant(m: AbstractMap, state: torch.Tensor, time: int) -> float:
    """Return the logarithm of the absolute determinant of the whole Jacobian of one step."""
    _, jacobian = m.advance_tangents(state, torch.eye(m.dimension, dtype=state.dtype, device=state.device), time)
    return float(torch.linalg.slogdet(jacobian)[1])


def _conditions(transient: int) -> list[Remark]:
    if transient >= ALIGNMENT:
        return []
    text = "With so short a transient the first tangent vectors were aligned by repeating the first step's Jacobian."
    return [Remark(text, "助走が短いので、最初の接ベクトルは最初のステップのヤコビ行列を繰り返し掛けて揃えた。")]


def _warnings(growth: Growth, value: Floats, error: Floats, steps: int, details: dict[str, Any]) -> list[Remark]:
    said = []
    taken = len(growth.local)
    if growth.outcome is not Outcome.COMPLETE:
        text = f"{growth.outcome.value} It happened at step {growth.stopped_at}; {taken} of {steps} steps count."
        what = "中断された" if growth.outcome is Outcome.INTERRUPTED else "値が有限でなくなった"
        said.append(Remark(text, f"ステップ{growth.stopped_at}で{what}。数えたのは{steps}ステップのうち{taken}。"))
    if taken < FEW_STEPS:
        text = f"{taken} steps are too few for an error bar to be trusted; ask for at least {FEW_STEPS}."
        said.append(Remark(text, f"{taken}ステップでは誤差を信頼できない。少なくとも{FEW_STEPS}ステップ必要。"))
    if taken and np.isneginf(growth.local).any():
        text = "At least one step annihilates a direction (superstable): its exponent is minus infinity."
        said.append(Remark(text, "少なくとも一つの方向が一歩で消える（超安定）。その指数は負の無限大。"))
    if taken >= FEW_STEPS and _drifts(growth.local[:, 0]):
        text = "The local exponents drift along the orbit: this is a finite-time number of a transient, not an asymptotic exponent. See growth_phase()."
        said.append(Remark(text, "局所指数が軌道に沿って変化している。これは過渡状態の有限時間の値であり、漸近的な指数ではない。"))
    if taken and math.isfinite(value[0]) and not abs(float(value[0])) > 2.0 * float(error[0]):
        text = "The largest exponent is within two standard errors of zero: its sign is not decided."
        said.append(Remark(text, "最大指数は標準誤差の2倍以内でゼロに近く、符号は決まらない。"))
    gap = details.get("sum_rule_gap", 0.0)
    if gap > 1e-6 * max(1.0, abs(details.get("sum", 0.0))):
        text = f"The sum rule is violated by {gap:.1e} per step: the smallest exponents are lost in rounding, or a tangent is wrong."
        said.append(Remark(text, f"総和則が1ステップあたり{gap:.1e}だけ破れている。最小の指数は丸め誤差に埋もれている。"))
    return said


def _drifts(local: Floats) -> bool:
    """Return whether the first and the last third differ by more than five of their standard errors."""
    if not np.isfinite(local).all():
        return False
    third = len(local) // 3
    first, last = local[:third], local[-third:]
    error = math.hypot(standard_error(first), standard_error(last))
    return bool(abs(first.mean() - last.mean()) > 5.0 * error) if error > 0.0 else bool(abs(first.mean() - last.mean()) > 1e-9)
