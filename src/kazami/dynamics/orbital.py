"""Orbital stability: do trainings that start close by stay close by?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..maps import AbstractMap, Part, Training
from ..records.estimate import Remark
from .source import as_map, must_be_count, must_be_deterministic

Floats = NDArray[np.float64]
Verdict = Literal["stable", "asymptotically_stable", "unstable", "exponentially_unstable", "divergent"]

N_SAMPLES = 200
VANISHED = 0.01  # of the first distance
EXPONENTIAL = math.log(100.0)  # growth that a straight line in ln d must explain before it is called exponential


@dataclass(frozen=True, slots=True)
class OrbitalStability:
    r"""How far replicas of a training drift from their reference.

    Attributes:
        epsilons: Largest perturbation of one coordinate, one per row below.
        steps: Step numbers of the samples.
        distances: :math:`d(t) / (\epsilon N)`, the mean over the replicas, shape ``(epsilons, samples)``: it begins near 1/2, and 1 is the edge of the ball
            started in.
        left_ball: For each epsilon the fraction of replicas that were outside that ball at some sample.
        growth: For each epsilon the slope of :math:`\ln d` over the second half, per step.
        is_exponential: For each epsilon whether a straight line in :math:`\ln d` against the step explains a more than hundredfold growth better than a
            power law.
        spread: Largest ratio of two epsilons' normalised distances at the same step: near 1 the curves collapse, so that the drift is linear in epsilon.
        displacement: How far the reference itself went, :math:`\lVert w(T) - w(0) \rVert_1 / \lVert w(0) \rVert_1`.
        verdict: ``"asymptotically_stable"`` (distances vanish in the end), ``"stable"`` (no replica leaves its ball), ``"unstable"`` (some leave, not
            exponentially), ``"exponentially_unstable"``, ``"divergent"`` (a state was no longer finite).
        warnings: What may be wrong with it.
    """

    epsilons: tuple[float, ...]
    steps: NDArray[np.int64]
    distances: Floats
    left_ball: Floats
    growth: Floats
    is_exponential: tuple[bool, ...]
    spread: float
    displacement: float
    verdict: Verdict
    warnings: tuple[Remark, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON; what is not finite becomes ``None``."""
        rows = {name: _plain(getattr(self, name).tolist()) for name in ("steps", "distances", "left_ball", "growth")}
        numbers = {"spread": _plain(self.spread), "displacement": _plain(self.displacement)}
        said = {"verdict": self.verdict, "warnings": [str(text) for text in self.warnings]}
        return {"epsilons": list(self.epsilons), **rows, "is_exponential": list(self.is_exponential), **numbers, **said}


def orbital_stability(
    m: AbstractMap | Training,
    epsilons: Sequence[float] = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4),
    *,
    replicas: int = 20,
    steps: int = 5000,
    part: Part = "weights",
    seed: int = 0,
) -> OrbitalStability:
    r"""Return whether replicas started within :math:`\epsilon` of the map's current state stay within :math:`\epsilon` of its orbit.

    Each replica is moved by a uniform number in :math:`(-\epsilon, \epsilon)` in each of the :math:`N` coordinates of ``part``; the distance is
    :math:`d(t) = \sum_i |w_i - w_i'|` over all parameters.

    Args:
        m: A map, or a `Training`.
        epsilons: Sizes of the perturbation.
        replicas: For each size; the same directions for all sizes, so that only the size differs.
        steps: Length of the runs.
        part: What is perturbed.
        seed: Of the perturbations.

    Raises:
        UsageError: The map is not deterministic.

    Limits:
        A statement about these steps and these replicas, not for all time. Sizes near the rounding of the weights measure rounding (a warning says so).

    References:
        Danovski, Soriano and Lacasa 2024 (arXiv 2404.05782), section 3.

    Example:
        >>> from kazami.maps import CubicDescent
        >>> orbital_stability(CubicDescent(a=0.7), [1e-8], replicas=3, steps=200).verdict
        'asymptotically_stable'
    """
    given = as_map(m)
    must_be_count("replicas", replicas, 1)
    must_be_count("steps", steps, 4)
    must_be_deterministic(given)
    sizes = tuple(float(epsilon) for epsilon in epsilons)
    if not sizes or min(sizes) <= 0.0:
        raise ValueError(f"epsilons should be positive numbers, but they are {list(sizes)}.")
    sampled, apart, path = _followed(given, sizes, replicas, steps, part, seed)
    n_touched = int(given.coordinates(part).sum())
    scaled = apart / (np.array(sizes)[:, None, None] * n_touched)  # (epsilons, replicas, samples)
    mean = scaled.mean(axis=1)
    left = (scaled > 1.0).any(axis=2).mean(axis=1)
    fits = [_growth(sampled, curve) for curve in mean]
    exponential = tuple(is_exponential for _, is_exponential in fits)
    return OrbitalStability(
        epsilons=sizes,
        steps=sampled,
        distances=mean,
        left_ball=left,
        growth=np.array([slope for slope, _ in fits]),
        is_exponential=exponential,
        spread=_spread(mean),
        displacement=float((path[-1] - path[0]).abs().sum() / path[0].abs().sum()),
        verdict=_verdict(mean, left, exponential),
        warnings=tuple(_warnings(sizes, path[0], mean)),
    )


