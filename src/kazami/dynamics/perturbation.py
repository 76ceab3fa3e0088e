"""The finite-perturbation exponent of a training: twin runs from a small but finite distance, as the literature on training dynamics measures it."""

import math
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..maps import AbstractMap, Part, Training, TrainingMap
from ..records.estimate import Estimate, Outcome, Remark
from .source import as_map, must_be_count, must_be_deterministic

Floats = NDArray[np.float64]
Fit = tuple[float, float, tuple[int, int]]  # slope, R², window

MEMBERS_AT_ONCE = 512
NEAR_SATURATION = 0.1  # of the largest distance reached: from there on growth is bent by the attractor's size
APART = 97  # steps between starts along the orbit of a map that has no initialisations


def finite_perturbation_exponent(
    m: AbstractMap | Training,
    epsilon: float = 1e-8,
    *,
    initialisations: int = 20,
    replicas: int = 5,
    steps: int = 200,
    part: Part = "weights",
    starts: Sequence[int] = tuple(range(0, 101, 5)),
    widths: Sequence[int] = tuple(range(30, 101, 5)),
    least_r2: float = 0.9,
    least_exponent: float = 0.05,
    seed: int = 0,
) -> Estimate:
    r"""Return the exponent of twin runs, :math:`\Lambda`, averaged over the initialisations that show exponential growth.

    Per initialisation: ``replicas`` twins are moved by a uniform number in :math:`(-\epsilon, \epsilon)` in each weight; :math:`d(t) = \sum_i |w_i - w_i'|`,
    averaged over
    the twins; :math:`\ln d = \Lambda t + c` is fitted in every window, and the window with the largest :math:`R^2` is kept, if :math:`R^2` and
    :math:`\Lambda` are above
    their limits.

    Args:
        m: A `Training` or its map (initialisations are seeds), or another map (initialisations are states along its orbit, 97 steps apart).
        epsilon: Largest perturbation of one weight.
        initialisations: How many.
        replicas: Twins of each.
        steps: Length of every run.
        part: What is perturbed; the distance is taken over all parameters.
        starts: First steps of the windows.
        widths: Lengths of the windows, in steps.
        least_r2: Smallest :math:`R^2` kept.
        least_exponent: Smallest :math:`\Lambda` kept, per step.
        seed: Of the perturbations; initialisations are ``seed``, ``seed + 1`` and so on.

    Returns:
        An `Estimate`: ``value`` the mean of the kept, ``uncertainty`` its standard error, ``local`` the mean growth of :math:`\ln d` in each step over the
        kept.
        ``details``: ``kept_fraction``, ``spread`` (standard deviation of the kept, the error bar in the literature), ``r2``, ``exponents`` and ``windows``
        of every
        initialisation, ``null_kept_fraction`` (the same with each :math:`d(t)` shuffled in time), ``saturated_fraction``, ``distances``.

    Limits:
        It depends on ``epsilon`` (the tangent exponent does not), can never be at or below ``least_exponent``, and speaks of the kept initialisations only.

    References:
        Danovski, Soriano and Lacasa 2024 (arXiv 2404.05782).

    Example:
        >>> from kazami.maps import Logistic
        >>> found = finite_perturbation_exponent(Logistic(), 1e-14, steps=60, starts=range(0, 6), widths=range(25, 36, 5))
        >>> abs(found.value - math.log(2)) < 0.05, found.details["null_kept_fraction"]
        (True, 0.0)
    """
    given = as_map(m)
    must_be_count("initialisations", initialisations, 1)
    must_be_count("replicas", replicas, 1)
    must_be_deterministic(given)
    first = _first_states(given, initialisations, seed)
    distances = _distances(given, first, epsilon, replicas, steps, part, seed)
    windows = [(begin, width) for begin in starts for width in widths if begin + width <= steps]
    if not windows:
        raise ValueError(f"At least one window should fit into {steps} steps, but the shortest ends at {min(starts) + min(widths)}. Ask for more steps.")
    fits = [best_window(curve, windows) for curve in distances]
    shuffled = [best_window(curve, windows) for curve in np.random.default_rng(seed).permuted(distances, axis=1)]
    kept, null = (np.array([r2 > least_r2 and slope > least_exponent for slope, r2, _ in tried]) for tried in (fits, shuffled))
    details = {**_details(distances, fits, kept), "epsilon": epsilon, "null_kept_fraction": float(null.mean())}
    return _estimate(given, details, details["exponents"][kept], distances[kept], steps)


def _details(distances: Floats, fits: Sequence[Fit], kept: NDArray[np.bool_]) -> dict[str, Any]:
    exponents = np.array([slope for slope, _, _ in fits])
    bent = [_is_bent(curve, window) for curve, (_, _, window), is_kept in zip(distances, fits, kept, strict=True) if is_kept]
    return {
        "kept_fraction": float(kept.mean()),
        "spread": float(exponents[kept].std(ddof=1)) if kept.sum() > 1 else math.nan,
        "saturated_fraction": float(np.mean(bent)) if bent else math.nan,
        "exponents": exponents,
        "r2": np.array([r2 for _, r2, _ in fits]),
        "windows": [window for _, _, window in fits],
        "distances": distances,
    }


