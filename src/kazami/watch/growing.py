"""When and how the growth of tiny differences is followed inside a user's training: in bursts of consecutive steps within a budget, or at every step."""

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

import torch
from torch import Tensor
from torch.optim import Optimizer

from ..curvature.products import CurvatureBlind, HessianProducts
from .extra_backward import runs_once
from .tangent import Clip, StepMismatch, TangentVector, rule_of

if TYPE_CHECKING:
    from .observer import Observer
    from .player import Player

LENGTH = 128  # steps of a burst where the budget allows it,
SHORTEST = 16  # and where it allows little; below that nothing could be said of the growth
ALIGNED = 0.25  # of a burst passes before its steps count: the vector is turning towards the most stretched direction
MEMORIES = 3  # memories of the optimizer's average that must pass as well
GROWTH = 1.3  # from the beginning of one burst to the next, which begins no sooner than the gap is as long as the burst was
PART = 3  # a burst takes at most this part of what is allowed, so that some is left for later ones
BUDGET, FIRST_SECONDS, PACE, SHARE = 0.5, 0.3, 0.02, 0.002  # seconds in all; at once; a second of training; share of the training's time
COST = 3.0  # of a step with its tangent, in plain steps: the guess before one was taken
FAILURES = 3
SHARED = "Growth of tiny differences is not followed: several ranks train together."
SEVERAL = (
    "Growth of tiny differences is not followed: several optimizers move parts of the weights, and a vector through one of them is not that of the training."
)
HOOKS = "Growth of tiny differences is not followed: the script has tensor hooks, or a compiled backward pass, that would run once more."


@dataclass(slots=True)
class _Burst:
    """A stretch of consecutive steps through which one vector is carried."""

    vector: TangentVector
    optimizer: ReferenceType[Optimizer]
    aligning: int
    left: float
    counted: int = 0
    last: int = -1
    gradient: Tensor | None = None  # of the losses of the step in progress, summed over its backward calls
    turned: Tensor | None = None
    seconds: list[float] = field(default_factory=list)


