r"""Without activations the weights have a closed form: linear least squares, and the limit of gradient descent that equals it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError
from ..records import Sentence
from ..reports.numerals import short

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearDescent:
    r"""Gradient descent from zero on a linear least-squares problem, beside its theory.

    Attributes:
        learning_rate: :math:`\eta`.
        distances: :math:`\lVert \theta_k - \theta^* \rVert` after each step, shape ``(steps + 1,)``.
        predicted: The same from the eigenvalues: :math:`\theta_k - \theta^* = -\sum_i (1 - \eta \lambda_i)^k \langle v_i, \theta^* \rangle v_i`.
        losses: The loss, shape ``(steps + 1,)``.
        weights: Where it ended, shape ``(n_in, n_out)``.
        bias: Where it ended, shape ``(n_out,)``.
        rate: Factor by which the distance shrank in the last step; NaN where it is at rounding already.
        predicted_rate: :math:`\max_i |1 - \eta \lambda_i|` over the eigenvalues above 0 along which descent moves at all.
    """

    learning_rate: float
    distances: Array
    predicted: Array
    losses: Array
    weights: Array
    bias: Array
    rate: float
    predicted_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearSolution:
    r"""The closed form of linear least squares.

    Attributes:
        weights: :math:`W`, shape ``(n_in, n_out)``.
        bias: :math:`b`, shape ``(n_out,)``, zeros without one.
        loss: :math:`C` there.
        gradient_norm: :math:`\lVert \nabla C \rVert` there: 0 up to rounding.
        rank: Rank of the inputs, the constant input of the bias included.
        is_unique: Whether there is one solution only; else this is the one of smallest norm, bias included.
        eigenvalues: Of the Hessian :math:`\tfrac{2}{N} A^\top A + 2 \lambda D`, falling; the same for each output.
        sentence: What was found.
    """

    weights: Array
    bias: Array
    loss: float
    gradient_norm: float
    rank: int
    is_unique: bool
    eigenvalues: Array
    sentence: Sentence
    _problem: "_Problem"

    @property
    def condition(self) -> float:
        """Largest over smallest positive eigenvalue: about how many steps descent takes to come nearer by a factor e."""
        positive = self._problem.positive(self.eigenvalues)
        return float(positive[0] / positive[-1]) if len(positive) else math.nan

    def descend(self, steps: int = 1000, *, learning_rate: float | None = None) -> LinearDescent:
        r"""Run gradient descent from zero, and hold it against this solution and against its own theory.

        Args:
            steps: Number of steps.
            learning_rate: :math:`\eta`; default :math:`2 / (\lambda_{\max} + \lambda_{\min})`, the fastest. Above :math:`2/\lambda_{\max}` it diverges.
        """
        if steps < 1:
            raise UsageError(f"steps should be 1 or more, and is {steps}.")
        problem, target = self._problem, self._problem.joined(self.weights, self.bias)
        values, vectors = np.linalg.eigh(problem.hessian)
        positive = problem.positive(values)
        if learning_rate is None:
            learning_rate = float(2 / (positive.max() + positive.min())) if len(positive) else 1.0
        theta = np.zeros_like(target)
        distances, losses = [float(np.linalg.norm(theta - target))], [problem.loss(theta)]
        for _ in range(steps):
            theta = theta - learning_rate * problem.gradient(theta)
            distances.append(float(np.linalg.norm(theta - target)))
            losses.append(problem.loss(theta))
        shares = vectors.T @ target
        factors = np.where(values > problem.threshold(values), 1 - learning_rate * values, 0.0)  # descent never leaves the span of the inputs
        predicted = [float(np.linalg.norm(shares)), *(float(np.linalg.norm((factors**k)[:, None] * shares)) for k in range(1, steps + 1))]
        moving = (values > problem.threshold(values)) & (np.linalg.norm(shares, axis=1) > 1e-12 * max(predicted[0], 1e-300))
        weights, bias = problem.split(theta)
        is_clear = distances[-1] > 1e-10 * max(1.0, distances[0])
        return LinearDescent(
            learning_rate=learning_rate, distances=np.array(distances), predicted=np.array(predicted), losses=np.array(losses), weights=weights, bias=bias,
            rate=float(distances[-1] / distances[-2]) if is_clear else math.nan,
            predicted_rate=float(np.max(np.abs(factors[moving]))) if moving.any() else 0.0,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return the solution as plain data."""
        return {
            "weights": self.weights.tolist(),
            "bias": self.bias.tolist(),
            "loss": self.loss,
            "gradient_norm": self.gradient_norm,
            "rank": self.rank,
            "is_unique": self.is_unique,
            "eigenvalues": self.eigenvalues.tolist(),
            "sentence": {"en": self.sentence.en, "ja": self.sentence.ja},
        }


