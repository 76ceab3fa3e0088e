"""Data for the scoring patients: small real tables and images, synthetic tasks with a known answer, and how a model is judged on them."""

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor, nn

from ...maps.training import Batch

WORST_R2 = -1.0


class Split(NamedTuple):
    """Training and test rows: inputs first, targets second."""

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor


def split(x: Tensor, y: Tensor, *, train: float = 0.75) -> Split:
    """Return the rows in a fixed shuffled order, the first ``train`` of them for training."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(7))
    cut = int(train * len(x))
    return Split(x[order[:cut]], y[order[:cut]], x[order[cut:]], y[order[cut:]])


@cache
def table(name: str) -> Split:
    """Return scikit-learn's ``digits``, ``iris``, ``wine``, ``breast_cancer`` or ``diabetes`` in its own raw units."""
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True, **({"scaled": False} if name == "diabetes" else {}))
    target = torch.tensor(y, dtype=torch.float32 if name == "diabetes" else torch.long)
    return split(torch.tensor(x, dtype=torch.float32), target)


def standardised(data: Split) -> Split:
    """Return ``data`` with every feature shifted and scaled by the training rows' mean and standard deviation."""
    mean, std = data.x.mean(0), data.x.std(0) + 1e-8
    return data._replace(x=(data.x - mean) / std, test_x=(data.test_x - mean) / std)


def scaled_target(data: Split, *, factor: float = 1.0, shift: float = 0.0) -> Split:
    """Return ``data`` with targets ``factor * y + shift``."""
    return data._replace(y=factor * data.y + shift, test_y=factor * data.test_y + shift)


@cache
def digits() -> Split:
    """Return the 8×8 digits as flat vectors of 64 numbers between 0 and 1."""
    data = table("digits")
    return data._replace(x=data.x / 16, test_x=data.test_x / 16)


@cache
def images() -> Split:
    """Return the digits as images of shape ``(1, 8, 8)``, centred."""
    data = digits()
    return data._replace(x=(data.x - 0.3).view(-1, 1, 8, 8) * 2, test_x=(data.test_x - 0.3).view(-1, 1, 8, 8) * 2)


@cache
def rows() -> Split:
    """Return the digits as sequences of eight rows of eight pixels."""
    data = digits()
    return data._replace(x=data.x.view(-1, 8, 8), test_x=data.test_x.view(-1, 8, 8))


@cache
def spirals(turns: float = 1.5, n: int = 800) -> Split:
    """Return two interleaved spirals in the plane, classes 0 and 1."""
    source = torch.Generator().manual_seed(11)
    label = torch.arange(n) % 2
    radius = 0.1 + 0.9 * torch.rand(n, generator=source)
    angle = 2 * math.pi * turns * radius + math.pi * label
    x = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], 1) * 2
    return split(x + 0.03 * torch.randn(n, 2, generator=source), label)


@cache
def rings(n: int = 600) -> Split:
    """Return an inner disc (class 0) and a ring around it (class 1)."""
    source = torch.Generator().manual_seed(12)
    label = torch.arange(n) % 2
    radius = torch.where(label == 0, 0.8 * torch.rand(n, generator=source), 1.2 + 0.8 * torch.rand(n, generator=source))
    angle = 2 * math.pi * torch.rand(n, generator=source)
    return split(torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], 1), label)


@cache
def wave(n: int = 512) -> Split:
    """Return ``y = sin(3x) + 0.3 x`` on [-2, 2]; inputs and targets of shape ``(n, 1)``."""
    source = torch.Generator().manual_seed(13)
    x = 4 * torch.rand(n, 1, generator=source) - 2
    return split(x, torch.sin(3 * x) + 0.3 * x + 0.02 * torch.randn(n, 1, generator=source))