class GrowthReader:
    """Carries one tangent vector through bursts of the user's own steps and records by how much each step stretches it.

    Without ``is_full`` the bursts lie ever further apart and cost 0.2 % of the run's time or half a second in all, whichever is larger; with it one burst goes
    on for as long as steps follow one another. Weights, gradients, the optimizer's memory and the random streams stay as they are.

    Args:
        is_full: Follow every step, whatever it costs.

    Limits:
        One optimizer, of a class whose rule is known; one loss a backward call; clipping by the total norm alone may lie between backward and step. Where
        curvature is blind, so is this. The growth is that of the batches and dropout masks in the order in which this run saw them.
    """

    def __init__(self, *, is_full: bool = False) -> None:
        self.is_full = is_full
        self.spent = 0.0
        self._burst: _Burst | None = None
        self._warm: Tensor | None = None
        self._next = 2
        self._failures = 0
        self._is_possible = True
        self._cost = math.nan  # seconds of a step with its tangent
        self._first: tuple[int, float] | None = None
        self._of_step = 0.0  # seconds spent on the step in progress

    @property
    def is_following(self) -> bool:
        """Whether a vector is under way, so that what happens between backward and step matters."""
        return self._burst is not None

    @property
    def next_step(self) -> float:
        """The first step at which a vector may be sent under way; infinite where none will be."""
        return math.inf if not self._is_possible else 0 if self.is_full else self._next

    def backward_begins(self, losses: tuple[Tensor | None, ...], observer: "Observer") -> None:
        """Multiply the vector with the Hessian of the loss, if one is under way or due."""
        if not self._is_possible or not observer.players:
            return
        if self._burst is None and not self._is_due(observer):
            return
        began = time.perf_counter()
        try:
            self._multiply(losses, observer)
        except (CurvatureBlind, StepMismatch) as reason:
            self._failed(reason, observer)
        self._account(time.perf_counter() - began, observer)

    def step_begins(self, player: "Player", optimizer: Optimizer, observer: "Observer") -> None:
        """Carry the vector through the step, and record its stretch."""
        burst = self._burst
        if burst is None or burst.optimizer() is not optimizer or burst.gradient is None or burst.turned is None:
            return
        began = time.perf_counter()
        try:
            self._carry(burst, player, optimizer, observer)
        except StepMismatch as reason:
            self._failed(reason, observer)
        self._account(time.perf_counter() - began, observer)
        if self._burst is not None:
            burst.seconds.append(self._of_step)
            self._of_step = 0.0
            self._go_on_or_end(burst, observer)

    def forget_step(self) -> None:
        """Drop what was multiplied for a step that was not taken."""
        if self._burst is not None:
            self._burst.gradient = self._burst.turned = None

    # -- pieces

    def _is_due(self, observer: "Observer") -> bool:
        step, now = observer.clock, time.perf_counter()
        if self._first is None:
            self._first = step, now
        if self.is_full:
            return True
        if step < self._next:
            return False
        plain = max(now - self._first[1] - observer.sampling.spent, 0.0) / (step - self._first[0]) if step > self._first[0] else math.nan
        expected = self._cost * PART if math.isfinite(self._cost) else COST * plain
        if not expected * SHORTEST <= self._allowance(observer):
            self._next = max(int(step * GROWTH), step + 1)
            return False
        return True

    def _allowance(self, observer: "Observer") -> float:
        elapsed = time.perf_counter() - observer.began
        return max(min(BUDGET, FIRST_SECONDS + PACE * elapsed), SHARE * elapsed) - self.spent

    def _multiply(self, losses: tuple[Tensor | None, ...], observer: "Observer") -> None:
        loss = losses[0] if len(losses) == 1 else None
        reason = SHARED if observer.sampling.is_shared else SEVERAL if len(observer.players) > 1 else HOOKS if runs_once(observer) else ""
        if reason:
            self._give_up(reason, observer, is_known=reason != SEVERAL)
            return
        if loss is None or loss.numel() != 1 or not loss.is_floating_point() or not math.isfinite(float(loss.detach())):
            self._end()
            return
        burst = self._burst
        if burst is not None and burst.gradient is None and (burst.last not in (-1, observer.clock - 1) or not burst.vector.is_where_expected()):
            moved = burst.last == observer.clock - 1
            self._end()
            if moved:
                raise StepMismatch("weights are changed in other ways than by the optimizer's step")
            burst = None
        burst = burst or self._begin(observer)
        if burst is None:
            return
        products = HessianProducts(loss, burst.vector.parameters)
        gradient = torch.cat([part.reshape(-1) for part in products.gradients])
        turned = products.flat_product(burst.vector.weights)
        burst.gradient = gradient if burst.gradient is None else burst.gradient + gradient
        burst.turned = turned if burst.turned is None else burst.turned + turned

    def _begin(self, observer: "Observer") -> _Burst | None:
        player = observer.players[0]
        optimizer = observer.optimizer_of(player)
        if optimizer is None:
            return None
        rule = rule_of(optimizer)
        if rule is None:
            self._give_up(f"Growth of tiny differences is not followed: the derivative of {type(optimizer).__name__}'s step is not known.", observer)
            return None
        parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
        if not parameters:
            return None
        size, first = sum(p.numel() for p in parameters), parameters[0]
        start = self._warm
        if start is None or start.numel() != size or start.dtype != first.dtype or start.device != first.device:
            generator = torch.Generator(first.device).manual_seed(0)
            start = torch.randn(size, generator=generator, dtype=first.dtype, device=first.device)
        length = math.inf if self.is_full else float(LENGTH)
        self._burst = _Burst(TangentVector(parameters, rule, start), ref(optimizer), _aligning(optimizer, LENGTH), length)
        return self._burst

    def _carry(self, burst: _Burst, player: "Player", optimizer: Optimizer, observer: "Observer") -> None:
        if getattr(optimizer, "grad_scale", None) is not None:
            raise StepMismatch("the optimizer unscales gradients inside its step")
        gradient, turned = burst.gradient, burst.turned
        burst.gradient = burst.turned = None
        if gradient is None or turned is None:
            return
        clips = observer.pending_clips
        clip = Clip(*clips[-1]) if len(clips) == 1 else None
        stretch = burst.vector.advance(optimizer, gradient, turned, [p.grad for p in burst.vector.parameters], clip)
        burst.last = observer.moment
        burst.left -= 1
        if burst.aligning > 0:
            burst.aligning -= 1
            return
        burst.counted += 1
        player.add_number("local_exponent", observer.moment, stretch.exponent)
        player.add_number("tangent_cosine", observer.moment, stretch.cosine)
        player.add_number("burst_length", observer.moment, burst.counted)

    def _go_on_or_end(self, burst: _Burst, observer: "Observer") -> None:
        if self.is_full:
            return
        if len(burst.seconds) == 3:  # the first one warms up
            self._cost = min(burst.seconds)
            affordable = self._allowance(observer) / max(self._cost, 1e-9) / PART
            length = min(LENGTH, int(affordable))
            burst.left = length - 3
            burst.aligning = _aligning(burst.optimizer(), length) - 3
            if length < SHORTEST:
                burst.left = 0
        if burst.left <= 0:
            self._end()
            self._next = max(int((observer.clock - len(burst.seconds)) * GROWTH), observer.clock + len(burst.seconds))

    def _end(self) -> None:
        if self._burst is not None:
            self._warm = self._burst.vector.weights
            self._burst = None

    def _failed(self, reason: CurvatureBlind | StepMismatch, observer: "Observer") -> None:
        self._end()
        self._failures += 1
        self._next = max(int(observer.clock * GROWTH), observer.clock + 1)
        if self._failures >= FAILURES:
            text = str(reason).rstrip(".")
            self._give_up(f"Growth of tiny differences is not followed: {text[:1].lower()}{text[1:]}.", observer, is_known=isinstance(reason, CurvatureBlind))

    def _give_up(self, sentence: str, observer: "Observer", *, is_known: bool = False) -> None:
        """End for good, and say why, unless curvature has the same reason and says it (``is_known``) and nobody asked for more."""
        self._end()
        self._is_possible = False
        if self.is_full or not is_known:
            observer.blind["growth"] = sentence

    def _account(self, seconds: float, observer: "Observer") -> None:
        self.spent += seconds
        self._of_step += seconds
        observer.sampling.spend(-seconds)  # this keeps to a budget of its own


def _aligning(optimizer: Optimizer | None, length: int) -> int:
    """Return how many steps of a burst of ``length`` pass before it counts."""
    groups: list[dict[str, Any]] = optimizer.param_groups if optimizer is not None else []
    memory = max((float(group["betas"][0]) if "betas" in group else float(group.get("momentum", 0.0)) for group in groups), default=0.0)
    wanted = max(length * ALIGNED, MEMORIES / max(1.0 - memory, 1e-3))
    return math.ceil(min(wanted, length / 2))