def _followed(m: AbstractMap, sizes: tuple[float, ...], replicas: int, steps: int, part: Part, seed: int) -> tuple[NDArray[np.int64], Floats, list[Tensor]]:
    """Return the sampled steps, the distances of shape ``(epsilons, replicas, samples)``, and the reference's first and last parameters."""
    reference = m.current_state()
    touched, measured = m.coordinates(part).to(reference.device), m.coordinates("parameters").to(reference.device)
    generator = torch.Generator().manual_seed(seed)
    noise = (torch.rand(replicas, m.dimension, generator=generator, dtype=torch.float64) * 2.0 - 1.0).to(reference) * touched
    moved = [reference + epsilon * noise for epsilon in sizes]
    states = torch.cat([reference[None], *moved])
    sampled = np.unique(np.concatenate([[0], np.geomspace(1, steps, N_SAMPLES // 2), np.linspace(1, steps, N_SAMPLES // 2)]).round().astype(np.int64))
    found, path = np.empty((len(sizes), replicas, len(sampled))), [reference[measured]]
    place = 0
    for time in range(steps + 1):
        if time == sampled[place]:
            apart = (states[1:, measured] - states[0, measured]).abs().sum(dim=1)
            found[:, :, place] = apart.reshape(len(sizes), replicas).cpu().numpy()
            place += 1
        states = m.advance_many(states, m.time + time) if time < steps else states
    return sampled, found, [*path, states[0, measured]]


def _growth(sampled: NDArray[np.int64], curve: Floats) -> tuple[float, bool]:
    """Return the slope of ln d over the second half, and whether growth over the whole is exponential rather than a power law."""
    positive = np.isfinite(curve) & (curve > 0.0) & (sampled > 0)
    late = positive & (sampled >= sampled[-1] // 2)
    if late.sum() < 3:
        return math.nan, False
    slope = float(np.polyfit(sampled[late], np.log(curve[late]), 1)[0])
    largest = float(np.where(positive, curve, 0.0).max())
    until = int(np.argmax(np.where(positive, curve, 0.0) >= 0.1 * largest))  # from there on it is bent by saturation
    rising = positive & (np.arange(len(curve)) <= until)
    grown = math.log(largest / curve[0]) if curve[0] > 0.0 else 0.0
    if grown < EXPONENTIAL or rising.sum() < 5:
        return slope, False
    logs = np.log(curve[rising])
    straight = np.corrcoef(sampled[rising], logs)[0, 1]
    power = np.corrcoef(np.log(sampled[rising]), logs)[0, 1]
    return slope, bool(straight > power)


def _spread(mean: Floats) -> float:
    usable = mean[:, np.isfinite(mean).all(axis=0) & (mean > 0.0).all(axis=0)]
    return float((usable.max(axis=0) / usable.min(axis=0)).max()) if usable.size else math.nan


def _verdict(mean: Floats, left: Floats, exponential: tuple[bool, ...]) -> Verdict:
    if not np.isfinite(mean).all():
        return "divergent"
    if (mean[:, -1] < VANISHED * mean[:, 0]).all():
        return "asymptotically_stable"
    if any(exponential):
        return "exponentially_unstable"
    return "unstable" if (left > 0.0).any() else "stable"


def _warnings(sizes: tuple[float, ...], reference: Tensor, mean: Floats) -> list[Remark]:
    said = []
    floor = 100.0 * float(torch.finfo(reference.dtype).eps * reference.abs().max())
    if min(sizes) < floor:
        text = f"Perturbations below {floor:.0e} are near the rounding of the weights: what grows there may be rounding."
        said.append(Remark(text, f"{floor:.0e}より小さい摂動は重みの丸めに近く、丸め誤差の成長かもしれない。"))
    if not np.isfinite(mean).all():
        said.append(Remark("A state was no longer finite; distances from there on are missing.", "状態が有限でなくなり、それ以降の距離は欠けている。"))
    return said


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
