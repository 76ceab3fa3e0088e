"""Two trainings that begin almost alike: the network of Danovski, Soriano and Lacasa on Iris, in NumPy and float64, many pairs at once."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

N_INPUTS, N_HIDDEN, N_CLASSES = 4, 10, 3
N_WEIGHTS = N_HIDDEN * (N_INPUTS + N_CLASSES)  # the perturbed ones; biases begin equal
EPSILON = 1e-8
SATURATED = 0.05 * 0.25  # a slope below 5 % of the sigmoid's greatest, as everywhere in kazami
CONSTANT = 1e-3  # a unit whose output differs by less than this over all flowers says the same to each
LEAST_GROWTH, LEAST_R2 = 0.05, 0.9  # the paper's rule for an exponential stretch
WINDOW_STARTS, WINDOW_LENGTHS = range(0, 101, 5), range(30, 101, 5)


@dataclass(frozen=True, slots=True)
class Twins:
    """Pairs of trainings over their steps.

    Attributes:
        rate: Learning rate.
        distance: Sum of absolute differences over all 83 parameters, shape ``(steps + 1, initialisations)``, the mean over replicas.
        loss: Training loss of the unperturbed one, same shape.
        saturated: Share of (hidden unit, flower) pairs with a slope below 5 % of the greatest, same shape.
        constant: Hidden units that answer every flower alike, same shape.
        spread: The greatest difference that any flower makes to any output, same shape: 0 where the network has become a constant.
        accuracy: Share of right answers on the training flowers after the last step, shape ``(initialisations,)``.
    """

    rate: float
    distance: Floats
    loss: Floats
    saturated: Floats
    constant: Floats
    spread: Floats
    accuracy: Floats


@dataclass(frozen=True, slots=True)
class Growth:
    """A stretch of exponential growth, distance ∝ exp(rate · step).

    Attributes:
        rate: Growth rate per step.
        r2: Coefficient of determination of the straight line in the logarithm.
        start: First step of the window.
        end: Last step of the window.
        level: Distance that the fitted line has at ``start``.
    """

    rate: float
    r2: float
    start: int
    end: int
    level: float

    @property
    def is_kept(self) -> bool:
        """Whether the paper's rule counts it as exponential: R² above 0.9 and a rate above 0.05."""
        return self.r2 > LEAST_R2 and self.rate > LEAST_GROWTH


@cache
def flowers() -> tuple[Floats, NDArray[np.int64]]:
    """Return 120 training flowers, raw features of shape ``(120, 4)``, and their classes."""
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))[:120]  # sorted by class they would be another problem
    return x[order], y[order]


def first_weights(seed: int) -> tuple[Floats, Floats]:
    """Return the first weights, N(0, 1) in both layers: shapes ``(4, 10)`` and ``(10, 3)``; biases are 0."""
    generator = np.random.default_rng(seed)
    return generator.normal(size=(N_INPUTS, N_HIDDEN)), generator.normal(size=(N_HIDDEN, N_CLASSES))


def twins(rate: float, *, seeds: tuple[int, ...] = (0,), steps: int = 300, epsilon: float = EPSILON, replicas: int = 1) -> Twins:
    r"""Train each network beside ``replicas`` copies of it whose weights differ by uniform(−ε, ε): full-batch gradient descent, softmax cross-entropy.

    Args:
        rate: Learning rate.
        seeds: One initialisation each.
        steps: Number of steps.
        epsilon: Largest difference of a weight at the beginning.
        replicas: Copies per initialisation.

    References:
        Danovski, Soriano and Lacasa 2024, arXiv 2404.05782, sections 2 and 3.

    Example:
        >>> pair = twins(0.01, steps=5)
        >>> bool(0.4 < pair.distance[0, 0] / (EPSILON * N_WEIGHTS) < 0.6)  # the mean of |uniform(-1, 1)| is 1/2
        True
    """
    x, y = flowers()
    right = np.eye(N_CLASSES)[y]
    parameters = _beginning(seeds, epsilon, replicas)
    seen: list[list[Floats]] = [[], [], [], [], []]
    with np.errstate(over="ignore", under="ignore"):
        for step in range(steps + 1):
            hidden, logits, probabilities = _forward(x, parameters)
            for series, value in zip(seen, _look(parameters, hidden, logits, probabilities, y, len(seeds)), strict=True):
                series.append(value)
            if step < steps:
                _descend(x, right, parameters, hidden, probabilities, rate)
    accuracy = (_first(logits, len(seeds)).argmax(-1) == y).mean(-1)
    distance, loss, saturated, constant, spread = (np.array(series) for series in seen)
    return Twins(rate, distance, loss, saturated, constant, spread, accuracy)