@dataclass(frozen=True, slots=True)
class _Problem:
    r"""mean over examples of ‖A θ - Y‖² plus ridge · ‖weights‖², where A holds the inputs and, for the bias, a column of ones."""

    A: Array
    Y: Array
    ridge: float
    has_bias: bool

    @property
    def _penalised(self) -> Array:
        return np.array([1.0] * (self.A.shape[1] - self.has_bias) + [0.0] * self.has_bias)

    @property
    def hessian(self) -> Array:
        hessian: Array = 2 / len(self.A) * self.A.T @ self.A + 2 * self.ridge * np.diag(self._penalised)
        return hessian

    def loss(self, theta: Array) -> float:
        return float(np.sum((self.A @ theta - self.Y) ** 2) / len(self.A) + self.ridge * np.sum(self._penalised[:, None] * theta**2))

    def gradient(self, theta: Array) -> Array:
        return np.asarray(2 / len(self.A) * self.A.T @ (self.A @ theta - self.Y) + 2 * self.ridge * self._penalised[:, None] * theta)

    def solve(self) -> tuple[Array, int]:
        """Return the solution of smallest norm by a singular value decomposition, and the rank."""
        rows = np.vstack([self.A / math.sqrt(len(self.A)), math.sqrt(self.ridge) * np.diag(self._penalised)]) if self.ridge else self.A
        right = np.vstack([self.Y / math.sqrt(len(self.A)), np.zeros((self.A.shape[1], self.Y.shape[1]))]) if self.ridge else self.Y
        theta, _, rank, _ = np.linalg.lstsq(rows, right, rcond=None)
        return np.asarray(theta, dtype=np.float64), int(rank)

    def threshold(self, values: Array) -> float:
        return float(np.max(np.abs(values), initial=0.0) * len(values) * np.finfo(float).eps * max(1.0, len(self.A) / len(values)))

    def positive(self, values: Array) -> Array:
        return values[values > self.threshold(values)]

    def joined(self, weights: Array, bias: Array) -> Array:
        return np.vstack([weights, bias]) if self.has_bias else weights

    def split(self, theta: Array) -> tuple[Array, Array]:
        return (theta[:-1], theta[-1]) if self.has_bias else (theta, np.zeros(theta.shape[1]))


def closed_form(X: ArrayLike, Y: ArrayLike, *, bias: bool = True, ridge: float = 0.0) -> LinearSolution:
    r"""Return the weights of a linear layer that minimise the squared error, in one stroke.

    :math:`C(W, b) = \tfrac{1}{N} \lVert X W + b - Y \rVert^2 + \lambda \lVert W \rVert^2` is quadratic, so :math:`\nabla C = 0` is a linear
    equation. Where it has many solutions, the one of smallest norm is returned: it is the one that gradient descent from zero ends in, since descent never
    leaves the span of the inputs.

    Args:
        X: Inputs, shape ``(examples, n_in)``.
        Y: Targets, shape ``(examples, n_out)`` or ``(examples,)``.
        bias: Whether there is a bias; it is not penalised.
        ridge: :math:`\lambda`, at least 0.

    Raises:
        UsageError: Shapes do not fit, or numbers are not finite.

    Limits:
        Descent from elsewhere than zero ends in another solution where there are many.

    References:
        Hastie, Tibshirani and Friedman 2009, section 3.2; Goh 2017, "Why momentum really works", for the rate.

    Example:
        >>> found = closed_form([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
        >>> float(found.weights[0, 0].round(12)), float(found.bias[0].round(12))
        (2.0, 1.0)
        >>> bool(found.descend(500).distances[-1] < 1e-9)
        True
    """
    inputs, targets = np.asarray(X, dtype=float), np.asarray(Y, dtype=float)
    targets = targets[:, None] if targets.ndim == 1 else targets
    if inputs.ndim != 2 or targets.ndim != 2 or len(inputs) != len(targets) or not len(inputs):
        raise UsageError(f"X and Y should have the shapes (examples, n_in) and (examples, n_out), and have {np.shape(X)} and {np.shape(Y)}.")
    if not np.isfinite(inputs).all() or not np.isfinite(targets).all() or not ridge >= 0:
        raise UsageError("X and Y should hold finite numbers, and ridge should be at least 0.")
    problem = _Problem(np.hstack([inputs, np.ones((len(inputs), 1))]) if bias else inputs, targets, float(ridge), bias)
    theta, rank = problem.solve()
    weights, shift = problem.split(theta)
    is_unique = rank == problem.A.shape[1]
    loss, slope = problem.loss(theta), float(np.linalg.norm(problem.gradient(theta)))
    eigenvalues = np.asarray(np.linalg.eigvalsh(problem.hessian)[::-1], dtype=np.float64)
    if is_unique:
        how_en, how_ja = "One solution", "解は一意"
    else:
        how_en, how_ja = (
            f"Many solutions (rank {rank} of {problem.A.shape[1]}), this is the one of smallest norm",
            f"解は無数にあり（階数 {rank} / {problem.A.shape[1]}）、これは最小ノルム解",
        )
    sentence = Sentence(f"{how_en}: loss {short(loss)}, gradient {short(slope)}.", f"{how_ja}です。損失 {short(loss)}、勾配 {short(slope)}。")
    return LinearSolution(
        weights=weights, bias=shift, loss=loss, gradient_norm=slope, rank=rank, is_unique=is_unique, eigenvalues=eigenvalues, sentence=sentence,
        _problem=problem,
    )  # fmt: skip
