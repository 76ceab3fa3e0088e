"""Small tasks to learn. Each function stands for itself, with numpy alone, so that it can be written out into an exported script as it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Pair = tuple[NDArray[np.float64], NDArray[Any]]


def spiral(n: int, noise: float, rng: np.random.Generator) -> Pair:
    """Return two interleaved spirals, one and a half turns each; inputs ``(n, 2)``, labels ``(n,)``."""
    labels = np.arange(n) % 2
    radius = np.sqrt(rng.uniform(0.0025, 1.0, n))
    angle = 3.0 * np.pi * radius + np.pi * labels
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return points + 0.2 * noise * rng.normal(size=(n, 2)), labels


def circles(n: int, noise: float, rng: np.random.Generator) -> Pair:
    """Return a disc in a ring; inputs ``(n, 2)``, labels ``(n,)``."""
    labels = np.arange(n) % 2
    radius = np.where(labels == 0, 0.45 * np.sqrt(rng.uniform(0.0, 1.0, n)), rng.uniform(0.65, 1.0, n))
    angle = rng.uniform(0.0, 2.0 * np.pi, n)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return points + 0.2 * noise * rng.normal(size=(n, 2)), labels


def xor(n: int, noise: float, rng: np.random.Generator) -> Pair:
    """Return four quadrants, opposite ones alike; inputs ``(n, 2)``, labels ``(n,)``."""
    points = rng.uniform(-1.0, 1.0, (n, 2))
    points += 0.05 * np.sign(points)
    labels = (points[:, 0] * points[:, 1] > 0).astype(np.int64)
    return points + 0.2 * noise * rng.normal(size=(n, 2)), labels


def sine(n: int, noise: float, rng: np.random.Generator) -> Pair:
    """Return one and a half periods of a sine; inputs ``(n, 1)``, targets ``(n, 1)``."""
    x = rng.uniform(-1.0, 1.0, (n, 1))
    return x, np.sin(1.5 * np.pi * x) + 0.2 * noise * rng.normal(size=(n, 1))


def parity(n: int, noise: float, rng: np.random.Generator) -> Pair:
    """Return the parity of four bits of -1 and 1; inputs ``(n, 4)``, labels ``(n,)``."""
    bits = rng.integers(0, 2, (n, 4))
    return 2.0 * bits - 1.0 + 0.2 * noise * rng.normal(size=(n, 4)), bits.sum(axis=1) % 2


def digits(n: int, noise: float, rng: np.random.Generator) -> Pair:
    """Return handwritten digits of scikit-learn, 8 by 8 from 0 to 1; inputs ``(n, 64)``, labels ``(n,)``."""
    from sklearn.datasets import load_digits

    inputs, labels = load_digits(return_X_y=True)
    chosen = rng.permutation(len(inputs))[:n]
    return inputs[chosen] / 16.0 + 0.2 * noise * rng.normal(size=(len(chosen), 64)), labels[chosen]


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the playground.

    Attributes:
        make: Makes inputs and targets from a number, a noise and a generator.
        kind: Whether classes or numbers are to be said.
        n_inputs: Width of an input.
        n_outputs: Number of classes, or width of a target.
    """

    make: Callable[[int, float, np.random.Generator], Pair]
    kind: Literal["classes", "numbers"]
    n_inputs: int
    n_outputs: int


TASKS: dict[str, Task] = {
    "spiral": Task(spiral, "classes", 2, 2),
    "circles": Task(circles, "classes", 2, 2),
    "xor": Task(xor, "classes", 2, 2),
    "sine": Task(sine, "numbers", 1, 1),
    "parity": Task(parity, "classes", 4, 2),
    "digits": Task(digits, "classes", 64, 10),
}