def _beginning(seeds: tuple[int, ...], epsilon: float, replicas: int) -> list[Floats]:
    """Return weights and biases, ``1 + replicas`` networks an initialisation, the unperturbed one first."""
    one, two = [], []
    for seed in seeds:
        shake = np.random.default_rng([seed, 1])
        first, second = first_weights(seed)
        one += [first] + [first + shake.uniform(-epsilon, epsilon, first.shape) for _ in range(replicas)]
        two += [second] + [second + shake.uniform(-epsilon, epsilon, second.shape) for _ in range(replicas)]
    n = len(one)
    return [np.array(one), np.zeros((n, 1, N_HIDDEN)), np.array(two), np.zeros((n, 1, N_CLASSES))]


def _forward(x: Floats, parameters: list[Floats]) -> tuple[Floats, Floats, Floats]:
    hidden = 1 / (1 + np.exp(-(x @ parameters[0] + parameters[1])))
    logits = hidden @ parameters[2] + parameters[3]
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return hidden, logits, powers / powers.sum(-1, keepdims=True)


def _descend(x: Floats, right: Floats, parameters: list[Floats], hidden: Floats, probabilities: Floats, rate: float) -> None:
    """Take one step of gradient descent in place, by the chain rule written out."""
    delta_out = (probabilities - right) / len(x)
    delta_hidden = (delta_out @ parameters[2].transpose(0, 2, 1)) * hidden * (1 - hidden)
    for parameter, gradient in zip(
        parameters,
        (x.T @ delta_hidden, delta_hidden.sum(1, keepdims=True), hidden.transpose(0, 2, 1) @ delta_out, delta_out.sum(1, keepdims=True)),
        strict=True,
    ):
        parameter -= rate * gradient


def _first(values: Floats, n: int) -> Floats:
    """Return the unperturbed network of each of the ``n`` initialisations."""
    return values.reshape(n, -1, *values.shape[1:])[:, 0]


def _look(parameters: list[Floats], hidden: Floats, logits: Floats, probabilities: Floats, y: NDArray[np.int64], n: int) -> list[Floats]:
    distance = np.zeros(n)
    for parameter in parameters:
        group = parameter.reshape(n, -1, *parameter.shape[1:])
        distance += np.abs(group[:, 1:] - group[:, :1]).sum((2, 3)).mean(1)
    unperturbed, outputs = _first(hidden, n), _first(logits, n)
    picked = _first(probabilities, n)[:, np.arange(len(y)), y]
    return [
        distance,
        -np.log(np.maximum(picked, np.finfo(float).tiny)).mean(-1),
        (unperturbed * (1 - unperturbed) < SATURATED).mean((1, 2)),
        (np.ptp(unperturbed, axis=1) < CONSTANT).sum(-1).astype(float),
        np.ptp(outputs, axis=1).max(-1),
    ]


def growth_of(distance: Floats) -> list[Growth]:
    """Return for each initialisation the window of the paper in which the logarithm of the distance is straightest.

    Windows start at 0, 5 … 100 and are 30, 35 … 100 steps long; the one with the largest R² is kept, whatever its slope.

    Args:
        distance: Shape ``(steps + 1, initialisations)``.

    Limits:
        A straight line always fits best where little happens: ask `Growth.is_kept` before speaking of exponential growth.

    Example:
        >>> growth, = growth_of(1e-8 * np.exp(0.3 * np.arange(201.0))[:, None])
        >>> round(growth.rate, 6), round(growth.r2, 6)
        (0.3, 1.0)
    """
    logs = np.log(np.maximum(distance, np.finfo(float).tiny))
    windows = [(start, start + length) for start in WINDOW_STARTS for length in WINDOW_LENGTHS if start + length < len(logs)]
    slopes, heights, fits = (np.array(values) for values in zip(*(_fit(logs, *window) for window in windows), strict=True))
    best = np.argmax(fits, axis=0)

    def growth(place: int, one: int) -> Growth:
        start, end = windows[one]
        slope = float(slopes[one, place])
        return Growth(slope, float(fits[one, place]), start, end, float(np.exp(slope * start + heights[one, place])))

    return [growth(place, int(one)) for place, one in enumerate(best)]


def _fit(logs: Floats, start: int, end: int) -> tuple[Floats, Floats, Floats]:
    """Return slope, height at step 0 and R² of the least-squares line through each column."""
    steps = np.arange(start, end + 1, dtype=float)[:, None]
    part = logs[start : end + 1]
    middle, mean = steps.mean(), part.mean(0)
    slope = ((steps - middle) * (part - mean)).sum(0) / ((steps - middle) ** 2).sum()
    height = mean - slope * middle
    total = ((part - mean) ** 2).sum(0)
    rest = ((part - slope * steps - height) ** 2).sum(0)
    is_flat = total <= len(part) * (1e-12 * (1 + np.abs(mean))) ** 2  # nothing but rounding: no line fits better than its mean
    return slope, height, np.where(is_flat, 0.0, 1 - rest / np.where(is_flat, 1.0, total))
