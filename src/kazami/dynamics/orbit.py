"""An orbit as it is needed to name its regime: how it moved in a few directions, its losses, and what each step did to a tiny difference."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..maps import AbstractMap, TrainingMap
from ..maps.toys._base import AbstractToyMap
from .growth import Progress, orthonormal, tangent_growth
from .source import random_nudge

Floats = NDArray[np.float64]
Visit = Callable[[int, Tensor, Tensor], None]  # step, state before, state after

DIRECTIONS = 16  # an orbit returns in all of so many random directions only if it returns in the phase space
ENTRIES = 20_000_000  # of the random directions together


@dataclass(frozen=True, slots=True)
class Orbit:
    """What was seen along an orbit.

    Attributes:
        shadows: The state's coordinates, or where they are more than 16 its components along random directions, shape ``(taken + 1, k)``.
        losses: The loss at each state on the batch of its step, shape ``(taken + 1,)``; ``None`` for a map that has none.
        local: Logarithm of the stretching of the leading tangent vector in each step, shape ``(taken,)`` or shorter where the tangent overflowed.
        sizes: Largest absolute coordinate of the state, shape ``(taken + 1,)``.
        taken: Steps from a finite state to a finite one.
        stopped_at: The step whose result was not finite, else ``None``.
        end: The last finite state.
        begin: The map's time at the first state.
    """

    shadows: Floats
    losses: Floats | None
    local: Floats
    sizes: Floats
    taken: int
    stopped_at: int | None
    end: Tensor
    begin: int


def walked(m: AbstractMap, steps: int, *, looks: Sequence[int] = (), visit: Visit | None = None, seed: int = 0, progress: Progress | None = None) -> Orbit:
    """Return the orbit of ``steps`` steps from the map's current state; the map stays where it is.

    Args:
        m: The map.
        steps: How many steps.
        looks: Steps at which ``visit`` is called.
        visit: Is given the step and the states before and after it.
        seed: Of the random directions and the first tangent vector.
        progress: Called with the number of steps taken.
    """
    if isinstance(m, AbstractToyMap):
        return _toy_orbit(m, steps, seed)
    shadow = shadow_of(m, seed)
    state, vectors = m.current_state(), random_nudge(m, seed)
    rows, losses, local, sizes = [shadow(state)], [_loss(m, state, m.time)], np.empty(steps), [float(state.abs().max())]
    wanted, stopped_at, is_tangent = set(looks), None, True
    counted = 0
    for number in range(steps):
        time = m.time + number
        new, carried = m.advance_tangents(state, vectors, time) if is_tangent else (m.advance(state, time), vectors)
        if not bool(torch.isfinite(new).all()):
            stopped_at = number
            break
        is_tangent = is_tangent and bool(torch.isfinite(carried).all())
        if is_tangent:
            vectors, stretch = orthonormal(carried)
            local[number], counted = stretch[0], number + 1
        if visit is not None and number in wanted:
            visit(number, state, new)
        state = new
        rows.append(shadow(state))
        losses.append(_loss(m, state, time + 1))
        sizes.append(float(state.abs().max()))
        if progress is not None:
            progress(number + 1)
    has_losses = losses[0] is not None
    return Orbit(
        np.stack(rows), np.array(losses, dtype=float) if has_losses else None, local[:counted], np.array(sizes), len(rows) - 1, stopped_at, state, m.time
    )  # fmt: skip


def _loss(m: AbstractMap, state: Tensor, time: int) -> float | None:
    return m.loss(state, time) if isinstance(m, TrainingMap) and not m.is_replayed else None


def shadow_of(m: AbstractMap, seed: int) -> Callable[[Tensor], Floats]:
    """Return what makes a state's shadow: its coordinates, or where they are more than 16 its components along random directions; also of rows of states."""
    if m.dimension <= DIRECTIONS:
        return lambda state: state.detach().cpu().double().numpy().copy()
    count = max(4, min(DIRECTIONS, ENTRIES // m.dimension))
    generator = torch.Generator().manual_seed(seed + 1)
    like = m.current_state()
    directions = torch.randn(count, m.dimension, generator=generator, dtype=torch.float64).to(like) / m.dimension**0.5
    return lambda state: (state @ directions.T).detach().cpu().double().numpy()


def _toy_orbit(m: AbstractToyMap, steps: int, seed: int) -> Orbit:
    rows = m.orbit(m.current_state(), steps)
    finite = np.isfinite(rows).all(axis=1)
    taken = (len(rows) if finite.all() else int(np.argmin(finite))) - 1
    rows = rows[: taken + 1]
    with np.errstate(all="ignore"):  # on its way to infinity
        growth = tangent_growth(m, 1, steps=max(taken, 1), transient=0, seed=seed)
    stopped_at = None if taken == steps else taken
    return Orbit(rows, None, growth.local[:, 0], np.abs(rows).max(axis=1), taken, stopped_at, torch.from_numpy(rows[-1].copy()), m.time)
