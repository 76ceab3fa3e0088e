"""What an estimator may be given, and what must be true of it before a number is measured."""

import os

import torch

from ..errors import UsageError
from ..maps import AbstractMap, Training, TrainingMap


def as_map(given: AbstractMap | Training) -> AbstractMap:
    """Return ``given`` as a map: a map as it is, a `Training` as its `TrainingMap`.

    Raises:
        UsageError: It is neither.
    """
    if isinstance(given, AbstractMap):
        return given
    if isinstance(given, Training):
        return TrainingMap(given)
    raise UsageError(f"An estimator needs a map or a kazami.Training, but it was given a {type(given).__name__}.")


def must_be_deterministic(m: AbstractMap) -> None:
    """Refuse a map whose step is not the same twice.

    Raises:
        UsageError: The same step from the same state gave two answers.
    """
    if not m.is_deterministic():
        raise UsageError(
            "A Lyapunov exponent needs a deterministic map, but the same step taken twice from the same state gave two different states. Something in the "
            "step draws random numbers of its own, or keeps a state that the map does not see (a generator, a counter, a second optimizer). Seed it from the "
            "step's number, or make it part of the model."
        )


def must_fit(m: AbstractMap, k: int, method: str, cheaper: str) -> None:
    """Refuse what would not fit into memory, with the estimate and what to do instead.

    Args:
        m: The map.
        k: Number of tangent vectors; three copies of them are needed at once, and the batched backward pass holds about as much again.
        method: What was asked for.
        cheaper: What to ask for instead.

    Raises:
        UsageError: The vectors would take more than half of the machine's memory.
    """
    needed, there = 6 * 8 * m.dimension * k, _memory()
    if needed > there / 2:
        raise UsageError(
            f"{method} with k={k} in a phase space of {m.dimension} dimensions needs about {needed / 2**30:.1f} GiB, "
            f"and this machine has {there / 2**30:.1f} GiB. {cheaper}"
        )


def must_be_count(name: str, value: int, least: int) -> None:
    """Refuse a count that is too small.

    Raises:
        UsageError: It is below ``least``.
    """
    if value < least:
        raise UsageError(f"{name} should be at least {least}, but it is {value}.")


def random_directions(m: AbstractMap, k: int, seed: int) -> torch.Tensor:
    """Return ``k`` orthonormal random directions, shape ``(dimension, k)``, in the dtype and on the device of the map's state."""
    like = m.current_state()
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(m.dimension, k, generator=generator, dtype=torch.float64)
    basis: torch.Tensor = torch.linalg.qr(drawn)[0].to(dtype=like.dtype, device=like.device)
    return basis


def random_nudge(m: AbstractMap, seed: int) -> torch.Tensor:
    """Return one random unit direction of the parameters alone, shape ``(dimension, 1)``: a tiny difference between two trainings, whose memories are equal.

    A direction that also moves Adam's second moments, of the size of squared gradients, is stretched by many orders of magnitude in one step and says nothing.
    """
    direction = random_directions(m, 1, seed) * m.coordinates("parameters").to(m.current_state())[:, None]
    nudge: torch.Tensor = direction / torch.linalg.vector_norm(direction)
    return nudge


def _memory() -> float:
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * float(os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):  # not every system tells
        return 8.0 * 2**30
