"""Covariant Lyapunov vectors: the directions that belong to each exponent, not only the volumes."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..maps import AbstractMap, Training
from .growth import orthonormal
from .source import as_map, must_be_count, must_be_deterministic, must_fit, random_directions

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CovariantVectors:
    r"""Covariant Lyapunov vectors along an orbit.

    Attributes:
        vectors: Shape ``(steps, dimension, k)``, unit columns, the one with the largest exponent first: the step carries each into its own successor.
        local: Logarithm of the stretching of each vector in each step, shape ``(steps, k)``.
        value: Means of ``local``, shape ``(k,)``: the exponents again.
        states: The states they belong to, shape ``(steps, dimension)``.
    """

    vectors: Floats
    local: Floats
    value: Floats
    states: Floats

    def angles(self, first: int = 0, second: int = 1) -> Floats:
        """Return the angle between two of the vectors at each step, in radians between 0 and π/2; near 0 the attractor is close to a tangency."""
        cosine = np.abs(np.einsum("tn,tn->t", self.vectors[:, :, first], self.vectors[:, :, second]))
        return np.asarray(np.arccos(np.clip(cosine, 0.0, 1.0)))


def covariant_vectors(m: AbstractMap | Training, k: int | None = None, *, steps: int = 1000, transient: int = 500, seed: int = 0) -> CovariantVectors:
    r"""Return covariant Lyapunov vectors by Ginelli's method.

    Forward, :math:`J_t Q_t = Q_{t+1} R_{t+1}`; backward from random upper triangles, :math:`C_t \propto R_{t+1}^{-1} C_{t+1}`; the vectors are
    :math:`Q_t C_t`. The same number of steps as ``transient`` is taken, and thrown away, at either end.

    Args:
        m: A map, or a `Training`.
        k: How many vectors; all of them if not given.
        steps: Number of steps at which they are wanted.
        transient: Steps for the forward and for the backward vectors to converge.
        seed: Of the first directions.

    Raises:
        UsageError: Not deterministic, or too large for memory: all :math:`Q_t` and :math:`R_t` are kept.

    Limits:
        For small maps. Exponents that are equal have no vectors of their own, only a common subspace. Where the orbit leaves the range of floats, ValueError.

    References:
        Ginelli et al. 2007; Kuptsov and Parlitz 2012.

    Example:
        >>> from kazami.maps import Linear
        >>> found = covariant_vectors(Linear(p1=0.5, p2=0.25, shear=1.0), steps=20, transient=60)
        >>> bool(np.allclose(np.abs(found.vectors[:, :, 1]), np.array([4.0, 1.0]) / 17**0.5))  # the second eigenvector of the matrix
        True
    """
    given = as_map(m)
    count = given.dimension if k is None else k
    must_be_count("steps", steps, 1)
    must_fit(given, count * (steps + transient) // 6 + 1, "covariant_vectors", "Ask for fewer steps or vectors, or for lyapunov_spectrum, which keeps none.")
    must_be_deterministic(given)
    bases, triangles, states = _forward(given, count, steps, transient, seed)
    inner = _backward(triangles, count, seed)[:steps]
    vectors = np.einsum("tnk,tkj->tnj", bases[:steps], inner)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    carried = np.einsum("tkl,tlj->tkj", triangles[:steps], inner / np.linalg.norm(inner, axis=1, keepdims=True))
    local = np.log(np.linalg.norm(carried, axis=1))
    return CovariantVectors(vectors, local, local.mean(axis=0), states[:steps])


def _forward(m: AbstractMap, k: int, steps: int, transient: int, seed: int) -> tuple[Floats, Floats, Floats]:
    state, vectors = m.current_state(), random_directions(m, k, seed)
    bases, triangles, states = [], [], []
    for number in range(-transient, steps + transient):
        new, carried = m.advance_tangents(state, vectors, m.time + transient + number)
        if not bool(torch.isfinite(carried).all()):
            raise ValueError(f"Covariant vectors need a bounded orbit, but at step {transient + number} it was no longer finite.")
        following, _ = orthonormal(carried) if k > 1 else (carried / torch.linalg.vector_norm(carried), None)
        if number >= 0:
            bases.append(vectors.numpy())
            triangles.append((following.T @ carried).numpy())
            states.append(state.numpy())
        state, vectors = new, following
    return np.stack(bases), np.triu(np.stack(triangles)), np.stack(states)


def _backward(triangles: Floats, k: int, seed: int) -> Floats:
    inner = np.triu(np.random.default_rng(seed).normal(size=(k, k)))
    inner[np.diag_indices(k)] = 1.0
    found = np.empty((len(triangles), k, k))
    for number in range(len(triangles) - 1, -1, -1):
        inner = np.linalg.solve(triangles[number], inner)
        inner /= np.linalg.norm(inner, axis=0, keepdims=True)
        found[number] = inner
    return found
