"""The work of a gradient check: random directions per parameter first, then kinks told from faults, then the entries at fault."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from .gradcheck_result import ParameterRow, Status
from .locating import Probing
from .loss_bench import Direction, LossBench
from .slopes import QUICK, Judgement, Line, agrees_quickly, error_growth, judge

SMALLEST_SCALE = 1e-2  # a step's unit where a parameter is zero: as large as fresh weights are
EVALUATIONS_PER_PARAMETER = 20  # typical, where all is well
N_LOOKED_INTO = 6  # faulty parameters whose entries are searched; the others are probed at a few entries
N_PROBES = 16  # entries probed in each of them
N_SETTLING = 64  # forward passes after which a power iteration is at rest
SMALL_MISMATCH = 1e-2  # what a state on its way to rest may account for
N_SEARCHES = 3  # directions tried until an entry at fault is found


class Checking:
    """One gradient check under way.

    Args:
        bench: The loss.
        seed: Seeds directions.
        n_directions: Random directions per parameter.
        n_coordinates: Entries probed alone per parameter.
        tolerance: As in :func:`kazami.gradcheck`.
        budget_s: As there.

    Attributes:
        gradient: Backprop's gradient, zeros where it gave none.
        is_none: Where it gave none.
        probings: By parameter index, the entries that were probed alone.
        joint: What a direction through all parameters at once says.
        joint_growth: Error against step size along it.
    """

    def __init__(self, bench: LossBench, *, seed: int, n_directions: int, n_coordinates: int, tolerance: float, budget_s: float) -> None:
        self.bench = bench
        self.seed, self.n_directions, self.n_coordinates, self.tolerance, self.budget_s = seed, n_directions, n_coordinates, tolerance, budget_s
        self._generator = torch.Generator().manual_seed(seed + 1)
        looked = bench.looked
        self.digits = torch.finfo(looked.coarse or bench.dtype).eps
        # Where the loss itself rounds numbers, scatter in its values is the loss; where it casts to fewer digits, scatter is to be expected.
        self.trusts_scatter = looked.coarse is not None or not looked.rounding
        self.probings: dict[int, Probing] = {}
        self._near_by: list[tuple[list[Tensor], list[Tensor]]] | None = None
        self._failed: dict[int, tuple[Judgement, Direction]] = {}
        self._n_looked_into = 0
        self.has_kinks = False

    def take_second(self) -> None:
        """Check second derivatives from now on."""
        self.bench.take_second([self._signs(tensor) for tensor in self.bench.tensors])

    def begin(self) -> None:
        """Take backprop's gradient, and look along all parameters at once."""
        raw = self.bench.gradient()
        self._arrival = list(dict.fromkeys(self.bench.arrived))
        self.is_none = [part is None for part in raw]
        self.gradient = [torch.zeros_like(base) if part is None else part for part, base in zip(raw, self.bench.base, strict=True)]
        self.scales = [max(float(base.double().pow(2).mean().sqrt()), SMALLEST_SCALE) for base in self.bench.base]
        began, before = time.perf_counter(), self.bench.n_evaluations
        everything = self.direction(range(self.bench.n_parameters or len(self.bench.tensors)))
        line = self.line(everything)
        self.joint = judge(line, self.claimed(everything), size=self.size(everything), tolerance=self.tolerance)
        self.joint_direction, self.joint_growth = everything, self.joint.growth
        self.noise = line.noise
        self.seconds_each = (time.perf_counter() - began) / max(1, self.bench.n_evaluations - before)
        self._deadline = began + self.budget_s

    # --- directions ------------------------------------------------------------------------------------------------------------------------------------

    def _signs(self, tensor: Tensor) -> Tensor:
        """Return random signs times random sizes between 0.5 and 1.5: every entry counts, and no two errors cancel by symmetry."""
        sizes = torch.rand(tensor.shape, generator=self._generator, dtype=torch.float64) + 0.5
        signs = torch.randint(2, tensor.shape, generator=self._generator) * 2 - 1
        return (sizes * signs).to(tensor)

    def direction(self, indices: Sequence[int] | range) -> dict[int, Tensor]:
        """Return a random direction through some of the tensors, in units of their typical size."""
        return {index: self._signs(self.bench.base[index]) * self.scales[index] for index in indices}

    def claimed(self, direction: Direction, gradient: Sequence[Tensor] | None = None) -> float:
        """Return backprop's slope along a direction."""
        return math.fsum(float((part * (gradient or self.gradient)[index]).double().sum()) for index, part in direction.items())

    def size(self, direction: Direction) -> float:
        """Return what a slope along directions of this kind is typically like."""
        return math.sqrt(math.fsum(float((part * self.gradient[index]).double().pow(2).sum()) for index, part in direction.items()))

    def line(self, direction: Direction) -> Line:
        """Return the line along a direction."""
        return Line(lambda t: self.bench.value_at(direction, t), self.bench.start, trusts_scatter=self.trusts_scatter, digits=self.digits)

    # --- rows ------------------------------------------------------------------------------------------------------------------------------------------

    def rows(self, progress: Callable[[int, int], None] | None) -> list[ParameterRow]:
        """Return one row per parameter and input; they are tested in groups where one by one would take longer than the budget."""
        n = len(self.bench.tensors)
        needed = n * EVALUATIONS_PER_PARAMETER * self.seconds_each
        group_size = max(1, math.ceil(needed / max(self.budget_s, 1e-9)))
        found: dict[int, ParameterRow] = {}
        for start in range(0, n, group_size):
            group = range(start, min(n, start + group_size))
            found.update(self._group_rows(group))
            if progress is not None:
                progress(group.stop, n)
        ordered = self.in_order_of_arrival([row for row in found.values() if row.is_fault])
        for row in ordered:
            index = self.bench.names.index(row.name)
            found[index] = self._looked_into(index, row)
        return [found[index] for index in range(n)]

    def _group_rows(self, group: range) -> dict[int, ParameterRow]:
        """Test some parameters in one direction; where it does not agree, halve the group, until time is up and a fault has been found."""
        if len(group) == 1:
            return {group.start: self._own_row(group.start)}
        direction = self._balanced(self.direction(group))
        judged = self._judged(direction)
        is_settled = judged.agreement == "agrees" or (self._is_late() and (judged.agreement == "unresolved" or bool(self._failed)))
        if is_settled:
            status: Status = "right" if judged.agreement == "agrees" else "unresolved"
            return {index: replace(self._row(index, status, judged, direction), together=len(group)) for index in group}
        middle = (group.start + group.stop) // 2
        later = self._group_rows(range(middle, group.stop))  # nearer to the loss, where a fault would begin
        return {**self._group_rows(range(group.start, middle)), **later}

    def _is_late(self) -> bool:
        return time.perf_counter() > self._deadline

    def _balanced(self, direction: dict[int, Tensor]) -> dict[int, Tensor]:
        """Shorten the parts of a direction so that no parameter's slope drowns the others'."""
        sizes = {index: self.size({index: part}) for index, part in direction.items()}
        positive = sorted(size for size in sizes.values() if size > 0)
        middle = positive[len(positive) // 2] if positive else 0.0
        return {index: part * (min(1.0, max(1e-3, middle / sizes[index])) if sizes[index] > 0 else 1.0) for index, part in direction.items()}

    def _own_row(self, index: int) -> ParameterRow:
        """Test one parameter alone."""
        judged, direction = self._directions(index)
        if judged.agreement in ("differs", "not_finite"):
            return self._row(index, self._status_of_mismatch(index, judged, direction), judged, direction)
        status: Status = "unresolved" if judged.agreement == "unresolved" else "right"
        if judged.numeric == 0.0 and not bool(self.gradient[index].any()):
            line = self.line(direction)
            is_flat = all(value == line.start for level in (0, *QUICK) for value in line.pair(level))
            status = "unused" if is_flat else "kink" if line.is_kinked() else "right"
        return self._with_probes(index, self._row(index, status, judged, direction))

    def _directions(self, index: int) -> tuple[Judgement, dict[int, Tensor]]:
        """Return the first direction with a mismatch, else the first of all: random ones, then one through the entries where backprop says exactly 0."""
        first: tuple[Judgement, dict[int, Tensor]] | None = None
        directions = [self.direction([index]) for _ in range(self.n_directions)]
        silent = self.gradient[index] == 0
        if bool(silent.any()) and not bool(silent.all()):
            directions.append({index: self.direction([index])[index] * silent})
        for direction in directions:
            judged = self._judged(direction)
            if judged.agreement in ("differs", "not_finite"):
                return judged, direction
            first = first or (judged, direction)
        return first or (self.joint, self.joint_direction)

    def _judged(self, direction: Direction) -> Judgement:
        """Judge quickly where a few steps suffice, with all of them where not."""
        line, claimed, size = self.line(direction), self.claimed(direction), self.size(direction)
        allowed = self.tolerance * max(size, abs(claimed))
        if math.isfinite(claimed) and agrees_quickly(line, claimed, allowed):
            growth = error_growth(line, claimed, QUICK)
            numeric = line.central(QUICK[1])
            return Judgement("agrees", claimed, numeric, abs(numeric - claimed), growth, QUICK[1])
        return judge(line, claimed, size=size, tolerance=self.tolerance)

    def _row(self, index: int, status: Status, judged: Judgement, direction: Direction | None = None) -> ParameterRow:
        typical = max(self.size(direction or {index: self.direction([index])[index]}), abs(judged.claimed), abs(judged.numeric))
        relative = abs(judged.difference) / typical if typical > 0 else (0.0 if judged.difference == 0 else math.nan)
        return ParameterRow(
            self.bench.names[index],
            tuple(self.bench.base[index].shape),
            status,
            analytic=judged.claimed,
            numeric=judged.numeric,
            uncertainty=judged.uncertainty,
            relative_difference=relative,
            growth=judged.growth,
        )

    def _status_of_mismatch(self, index: int, judged: Judgement, direction: Direction) -> Status:
        if not math.isfinite(judged.claimed):
            return "not_finite"
        if self._holds_once_settled(index, judged, direction):
            return "settled"
        is_plain_case = len(self._failed) >= N_LOOKED_INTO and not self.has_kinks
        if not is_plain_case and self._holds_near_by(direction):
            self.has_kinks = True
            return "kink"
        self._failed[index] = (judged, direction)
        return "missing" if self.is_none[index] or not bool(self.gradient[index].any()) else "wrong"

    def _holds_once_settled(self, index: int, judged: Judgement, direction: Direction) -> bool:
        """Tell whether a small mismatch is gone once the model's own state (a power iteration) has come to rest; from then on it stays at rest."""
        if not self.bench.changes_state or abs(judged.difference) > SMALL_MISMATCH * self.size(direction):
            return False
        self.bench.settle(N_SETTLING)
        raw = self.bench.gradient()
        self.gradient = [torch.zeros_like(base) if part is None else part for part, base in zip(raw, self.bench.base, strict=True)]
        self.probings.pop(index, None)
        return self._judged(direction).agreement == "agrees"

    # --- kinks -----------------------------------------------------------------------------------------------------------------------------------------

    def _holds_near_by(self, direction: Direction) -> bool:
        """Tell whether backprop is right along ``direction`` at two sets of weights near by: then only this very point is special."""
        kept = [base.clone() for base in self.bench.base]
        if self._near_by is None:
            self._near_by = [self._moved(kept) for _ in range(2)]
        try:
            return all(self._holds_at(direction, base, gradient) for base, gradient in self._near_by)
        finally:
            self.bench.move_to(kept)

    def _moved(self, kept: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return weights moved by about 1 % of their size, beyond the reach of all but the largest steps, and the gradient there."""
        moved = self._shifted(kept)
        self.bench.move_to(moved)
        raw = self.bench.gradient()
        return moved, [torch.zeros_like(base) if part is None else part for part, base in zip(raw, moved, strict=True)]

    def _shifted(self, kept: list[Tensor]) -> list[Tensor]:
        return [base + 0.01 * self._signs(base) * scale for base, scale in zip(kept, self.scales, strict=True)]

    def _holds_at(self, direction: Direction, base: list[Tensor], gradient: list[Tensor]) -> bool:
        self.bench.move_to(base)
        here, self.gradient = self.gradient, gradient
        try:
            return self._judged(direction).agreement == "agrees"
        finally:
            self.gradient = here

    def stale_rows(self) -> list[ParameterRow]:
        """Return the parameters whose gradient is wrong only once the weights have moved since an earlier pass: something kept from it is used again."""
        kept, here = [base.clone() for base in self.bench.base], self.gradient
        moved = self._shifted(kept)
        try:
            raw, value, fresh = self.bench.gradient_after_another(moved)
            if not math.isclose(value, fresh, rel_tol=1e-9, abs_tol=1e-12):
                return []  # a recurrent state or a running average is part of this loss
            self.gradient = [torch.zeros_like(base) if part is None else part for part, base in zip(raw, moved, strict=True)]
            if self._judged(self.direction(range(len(moved)))).agreement not in ("differs", "not_finite"):
                return []
            found = {index: self._judged(self.direction([index])) for index in range(len(moved))}
            return [self._row(index, "wrong", judged) for index, judged in found.items() if judged.agreement in ("differs", "not_finite")]
        finally:
            self.gradient = here
            self.bench.move_to(kept)

    # --- entries ---------------------------------------------------------------------------------------------------------------------------------------

    def probing(self, index: int) -> Probing:
        """Return the probing of one tensor."""
        if index not in self.probings:
            scale, trusts = self.scales[index], self.trusts_scatter
            self.probings[index] = Probing(self.bench, index, self.gradient[index], scale, self.tolerance, trusts, self.digits)
        return self.probings[index]

    def _with_probes(self, index: int, row: ParameterRow) -> ParameterRow:
        """Probe a few entries of a parameter that looks right."""
        probing, size = self.probing(index), self._entry_size(index)
        for position, is_random in probing.suspects(min(self.n_coordinates, self.gradient[index].numel()), self.seed + index):
            probe = probing.probe(position, level=QUICK[1], size=size, is_random=is_random)
            if probe.is_wrong:
                return self._wrong_entry(index, position)
        return self._with_worst(index, row)

    def _wrong_entry(self, index: int, position: int) -> ParameterRow:
        """Judge one entry that differs although the directions through all entries agreed."""
        part = torch.zeros_like(self.gradient[index])
        part.view(-1)[position] = self.scales[index]
        direction = {index: part}
        judged = judge(self.line(direction), self.claimed(direction), size=self.size(direction), tolerance=self.tolerance)
        return self._row(index, self._status_of_mismatch(index, judged, direction), judged, direction)

    def _looked_into(self, index: int, row: ParameterRow) -> ParameterRow:
        """Find the entry at fault by bisection, and probe others beside it to see the pattern."""
        probing, size = self.probing(index), self._entry_size(index)
        is_searched = self._n_looked_into < N_LOOKED_INTO and (not self._is_late() or self._n_looked_into == 0)
        self._n_looked_into += 1
        if row.status == "not_finite":
            position = int((~torch.isfinite(self.gradient[index])).reshape(-1).nonzero()[0])
            probing.probe(position, level=QUICK[1], size=1.0)
            return self._with_worst(index, row)
        judged, direction = self._failed[index]
        if is_searched:
            self._search(probing, judged, direction[index])
        for position, is_random in probing.suspects(N_PROBES if is_searched else 2, self.seed + index):
            probing.probe(position, level=judged.level, size=size, is_random=is_random)
        return self._with_worst(index, row)

    def _search(self, probing: Probing, judged: Judgement, direction: Tensor) -> None:
        """Bisect, and again along another direction where the entry found turns out to be right: kinks may have led astray."""
        for _ in range(N_SEARCHES):
            if judged.agreement == "differs" and probing.probe(probing.bisect(direction, judged), level=judged.level, size=0.0).is_wrong:
                return
            direction = self._signs(direction) * direction.abs()
            judged = self._judged({probing.index: direction})

    def _entry_size(self, index: int) -> float:
        return float(self.gradient[index].double().pow(2).mean().sqrt())

    def _with_worst(self, index: int, row: ParameterRow) -> ParameterRow:
        probes = list(self.probings[index].probes.values())
        n_wrong = sum(probe.is_wrong for probe in probes)
        if not probes or (row.is_fault and not n_wrong):  # a right entry must not be shown as the one at fault
            return replace(row, n_probed=len(probes))
        worst = max(probes, key=lambda probe: (probe.is_wrong, math.inf if math.isnan(probe.difference) else abs(probe.difference)))
        place = tuple(int(part) for part in torch.unravel_index(torch.tensor(worst.position), row.shape)) if row.shape else ()
        return replace(row, worst_index=place, worst_analytic=worst.analytic, worst_numeric=worst.numeric, n_probed=len(probes), n_wrong=n_wrong)

    def in_order_of_arrival(self, rows: list[ParameterRow]) -> list[ParameterRow]:
        """Return rows in the order in which the backward pass reached them; those it never reached last, nearest to the output first."""
        place = {self.bench.names[index]: order for order, index in enumerate(self._arrival)}
        last = len(place)
        return sorted(rows, key=lambda row: place.get(row.name, last + len(self.bench.names) - self.bench.names.index(row.name)))