def best_window(curve: Floats, windows: Sequence[tuple[int, int]]) -> Fit:
    r"""Return slope, :math:`R^2` and window of the straight line that fits :math:`\ln d` best.

    Args:
        curve: :math:`d(t)`, shape ``(steps + 1,)``.
        windows: First step and width of each; both ends are included.

    Returns:
        NaN, 0 and the first window where no window holds only positive finite distances.
    """
    best = (math.nan, 0.0, windows[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(curve)
    for begin, width in windows:
        y = logs[begin : begin + width + 1]
        if not np.isfinite(y).all():
            continue
        x = np.arange(len(y), dtype=float) - 0.5 * (len(y) - 1)
        off = y - y.mean()
        total = float(off @ off)
        if not total > 0.0:
            continue
        slope = float(x @ off) / float(x @ x)
        r2 = slope * float(x @ off) / total
        best = (slope, r2, (begin, width)) if r2 > best[1] else best
    return best


def _first_states(m: AbstractMap, count: int, seed: int) -> Tensor:
    if isinstance(m, TrainingMap):
        return torch.stack([m.fresh_state(seed + number) for number in range(count)])
    state, states = m.current_state(), []
    for number in range(count * APART):
        if number % APART == 0:
            states.append(state)
        state = m.advance(state, m.time + number)
    return torch.stack(states)


def _distances(m: AbstractMap, first: Tensor, epsilon: float, replicas: int, steps: int, part: Part, seed: int) -> Floats:
    """Return the mean distance of the twins from their reference, shape ``(initialisations, steps + 1)``."""
    touched, measured = m.coordinates(part).to(first.device), m.coordinates("parameters").to(first.device)
    generator = torch.Generator().manual_seed(seed)
    found = np.empty((len(first), steps + 1))
    group = max(1, MEMBERS_AT_ONCE // (replicas + 1))
    for begin in range(0, len(first), group):
        references = first[begin : begin + group]
        noise = (torch.rand(len(references), replicas, m.dimension, generator=generator, dtype=torch.float64) * 2.0 - 1.0) * epsilon
        twins = references[:, None] + noise.to(references) * touched
        states = torch.cat([references[:, None], twins], dim=1).reshape(-1, m.dimension)
        for time in range(steps + 1):
            grouped = states.reshape(len(references), replicas + 1, -1)[..., measured]
            apart = (grouped[:, 1:] - grouped[:, :1]).abs().sum(dim=-1).mean(dim=-1)
            found[begin : begin + len(references), time] = apart.cpu().numpy()
            states = m.advance_many(states, time) if time < steps else states
    return found


def _is_bent(curve: Floats, window: tuple[int, int]) -> bool:
    finite = curve[np.isfinite(curve)]
    return bool(curve[window[0] : window[0] + window[1] + 1].max() > NEAR_SATURATION * np.median(finite[-max(1, len(finite) // 10) :]))


def _estimate(m: AbstractMap, details: dict[str, Any], slopes: Floats, kept: Floats, steps: int) -> Estimate:
    with np.errstate(divide="ignore", invalid="ignore"):
        local = np.diff(np.log(kept), axis=1).mean(axis=0) if len(kept) else np.full(steps, np.nan)
    return Estimate(
        name="finite-perturbation exponent",
        value=float(slopes.mean()) if len(slopes) else math.nan,
        uncertainty=float(slopes.std(ddof=1) / math.sqrt(len(slopes))) if len(slopes) > 1 else math.nan,
        local=local,
        steps=steps,
        time_per_step=m.time_per_step,
        outcome=Outcome.COMPLETE,
        conditions=m.notes,
        warnings=tuple(_warnings(details)),
        details=MappingProxyType(details),
    )


def _warnings(details: dict[str, Any]) -> list[Remark]:
    kept, bent, null = (float(details[name]) for name in ("kept_fraction", "saturated_fraction", "null_kept_fraction"))
    said = []
    if kept == 0.0:
        text = "No initialisation shows exponential growth in any window: there is no exponent of this kind to report."
        said.append(Remark(text, "どの初期値でも指数的な成長が見られず、この種の指数は定まらない。"))
    elif kept < 1.0:
        text = f"The mean is over the {100 * kept:.0f} % of initialisations that show exponential growth; it says nothing about the others."
        said.append(Remark(text, f"平均は指数的に成長した{100 * kept:.0f}％の初期値だけについてのもの。"))
    if bent > 0.5:
        text = (
            f"In {100 * bent:.0f} % of the fits the distance comes within a tenth of its saturation: the exponent is too small. Take a smaller epsilon, "
            "or the tangent exponent (kazami.max_lyapunov), which does not saturate."
        )
        said.append(
            Remark(text, f"{100 * bent:.0f}％の当てはめで距離が飽和に近づき、指数は小さく出ている。εを小さくするか、飽和しない接ベクトルの指数を使う。")
        )
    if null > 0.05:
        said.append(
            Remark(
                f"Shuffled in time, {100 * null:.0f} % would be kept too: the windows are too short to mean anything.", "時間を並べ替えても残る。窓が短すぎる。"
            )
        )
    return said
