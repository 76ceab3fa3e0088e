"""Tangent vectors along an orbit: how much each step stretches them. The one loop that every exponent comes from."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..maps import AbstractMap
from ..maps.toys._base import AbstractToyMap
from ..records.estimate import Outcome
from .source import random_directions

Floats = NDArray[np.float64]
Progress = Callable[[int], None]

ALIGNMENT = 30  # power iterations with the first step's Jacobian before counting begins
CHUNK = 50_000  # Jacobians held at once
SAMPLES = 8


@dataclass(frozen=True, slots=True)
class Growth:
    """What tangent vectors did along an orbit.

    Attributes:
        local: Logarithm of each direction's stretching in each step that counts, shape ``(steps, k)``.
        outcome: How it ended.
        stopped_at: Step at which it could not go on, counted from the orbit's start.
        state: The last finite state.
        log_determinant: Mean of the logarithm of the absolute determinant over the steps that count, where it came for free; else ``None``.
        samples: A few of the states that count, with their position among the steps that count.
    """

    local: Floats
    outcome: Outcome
    stopped_at: int | None
    state: Tensor
    log_determinant: float | None
    samples: tuple[tuple[int, Tensor], ...]


def tangent_growth(m: AbstractMap, k: int, *, steps: int, transient: int, seed: int, progress: Progress | None = None, keeps_partial: bool = False) -> Growth:
    """Return how ``k`` orthonormal directions are stretched, step by step, along the orbit from the map's current state; the map itself stays where it is.

    The directions are made orthonormal again after each step (QR). They begin at random and, where the transient is too short to turn them, are first
    aligned by repeating the first step's Jacobian. With ``keeps_partial`` a KeyboardInterrupt ends the orbit where at least one step counts.
    """
    if isinstance(m, AbstractToyMap):
        return _toy_growth(m, k, steps, transient, seed)
    followed = _Followed(np.empty((steps, k)), m.current_state())
    try:
        _follow(m, followed, random_directions(m, k, seed), transient, progress)
    except KeyboardInterrupt:
        if not keeps_partial or not followed.taken:
            raise
        followed.outcome, followed.stopped_at = Outcome.INTERRUPTED, transient + followed.taken
    return Growth(followed.local[: followed.taken], followed.outcome, followed.stopped_at, followed.state, None, tuple(followed.samples[:SAMPLES]))


@dataclass(slots=True)
class _Followed:
    """An orbit while it is followed: whatever is here counts, also when the work is interrupted."""

    local: Floats
    state: Tensor
    samples: list[tuple[int, Tensor]] = field(default_factory=list)
    taken: int = 0
    outcome: Outcome = Outcome.COMPLETE
    stopped_at: int | None = None


def _follow(m: AbstractMap, followed: _Followed, vectors: Tensor, transient: int, progress: Progress | None) -> None:
    state, steps = followed.state, len(followed.local)
    if transient < ALIGNMENT:
        vectors = _aligned(m, vectors, state, m.time)
    for number in range(-transient, steps):
        if number >= 0 and number % max(1, steps // SAMPLES) == 0:
            followed.samples.append((number, state))
        new, carried = m.advance_tangents(state, vectors, m.time + transient + number)
        if not bool(torch.isfinite(new).all()):
            followed.outcome, followed.stopped_at = Outcome.NON_FINITE, transient + number
            return
        if not bool(torch.isfinite(carried).all()):
            followed.outcome, followed.stopped_at = Outcome.OVERFLOW, transient + number
            return
        followed.state = state = new
        vectors, stretch = orthonormal(carried)
        if number >= 0:
            followed.local[number] = stretch
            followed.taken = number + 1
        if progress is not None:
            progress(transient + number + 1)


def orthonormal(vectors: Tensor) -> tuple[Tensor, Floats]:
    """Return ``vectors``, shape ``(n, k)``, made orthonormal from left to right, and the logarithms of what was left of each."""
    if vectors.shape[1] == 1:
        largest = vectors.abs().max()
        scaled = vectors / largest if float(largest) > 0.0 else vectors  # the square of a tiny entry underflows
        norm = torch.linalg.vector_norm(scaled)
        if not float(norm) > 0.0:
            fresh = torch.zeros_like(vectors)
            fresh[0] = 1.0
            return fresh, np.array([-np.inf])
        return scaled / norm, np.array([float(torch.log(norm) + torch.log(largest))])
    basis, triangle = torch.linalg.qr(vectors)
    return basis, torch.log(torch.diagonal(triangle).abs()).cpu().double().numpy()


def _aligned(m: AbstractMap, vectors: Tensor, state: Tensor, time: int) -> Tensor:
    for _ in range(ALIGNMENT):
        _, carried = m.advance_tangents(state, vectors, time)
        if not bool(torch.isfinite(carried).all()):
            return vectors
        vectors, _ = orthonormal(carried)
    return vectors


def _toy_growth(m: AbstractToyMap, k: int, steps: int, transient: int, seed: int) -> Growth:
    """Return the same from the analytic Jacobians of a whole orbit."""
    orbit = m.orbit(m.current_state(), transient + steps)
    finite = np.isfinite(orbit).all(axis=1)
    n_good = len(orbit) if finite.all() else int(np.argmin(finite))
    outcome = Outcome.COMPLETE if n_good == len(orbit) else Outcome.NON_FINITE
    usable = max(n_good - 1, 0)  # steps that lead from a finite state to a finite one
    basis = random_directions(m, k, seed).numpy()
    if transient < ALIGNMENT and m.dimension > 1:
        first = m.jacobians(orbit[:1])[0]
        basis = _stretched(np.repeat(first[None], ALIGNMENT, axis=0), basis)[0]
    local = np.empty((usable, k))
    determinants = np.empty(usable)
    for begin in range(0, usable, CHUNK):
        chunk = slice(begin, min(begin + CHUNK, usable))
        matrices = m.jacobians(orbit[chunk])
        basis, local[chunk] = _stretched(matrices, basis)
        determinants[chunk] = np.linalg.slogdet(matrices)[1] if m.dimension > 1 else local[chunk, 0]
    counted = determinants[transient:]
    samples = tuple((number, torch.from_numpy(orbit[transient + number].copy())) for number in range(0, max(usable - transient, 0), max(1, steps // SAMPLES)))
    mean = float(counted.mean()) if len(counted) else None
    stopped_at = None if outcome is Outcome.COMPLETE else usable
    return Growth(local[transient:], outcome, stopped_at, torch.from_numpy(orbit[max(n_good - 1, 0)].copy()), mean, samples[:SAMPLES])


def _stretched(matrices: Floats, basis: Floats) -> tuple[Floats, Floats]:
    """Return ``basis`` carried through ``matrices`` one after another and made orthonormal each time, and the logarithms of its stretching."""
    with np.errstate(divide="ignore"):
        if matrices.shape[1] == 1:
            return basis, np.log(np.abs(matrices[:, 0, :]))
        stretch = np.empty((len(matrices), basis.shape[1]))
        if basis.shape[1] == 1:
            vector = basis[:, 0]
            for number, matrix in enumerate(matrices):
                vector = matrix @ vector
                length = float(np.sqrt(vector @ vector))
                vector = vector / length if length > 0.0 else np.eye(len(vector))[0]
                stretch[number, 0] = length
            return vector[:, None], np.log(stretch)
        for number, matrix in enumerate(matrices):
            basis, triangle = np.linalg.qr(matrix @ basis)
            stretch[number] = triangle.diagonal()
        return basis, np.log(np.abs(stretch))
