r"""One tangent vector carried through a user's own optimizer steps: the derivative of the step that was really taken, on the batch that was really seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from ..maps.optimizers._base import AbstractOptimizerRule
from ..registry import plugins

CLIP_GUARD = 1e-6  # torch's own, in clip_grad_norm_
NEAR = 1e-4  # relative difference up to which two gradients, or two norms, count as the same: float32 sums in another order


class Stretch(NamedTuple):
    """What one step did to the vector.

    Attributes:
        exponent: Logarithm of the factor by which it was stretched; minus infinity where it vanished.
        cosine: Between its weights before and after: below zero the step turned the difference over, as a step beyond the stability limit does.
    """

    exponent: float
    cosine: float


@dataclass(frozen=True, slots=True)
class Clip:
    """What gradient clipping by the norm has done.

    Attributes:
        norm: The total norm before.
        limit: The largest allowed.
    """

    norm: float
    limit: float


class StepMismatch(RuntimeError):
    """The step that was taken is not the one whose derivative is known; the message is the reason."""


def rule_of(optimizer: Optimizer) -> AbstractOptimizerRule | None:
    """Return the update rule of exactly this class of optimizer, ``None`` where it is not known."""
    rules = {rule.optimizer: rule() for rule in plugins("kazami.maps.optimizers", AbstractOptimizerRule)}
    return rules.get(type(optimizer))


class TangentVector:
    r"""A direction in the phase space of a training (weights and the optimizer's memory), of length one after each step.

    With the Hessian :math:`H_t` of the batch in hand and the optimizer's rule :math:`(\theta, g, s) \mapsto (\theta', s')`,

    .. math:: (v', u') = D\,\mathrm{rule}\,(\theta, g, s)\,[\,v,\; C_t H_t v,\; u\,]

    where :math:`C_t` is the derivative of clipping; for plain gradient descent :math:`v' = (I - \eta H_t) v`. Nothing of the training is written.

    Args:
        parameters: What the optimizer moves, in a fixed order; all of one dtype, on one device.
        rule: The optimizer's.
        start: The first weights' part, flat; the memory's part begins at zero: weights differ, memories do not yet.

    Example:
        >>> weights = torch.nn.Parameter(torch.tensor([1.0, 1.0], dtype=torch.float64))
        >>> optimizer = torch.optim.SGD([weights], lr=0.5)
        >>> vector = TangentVector([weights], rule_of(optimizer), torch.tensor([0.0, 1.0], dtype=torch.float64))
        >>> curved = torch.tensor([1.0, 6.0], dtype=torch.float64)  # the Hessian of (w1² + 6 w2²) / 2
        >>> found = vector.advance(optimizer, curved * weights.detach(), curved * vector.weights, [curved * weights.detach()], None)
        >>> round(math.exp(found.exponent), 12), found.cosine
        (2.0, -1.0)
    """

    def __init__(self, parameters: Sequence[Tensor], rule: AbstractOptimizerRule, start: Tensor) -> None:
        """Begin with ``start``, made one long."""
        self.parameters = tuple(parameters)
        self.rule = rule
        self.sizes = [parameter.numel() for parameter in self.parameters]
        self.weights = start / torch.linalg.vector_norm(start)
        self.memory: dict[str, Tensor] = {}
        self.expected: Tensor | None = None

    def is_where_expected(self) -> bool:
        """Return whether the weights are where the last step's rule has put them; always before the first step."""
        if self.expected is None:
            return True
        now = self._now()
        slack = NEAR * float(torch.linalg.vector_norm(self.expected - self._before)) + 64 * torch.finfo(now.dtype).eps * float(torch.linalg.vector_norm(now))
        return float(torch.linalg.vector_norm(now - self.expected)) <= slack

    def advance(self, optimizer: Optimizer, gradient: Tensor, turned: Tensor, arrived: Sequence[Tensor | None], clip: Clip | None) -> Stretch:
        """Carry the vector through the step that the optimizer is about to take.

        Args:
            optimizer: Before its step.
            gradient: The gradient of the loss, flat.
            turned: The Hessian times :attr:`weights`, flat.
            arrived: The gradient of each parameter as the optimizer finds it; ``None`` where there is none.
            clip: What clipping did, if it did.

        Raises:
            StepMismatch: The gradient was changed on its way in a manner that is not known.
        """
        turned = self._through_clipping(gradient, turned, arrived, clip)
        before = self.weights
        weights, memory = before.clone(), {name: part.clone() for name, part in self.memory.items()}
        self._before = self._now()
        expected = self._before.clone()
        for bucket in self._buckets(optimizer, arrived):
            self._carry(bucket, optimizer, arrived, turned, weights, memory, expected)
        self.expected, self.weights, self.memory = expected, weights, memory
        return self._normalise(before)

    def _normalise(self, before: Tensor) -> Stretch:
        parts = [self.weights, *self.memory.values()]
        largest = max(float(part.abs().max()) for part in parts if part.numel())
        if not math.isfinite(largest):
            raise StepMismatch("the tangent vector is no longer finite")
        if largest == 0.0:
            self.weights, self.memory = before, {}
            return Stretch(-math.inf, 0.0)
        norm = largest * math.hypot(*(float(torch.linalg.vector_norm(part / largest)) for part in parts))  # the square of a tiny entry underflows
        scale = float(torch.linalg.vector_norm(self.weights)) * float(torch.linalg.vector_norm(before))
        cosine = float(torch.dot(self.weights, before)) / scale if scale > 0.0 else 0.0
        self.weights = self.weights / norm
        self.memory = {name: part / norm for name, part in self.memory.items()}
        return Stretch(math.log(norm), cosine)

    def _through_clipping(self, gradient: Tensor, turned: Tensor, arrived: Sequence[Tensor | None], clip: Clip | None) -> Tensor:
        """Return the tangent of the gradient as the optimizer finds it, after checking that this gradient is the known one."""
        found = [torch.zeros_like(parameter, requires_grad=False) if part is None else part for parameter, part in zip(self.parameters, arrived, strict=True)]
        flat = _flat(found)
        norm = float(torch.linalg.vector_norm(gradient))
        if float(torch.linalg.vector_norm(flat - gradient)) <= NEAR * norm:
            return turned
        if clip is None or abs(clip.norm - norm) > NEAR * norm or clip.norm <= clip.limit - CLIP_GUARD:
            raise StepMismatch("gradients are changed between backward and step in a way whose derivative is not known")
        scale = clip.limit / (norm + CLIP_GUARD)
        if float(torch.linalg.vector_norm(flat - scale * gradient)) > NEAR * scale * norm:
            raise StepMismatch("gradients are changed between backward and step in a way whose derivative is not known")
        return scale * turned - gradient * (scale / (norm + CLIP_GUARD) * float(torch.dot(gradient, turned)) / norm)

    def _buckets(self, optimizer: Optimizer, arrived: Sequence[Tensor | None]) -> list[tuple[dict[str, Any], int, list[int]]]:
        """Return the parameters that will be stepped, gathered by settings and by number of steps taken: ``(settings, steps taken, places)``."""
        place_of = {id(parameter): place for place, parameter in enumerate(self.parameters)}
        found: dict[tuple[int, int], list[int]] = {}
        for number, group in enumerate(optimizer.param_groups):
            for parameter in group["params"]:
                place = place_of.get(id(parameter))
                if place is not None and arrived[place] is not None:
                    found.setdefault((number, _steps_taken(optimizer, parameter)), []).append(place)
        return [(optimizer.param_groups[number], time, places) for (number, time), places in found.items()]

    def _carry(
        self,
        bucket: tuple[dict[str, Any], int, list[int]],
        optimizer: Optimizer,
        arrived: Sequence[Tensor | None],
        turned: Tensor,
        weights: Tensor,
        memory: dict[str, Tensor],
        expected: Tensor,
    ) -> None:
        """Write the new tangents and the expected weights of one bucket's parameters into ``weights``, ``memory`` and ``expected``."""
        group, time, places = bucket
        sign = -1.0 if group.get("maximize", False) else 1.0
        names = self.rule.slots(group)
        parts = [optimizer.state.get(self.parameters[place], {}) for place in places]
        slots = []
        for name in names:
            begun = self.rule.start(name, group)
            held = [state.get(name) for state in parts]
            likes = [self.parameters[place] for place in places]
            slots.append(_flat([torch.full_like(like, begun, requires_grad=False) if one is None else one for one, like in zip(held, likes, strict=True)]))
        gradient = _flat([part for place in places if (part := arrived[place]) is not None])
        values = (self._take(self._before, places), sign * gradient, *slots)
        carried = (self._take(self.weights, places), sign * self._take(turned, places), *(self._take(self._slot(name), places) for name in names))
        new, moved = self._differentiated(values, carried, group, time)
        self._put(expected, places, new)
        self._put(weights, places, moved[0])
        for name, part in zip(names, moved[1:], strict=True):
            memory.setdefault(name, torch.zeros_like(self.weights))
            self._put(memory[name], places, part)

    def _differentiated(self, values: tuple[Tensor, ...], carried: tuple[Tensor, ...], group: dict[str, Any], time: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the new weights and the tangents of weights and memory."""

        def update(theta: Tensor, gradient: Tensor, *slots: Tensor) -> tuple[Tensor, ...]:
            return self.rule.update(theta, gradient, slots, group, time)

        if self.rule.is_linear:
            return update(*values)[0], update(*carried)
        with torch.enable_grad():
            leaves = [value.detach().clone().requires_grad_() for value in values]
            outputs = update(*leaves)
            rows = [torch.autograd.grad(output, leaves, torch.ones_like(output), retain_graph=True, allow_unused=True) for output in outputs]
        return outputs[0].detach(), tuple(_combined(row, carried) for row in rows)

    def _slot(self, name: str) -> Tensor:
        known = self.memory.get(name)
        return torch.zeros_like(self.weights) if known is None else known

    def _take(self, flat: Tensor, places: list[int]) -> Tensor:
        if len(places) == len(self.sizes) and places == sorted(places):
            return flat
        parts = flat.split(self.sizes)
        return torch.cat([parts[place] for place in places])

    def _put(self, into: Tensor, places: list[int], values: Tensor) -> None:
        parts = into.split(self.sizes)
        for place, part in zip(places, values.split([self.sizes[place] for place in places]), strict=True):
            parts[place].copy_(part)

    def _now(self) -> Tensor:
        return _flat([parameter.detach() for parameter in self.parameters])


def _combined(row: tuple[Tensor | None, ...], carried: tuple[Tensor, ...]) -> Tensor:
    """Return the sum of ``carried`` times the diagonals in ``row``: no entry of a rule looks at another."""
    parts = [vector * diagonal for diagonal, vector in zip(row, carried, strict=True) if diagonal is not None]
    return sum(parts[1:], start=parts[0])


def _flat(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat([part.detach().reshape(-1) for part in parts])


def _steps_taken(optimizer: Optimizer, parameter: Tensor) -> int:
    """Return how many steps the optimizer has taken with ``parameter``: exactly where torch counts, else 0 or 1 for none or some."""
    state = optimizer.state.get(parameter, {})
    if "step" in state:
        return int(state["step"])
    return int(any(isinstance(value, Tensor) for value in state.values()))
