"""What a stacked step of a job costs: whether it can be taken at all, in which time, in which memory, and how many members at once are best."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import UsageError
from ..maps import TrainingMap
from ..maps._frozen import generator_states
from ..maps._updates import Move
from ._base import Job, Member, named, write_named
from ._columns import Columns
from ._machine import available_memory
from ._runners import same_outside_torch, ungrudging
from ._step import StackedStep, starts
from ._work import Work, counted

TRACED = 0.5  # of the cost of calling a step with vmap remains when its operations are carried out from a list (measured: 0.4 to 0.55)
WORTH = 0.05  # a larger chunk should be better by this share, or it is only larger


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """Two members of a job before their first step, and the means to take it."""

    m: TrainingMap
    step: StackedStep
    states: Tensor
    kept: list[Tensor]
    moves: list[Move]
    n_tangents: int

    def once(self, count: int) -> Any:
        """Take the first step with ``count`` members, the two over and over."""
        times = -(-count // 2)
        states = self.states.repeat(times, 1)[:count]
        kept = [value.repeat(times, *([1] * (value.dim() - 1)))[:count] for value in self.kept]
        vectors = states.new_ones(*states.shape, self.n_tangents) if self.n_tangents else None
        with within(self.m, 0), torch.no_grad(), ungrudging():
            return self.step(states, kept, self.moves, self.m.field.batches.at(0), vectors)


def map_for(job: Job) -> TrainingMap:
    """Return the map of the job's training, made once; it has the memory that the members' settings need."""
    if "map" not in job.known:
        made = TrainingMap(job.training, dtype=job.dtype)
        for name, value in job.members[0].settings.items():
            if all(name in member.settings for member in job.members):  # each member brings its own value
                made.set_parameter(name, value)
        job.known["map"] = made
    found: TrainingMap = job.known["map"]
    return found


def within(m: TrainingMap, time: int) -> AbstractContextManager[Any]:
    """Return the context in which step number ``time`` is computed: its random numbers, and attention that can be differentiated."""
    is_plain = not m.field.randomness.is_needed and not m.field.needs_plain_attention
    return nullcontext() if is_plain else _within(m, time)


@contextmanager
def _within(m: TrainingMap, time: int) -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(m.field.randomness.at(time))
        stack.enter_context(m.field.attention())
        yield


def _trial(job: Job) -> _Trial:
    if "trial" not in job.known:
        m, pair = map_for(job), [Member(job.members[0].seed), Member(job.members[-1].seed)]
        begun, columns = starts(m, pair), Columns(m, pair)
        states = torch.cat([begun.parameters, columns.memory(m, begun.in_state.shape[1]), begun.in_state], dim=1)
        n_tangents = 0 if m.layout.buffers else job.n_tangents
        job.known["trial"] = _Trial(m, StackedStep(m, tuple(begun.kept)), states, list(begun.kept.values()), columns.at(0), n_tangents)
    found: _Trial = job.known["trial"]
    return found


def work_of(job: Job) -> Work:
    """Return what one step of one member costs in a stack, its tangents included; counted once on two members."""
    if "work" not in job.known:
        trial = _trial(job)
        found = counted(lambda: trial.once(2))
        job.known["work"] = Work(found.calls, found.fma // 2, found.transcendental // 2, found.bytes // 2, found.peak // 2)
    work: Work = job.known["work"]
    return work


def chunk_size(job: Job) -> int:
    """Return how many members are best advanced at once: few enough for the cache, enough that calls do not cost more than arithmetic.

    Found by taking a step with more and more members until one of them does not get cheaper. The results do not depend on it.
    """
    return _sized(job)[0]


def seconds_per_step(job: Job) -> float:
    """Return how long one step of all members takes in chunks of that size."""
    size, each = _sized(job)
    return each * size * -(-len(job.members) // size)


def seconds_alone(job: Job) -> float:
    """Return how long one step of one member takes in the plain loop, measured on the training's own step."""
    if "alone" not in job.known:
        m, times = map_for(job), []
        buffers = {name: buffer.detach().clone() for name, buffer in m.model.named_buffers()}
        m.write_memory(m.current_state(), 0)
        for _ in range(4):  # the first makes the optimizer's memory
            begin = time.thread_time()
            with within(m, 0), torch.enable_grad():
                job.training.step(m.model, m.optimizer, m.field.batches.at(0))
            times.append(time.thread_time() - begin)
        write_named(m.model, buffers)
        job.known["alone"] = min(times)
    found: float = job.known["alone"]
    return found * (1.0 + 3.0 * job.n_tangents)  # a tangent: its gradient, its product with the Hessian, and the step's own