@cache
def friedman(n: int = 800) -> Split:
    """Return Friedman's first regression problem, ten features in [-1, 1], target of shape ``(n,)`` standardised."""
    source = torch.Generator().manual_seed(14)
    x = torch.rand(n, 10, generator=source)
    y = 10 * torch.sin(math.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return split(2 * x - 1, (y - y.mean()) / y.std())


@cache
def plane(n: int = 400, features: int = 8) -> Split:
    """Return a linear regression with a little noise; target of shape ``(n, 1)``."""
    source = torch.Generator().manual_seed(15)
    x = torch.randn(n, features, generator=source)
    weight = torch.linspace(-1, 1.5, features).view(-1, 1)
    return split(x, x @ weight + 0.4 + 0.1 * torch.randn(n, 1, generator=source))


@cache
def recall(length: int, n: int = 600) -> Split:
    """Return sequences of noise whose first step carries the class, one of four; inputs ``(n, length, 5)``."""
    source = torch.Generator().manual_seed(16)
    y = torch.randint(4, (n,), generator=source)
    x = torch.zeros(n, length, 5)
    x[:, :, 4] = 0.5 * torch.randn(n, length, generator=source)
    x[torch.arange(n), 0, y] = 1.0
    return split(x, y)


@cache
def running_sum(length: int = 12, n: int = 600) -> Split:
    """Return sequences of numbers with their scaled sum as target; inputs ``(n, length, 1)``, target ``(n, 1)``."""
    source = torch.Generator().manual_seed(17)
    x = torch.randn(n, length, 1, generator=source)
    return split(x, x.sum(1) / math.sqrt(length))


@cache
def tokens(length: int = 10, n: int = 800, vocabulary: int = 12) -> Split:
    """Return token sequences whose class (of three) says which of the tokens 1, 2 and 3 occurs most often."""
    source = torch.Generator().manual_seed(18)
    y = torch.arange(n) % 3
    x = torch.randint(4, vocabulary, (n, length), generator=source)
    for row in range(n):
        places = torch.randperm(length, generator=source)
        x[row, places[:3]] = y[row] + 1
        x[row, places[3]] = (y[row] + 1) % 3 + 1
    return split(x, y)


def minibatches(x: Any, y: Any, size: int, *, epochs: int = 40) -> Callable[[], Iterator[Batch]]:
    """Return a function that yields ``epochs`` freshly shuffled passes in batches of ``size``, the same each time it is called."""

    def make() -> Iterator[Batch]:
        source = np.random.default_rng(5)
        for _ in range(epochs):
            order = torch.from_numpy(source.permutation(len(y)))
            for start in range(0, len(y) - size + 1, size):
                rows_now = order[start : start + size]
                yield x[rows_now], y[rows_now]

    return make


def full_batch(x: Any, y: Any) -> Callable[[], list[Batch]]:
    """Return a function that gives all rows as one batch."""
    return lambda: [(x, y)]


def answer(model: nn.Module, x: Any) -> Tensor:
    """Return the model's output in eval mode, the first of several, and put the model back into train mode."""
    model.eval()
    with torch.no_grad():
        out = model(x)
    model.train()
    first: Tensor = out[0] if isinstance(out, tuple) else out
    return first


def accuracy(data: Split) -> Callable[[nn.Module], float]:
    """Return a judge: the share of test rows whose largest output is the target class."""
    return lambda model: float((answer(model, data.test_x).argmax(-1) == data.test_y).float().mean())


def sign_accuracy(data: Split, *, threshold: float = 0.0) -> Callable[[nn.Module], float]:
    """Return a judge for binary and multi-label outputs: the share of outputs on the right side of ``threshold``."""
    return lambda model: float(((answer(model, data.test_x).view(data.test_y.shape) > threshold) == (data.test_y > 0.5)).float().mean())


def explained(truth: Tensor, found: Tensor) -> float:
    """Return R², never below -1, and -1 for an output that is not finite."""
    r2 = 1 - ((truth - found.reshape(truth.shape)) ** 2).mean() / truth.var(correction=0)
    return max(WORST_R2, float(r2)) if math.isfinite(float(r2)) else WORST_R2


def r_squared(data: Split) -> Callable[[nn.Module], float]:
    """Return a judge: R² on the test rows, never below -1."""
    return lambda model: explained(data.test_y, answer(model, data.test_x))
