"""Which entries of a wrong gradient are wrong: bisection over blocks of entries, then entries one by one."""

import math
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from .loss_bench import LossBench
from .slopes import RATIO, STEPS, Judgement, Line, judge


@dataclass(frozen=True, slots=True)
class Probe:
    """One entry, differentiated both ways.

    Attributes:
        position: Index into the flattened tensor.
        analytic: Backprop's derivative.
        numeric: The numeric derivative.
        uncertainty: Its estimated error.
        is_wrong: Whether they differ by more than can be explained.
        is_random: Whether the entry was chosen at random, and not because it looked suspicious.
    """

    position: int
    analytic: float
    numeric: float
    uncertainty: float
    is_wrong: bool
    is_random: bool = False

    @property
    def difference(self) -> float:
        """Backprop minus numeric."""
        return self.analytic - self.numeric


@dataclass(slots=True)
class Probing:
    r"""Entries of one tensor, differentiated one by one or in blocks.

    The mismatch :math:`m(S) = \langle g, d_S \rangle - \partial_{d_S} C` of a block :math:`S` of entries is additive, so that one measurement tells both halves
    of a block apart, and a single wrong entry among :math:`n` is found with :math:`4 \log_2 n` evaluations.

    Args:
        bench: The loss.
        index: Which of its tensors.
        gradient: What backprop says of it.
        scale: Typical size of an entry: the unit of steps.
        tolerance: As in :func:`.slopes.judge`.
        trusts_scatter: As in :class:`.slopes.Line`.
        digits: Relative precision of the arithmetic.
    """

    bench: LossBench
    index: int
    gradient: Tensor
    scale: float
    tolerance: float
    trusts_scatter: bool
    digits: float
    probes: dict[int, Probe] = field(default_factory=dict)

    def line(self, part: Tensor) -> Line:
        """Return the line along ``part``."""
        return Line(lambda t: self.bench.value_at({self.index: part}, t), self.bench.start, trusts_scatter=self.trusts_scatter, digits=self.digits)

    def probe(self, position: int, *, level: int, size: float, is_random: bool = False) -> Probe:
        """Return entry ``position``; quickly where two step sizes near ``level`` agree with backprop, with all of them where not.

        Args:
            position: Index into the flattened tensor.
            level: A good step for this tensor.
            size: Typical size of a derivative in it, loss per unit of the entry.
            is_random: As in :class:`Probe`.
        """
        if position in self.probes:
            return self.probes[position]
        part = torch.zeros_like(self.gradient)
        part.view(-1)[position] = self.scale
        line, claimed = self.line(part), float(self.gradient.reshape(-1)[position])
        quick = _extrapolated(line, level) / self.scale
        if abs(quick - claimed) <= self.tolerance * max(size, abs(claimed)):
            found = Probe(position, claimed, quick, abs(quick - claimed), is_wrong=False, is_random=is_random)
        else:
            judged = judge(line, claimed * self.scale, size=size * self.scale, tolerance=self.tolerance)
            wrong = judged.agreement == "not_finite" or (judged.agreement == "differs" and not line.is_kinked())
            found = Probe(position, claimed, judged.numeric / self.scale, judged.uncertainty / self.scale, is_wrong=wrong, is_random=is_random)
        self.probes[position] = found
        return found

    def bisect(self, direction: Tensor, judged: Judgement) -> int:
        """Return the position that carries the largest mismatch, as far as halving after halving by the larger mismatch finds it.

        Args:
            direction: The direction in which a mismatch was found; entries where it is 0 are out of the question.
            judged: What was found in it.
        """
        positions = direction.reshape(-1).nonzero().reshape(-1)
        mismatch, noise = judged.difference, self.line(direction).noise
        while positions.numel() > 1:
            left, right = positions.tensor_split(2)
            part = torch.zeros_like(direction)
            part.view(-1)[left] = direction.reshape(-1)[left]
            # The mismatch need only be known well enough to say which half has more of it.
            numeric = sure_slope(self.line(part), judged.level, noise=noise, wanted=abs(mismatch) / 50)
            on_the_left = float((self.gradient * part).double().sum()) - numeric
            on_the_right = mismatch - on_the_left
            takes_left = abs(on_the_left) >= abs(on_the_right)
            positions, mismatch = (left, on_the_left) if takes_left else (right, on_the_right)
        return int(positions[0])

    def suspects(self, n: int, seed: int) -> list[tuple[int, bool]]:
        """Return up to ``n`` positions: half of them those with the largest gradient, the others at random; (position, is random)."""
        flat = self.gradient.reshape(-1)
        sizes = torch.nan_to_num(flat.abs(), nan=math.inf)
        top = sizes.topk(min(n // 2, flat.numel())).indices.tolist()
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randint(flat.numel(), (n - len(top),), generator=generator).tolist()
        return [*((position, False) for position in top), *((position, True) for position in drawn if position not in top)]


def sure_slope(line: Line, level: int, *, noise: float, wanted: float) -> float:
    """Return the slope with an error below ``wanted``, as far as a few steps from ``level`` on to smaller ones allow: kinks near by lose their say there.

    Args:
        line: Where to measure.
        level: A step that is good for lines like this.
        noise: Rounding error of one value.
        wanted: Error that is small enough.
    """
    first = min(max(level - 1, 0), len(STEPS) - 3)
    centrals, best = [line.central(first)], (math.inf, 0.0)
    for k in range(first + 1, len(STEPS)):
        rounding = 3 * noise / STEPS[k]
        if rounding > best[0]:
            break
        centrals.append(line.central(k))
        extrapolated = [(RATIO**2 * fine - coarse) / (RATIO**2 - 1) for coarse, fine in pairwise(centrals)]
        best = min(best, (abs(centrals[-1] - centrals[-2]) + rounding, centrals[-1]))
        if len(extrapolated) > 1:
            best = min(best, (abs(extrapolated[-1] - extrapolated[-2]) + rounding, extrapolated[-1]))
        if best[0] < wanted:
            break
    return best[1] if math.isfinite(best[0]) else centrals[-1]


def _extrapolated(line: Line, level: int) -> float:
    """Return the slope from the steps ``level - 1`` and ``level``, extrapolated to none."""
    level = min(max(level, 1), len(STEPS) - 1)
    return (RATIO**2 * line.central(level) - line.central(level - 1)) / (RATIO**2 - 1)
