"""Orbits in the long run over many values of one parameter: what they show, and how fast neighbours part along them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..engines import Member, ensemble
from ..maps import AbstractMap, TrainingMap
from ..maps.toys._base import AbstractToyMap
from .observables import Observable
from .twins import Twins

Floats = NDArray[np.float64]
Tick = Callable[[int], None]

STRIDE = 50  # steps of a transient between two ticks


@dataclass(frozen=True, slots=True, eq=False)
class LongRun:
    """What was seen.

    Attributes:
        observed: The observable in the last steps, shape ``(values, keep)``; NaN where the orbit left the range of numbers.
        local: What neighbours' distance grew by in each of these steps, logarithm, of the same shape.
        how: How it was run, one sentence.
    """

    observed: Floats
    local: Floats
    how: str


def is_at_its_start(m: TrainingMap) -> bool:
    """Return whether a training's map stands where the training begins: an engine can then run it from its settings alone."""
    return m.time == 0 and bool((m.current_state() == type(m)(m.training, dtype=m.dtype).current_state()).all())


def long_run(m: AbstractMap, parameter: str, values: Floats, transient: int, keep: int, seen: Observable, tick: Tick) -> LongRun:
    """Follow an orbit for each of ``values``; each begins where the map is, and the map stays as it was.

    Args:
        m: The map.
        parameter: Name of one of its parameters.
        values: Which values.
        transient: Steps before the ones kept.
        keep: Steps kept.
        seen: What is kept of them.
        tick: Called with how many steps have been taken in all orbits together since the last call.
    """
    if isinstance(m, AbstractToyMap):
        return _spread(m, parameter, values, transient, keep, seen, tick)
    if isinstance(m, TrainingMap) and is_at_its_start(m):
        return _trained(m, parameter, values, transient, keep, seen, tick)
    return _walked(m, parameter, values, transient, keep, seen, tick)


def _spread(m: AbstractToyMap, parameter: str, values: Floats, transient: int, keep: int, seen: Observable, tick: Tick) -> LongRun:
    many, n = m.spread(parameter, values), len(values)
    states = m.current_state().expand(n, -1).contiguous()
    for number in range(transient):
        states = many.advance_many(states, 0)
        if number % STRIDE == STRIDE - 1:
            tick(STRIDE * n)
    observed, local = np.empty((n, keep)), np.empty((n, keep))
    tangents = _directions(m, n)
    for number in range(keep):
        observed[:, number] = seen.of(states, number).numpy()
        with np.errstate(all="ignore"):
            tangents = np.einsum("nij,nj->ni", many.jacobians(states.numpy()), tangents)
            lengths = np.linalg.norm(tangents, axis=1)
            local[:, number] = np.log(lengths)
            tangents = np.where(lengths[:, None] > 0.0, tangents / lengths[:, None], _directions(m, n))
        states = many.advance_many(states, 0)
    tick(keep * n)
    return _without_lost(observed, local, ~np.isfinite(states.numpy()).all(axis=1), "all values at once.")


def _directions(m: AbstractMap, n: int) -> Floats:
    drawn = np.random.default_rng(0).standard_normal((1, m.dimension)).repeat(n, axis=0)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def _trained(m: TrainingMap, parameter: str, values: Floats, transient: int, keep: int, seen: Observable, tick: Tick) -> LongRun:
    """Return the long run of a training from its first step, all values at once where an engine can."""
    changed, n = _changed(m), len(values)
    members = [Member(settings={**changed, parameter: float(value)}) for value in values]
    alone, how = ensemble(m.training, members, dtype=m.dtype, steps=transient)
    for done in range(0, transient, STRIDE):
        count = min(STRIDE, transient - done)
        alone.advance(count)
        tick(count * n)
    states = alone.states.clone()
    alone.close()
    pairs, _ = ensemble(m.training, [*members, *members], dtype=m.dtype, steps=keep)
    pairs.set_states(torch.cat([states, states]), time=transient)
    twins = Twins(pairs, n, m.n_parameters, seed=m.training.seed)
    observed, local = np.empty((n, keep)), np.empty((n, keep))
    for number in range(keep):
        here = None if seen.is_loss else seen.of(twins.states, transient + number)
        losses, grown = twins.step()
        observed[:, number] = (losses.double() if here is None else here).detach().cpu().numpy()
        local[:, number] = grown.cpu().numpy()
        tick(n)
    lost = ~np.isfinite(twins.states.double().cpu().numpy()).all(axis=1)
    pairs.close()
    return _without_lost(observed, local, lost, how)


def _changed(m: TrainingMap) -> dict[str, float]:
    """Return the settings of the map that its user has changed since it was made."""
    fresh, now = type(m)(m.training, dtype=m.dtype).current_parameters(), m.current_parameters()
    return {name: value for name, value in now.items() if fresh.get(name) != value}


def _walked(m: AbstractMap, parameter: str, values: Sequence[float] | Floats, transient: int, keep: int, seen: Observable, tick: Tick) -> LongRun:
    old, start = m.current_parameters().get(parameter), m.current_state()
    observed, local = np.full((len(values), keep), np.nan), np.full((len(values), keep), np.nan)
    lost = np.zeros(len(values), dtype=bool)
    try:
        for index, value in enumerate(values):
            m.set_parameter(parameter, float(value))
            lost[index] = not _followed(m, start, transient, seen, observed[index], local[index])
            tick(transient + keep)
    finally:
        if old is not None:
            m.set_parameter(parameter, old)
    return _without_lost(observed, local, lost, "one value after another.")


def _followed(m: AbstractMap, state: Tensor, transient: int, seen: Observable, observed: Floats, local: Floats) -> bool:
    """Write one orbit into its rows, and return whether it stayed finite."""
    for number in range(transient):
        state = m.advance(state, m.time + number)
        if not bool(torch.isfinite(state).all()):
            return False
    vector = torch.from_numpy(_directions(m, 1)).T.to(state)
    for number in range(len(observed)):
        time = m.time + transient + number
        observed[number] = float(seen.of(state[None], time)[0])
        state, vector = m.advance_tangents(state, vector, time)
        length = torch.linalg.vector_norm(vector)
        local[number] = float(torch.log(length))
        vector = vector / length if float(length) > 0.0 else torch.from_numpy(_directions(m, 1)).T.to(state)
        if not bool(torch.isfinite(state).all()):
            return False
    return True


def _without_lost(observed: Floats, local: Floats, lost: NDArray[np.bool_], how: str) -> LongRun:
    observed[lost], local[lost] = np.nan, np.nan
    return LongRun(observed, local, how)