def fastest_here(job: Job) -> float:
    """Return how long the job takes in this process, one way or the other."""
    alone = seconds_alone(job) * len(job.members) * job.steps
    return alone if why_not(job) is not None else min(alone, seconds_per_step(job) * job.steps)


def _sized(job: Job) -> tuple[int, float]:
    if "sized" not in job.known:
        trial, count, work = _trial(job), len(job.members), work_of(job)
        free = available_memory() or 2**40
        trial.once(2)
        idle = _seconds(trial, 2)
        best, cost, worse = min(2, count), idle / 2, 0
        for size in (min(8 * 4**power, count) for power in range(count.bit_length())):
            if worse > 1 or size == best or size * work.peak > free // 2:
                break
            taken = _seconds(trial, size)
            each = max(taken - (1.0 - TRACED) * idle, TRACED * taken) / size
            is_better = each < cost * (1.0 - WORTH)
            worse = 0 if is_better else worse + 1
            best, cost = (size, each) if is_better else (best, cost)
        chunks = -(-count // best)
        job.known["sized"] = -(-count // chunks), cost
    found: tuple[int, float] = job.known["sized"]
    return found


def _seconds(trial: _Trial, count: int) -> float:
    times = []
    for _ in range(5):
        begin = time.thread_time()  # of this thread alone: what others do to the machine is not counted
        trial.once(count)
        times.append(time.thread_time() - begin)
        if times[0] > 0.2:
            break
    return min(times)


def must_fit(job: Job) -> None:
    """Say before it happens that memory would not suffice.

    Raises:
        UsageError: It would not; with the numbers, and what would fit.
    """
    available, needed = available_memory(), memory_needed(job, len(job.members))
    if available is None or needed <= available:
        return
    each = memory_needed(job, 2) - memory_needed(job, 1)
    fits = max(int((available - memory_needed(job, 1)) / max(each, 1)), 0)
    advice = f"Run at most {fits} members at a time" if fits else "Not even one member fits; make the model or the batch smaller"
    cheaper = ", carry fewer tangents" if job.n_tangents else ""
    cheaper += ", or ask for float32" if job.dtype == torch.float64 else ""
    text = f"{len(job.members)} members should fit into memory, but they would need about {needed / 1e9:.1f} GB and {available / 1e9:.1f} GB are free."
    raise UsageError(f"{text} {advice}{cheaper}.")


def memory_needed(job: Job, count: int) -> int:
    """Return roughly how many bytes ``count`` members take: states and tangents before and after a step, and what the smallest chunk holds in the middle."""
    trial, work = _trial(job), work_of(job)
    kept = sum(value.numel() * value.element_size() // 2 for value in trial.kept)
    state = trial.states.shape[1] * trial.states.element_size() * (1 + job.n_tangents)
    return 2 * count * (state + kept) + min(2, count) * work.peak


def why_not(job: Job) -> str | None:
    """Return why the members of a job cannot be stacked, ``None`` if they can; found out once, by one step of two members against the map's."""
    if "why_not" not in job.known:
        job.known["why_not"] = _why_not(job)
    found: str | None = job.known["why_not"]
    return found


def _why_not(job: Job) -> str | None:
    m = map_for(job)
    if m.is_replayed:
        return "the training has a step of its own, which only a loop can take."
    if any(name not in named(m.model) for name in m.layout.names):
        return "the optimizer moves a parameter that is not the model's."
    if not Columns(m, job.members).has_one_memory:
        return "the members' optimizers do not keep the same memory."
    trial = _trial(job)
    begun = [named(m.model)[name].detach().clone() for name in trial.step.keeps]
    try:
        inputs, target = m.field.batches.at(0)
        with within(m, 0), torch.no_grad():
            before = generator_states()
            m.training.loss(m.model(inputs), target)
            if not same_outside_torch(before, generator_states()):
                return "random numbers are drawn outside PyTorch, and may decide what is computed."
        states = trial.states.clone()
        kept = [torch.stack([value, value]) for value in begun]
        with within(m, 0), torch.no_grad(), ungrudging():
            _, new, _, _ = trial.step(states, kept, trial.moves, m.field.batches.at(0))
    except Exception as reason:  # what a user's module does may fail in any way under vmap
        said = str(reason).strip().splitlines() or [type(reason).__name__]
        return f"a step of this training cannot be stacked ({said[0][:160].rstrip('.')})."
    alone = torch.stack([m.advance(state, 0) for state in states])
    tolerance = torch.finfo(job.dtype).eps ** 0.6
    is_right = torch.allclose(new, alone, rtol=tolerance, atol=tolerance, equal_nan=True)
    return None if is_right else "a stacked step of this training gives another result."
