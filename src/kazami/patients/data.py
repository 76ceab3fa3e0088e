"""The data the patients train on: small real sets from scikit-learn and generated ones, each the same at every call."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

Scale = Literal["standard", "unit", "raw"]
Batches = Callable[[], Iterator[tuple[Any, Any]]]


@dataclass(frozen=True, slots=True)
class Data:
    """A data set, already split; every tensor is shared and must not be changed in place.

    Attributes:
        x: Training inputs, samples first; float32, or int64 where they are tokens.
        y: Training targets: int64 classes of shape ``(n,)`` (``(n, time)`` for one class per token), or float32 of shape ``(n, 1)``.
        x_test: Held-out inputs.
        y_test: Held-out targets.
    """

    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor

    def with_inputs(self, change: Callable[[Tensor], Tensor]) -> "Data":
        """Return a copy whose inputs, training and held-out, went through ``change``."""
        return Data(change(self.x), self.y, change(self.x_test), self.y_test)

    def with_targets(self, change: Callable[[Tensor], Tensor]) -> "Data":
        """Return a copy whose targets, training and held-out, went through ``change``."""
        return Data(self.x, change(self.y), self.x_test, change(self.y_test))


# ---------------------------------------------------------------- from tensors to batches and scores


def minibatches(x: Tensor, y: Tensor | None, size: int | None = None, *, seed: int = 0, epochs: int = 1) -> Batches:
    """Return a factory of shuffled mini-batches, the same ones at every call.

    Args:
        x: Inputs, samples first.
        y: Targets, or ``None``.
        size: Batch size; ``None`` is the full batch, unshuffled. The last, smaller batch of an epoch is dropped.
        seed: Seeds the shuffling.
        epochs: Passes over the data, each in its own order, before the iterable ends (a `Training` then starts it again).
    """

    def make() -> Iterator[tuple[Any, Any]]:
        if size is None:
            yield x, y
            return
        generator = np.random.default_rng(seed)
        for _ in range(epochs):
            order = torch.from_numpy(generator.permutation(len(x)))
            for first in range(0, len(x) - size + 1, size):
                chosen = order[first : first + size]
                yield x[chosen], None if y is None else y[chosen]

    return make


def predictions(model: nn.Module, x: Any) -> Tensor:
    """Return the outputs of ``model`` in eval mode, without gradients; its mode is put back afterwards."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        output = model(x)
    model.train(was_training)
    assert isinstance(output, Tensor)
    return output


def accuracy(x: Tensor, y: Tensor) -> Callable[[nn.Module], float]:
    """Return ``evaluate``: the share of right classes (per token where there is one class per token); 0 where an output is not finite.

    One output per sample, of shape ``(n,)`` or ``(n, 1)``, counts as the logit of class 1; else dimension 1 holds the classes, as in ``F.cross_entropy``.
    """

    def evaluate(model: nn.Module) -> float:
        output = predictions(model, x)
        if not bool(torch.isfinite(output).all()):
            return 0.0
        one_logit = output.numel() == y.numel()
        chosen = (output.reshape(y.shape) > 0).long() if one_logit else output.argmax(1)
        return float((chosen == y.long()).float().mean())

    return evaluate


def r2(x: Tensor, y: Tensor) -> Callable[[nn.Module], float]:
    """Return ``evaluate``: the explained share of the variance, 1 - residual / total; minus infinity where an output is not finite."""

    def evaluate(model: nn.Module) -> float:
        output = predictions(model, x).reshape(y.shape)
        if not bool(torch.isfinite(output).all()):
            return float("-inf")
        return 1.0 - float((output - y).double().square().sum() / (y - y.mean(0)).double().square().sum())

    return evaluate


# ---------------------------------------------------------------- real data


@cache
def digits(*, scale: Scale = "standard") -> Data:
    """1797 handwritten digits, ten classes, 64 pixels each: standardised per pixel, in 0..1 (``unit``), or as bytes 0..255 (``raw``)."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    pixels = x / 16.0
    return _classes(pixels * 255.0 if scale == "raw" else pixels, y, standard=scale == "standard")


@cache
def digit_images(*, scale: Scale = "standard") -> Data:
    """The digits as images of shape ``(n, 1, 8, 8)``; ``standard`` uses one mean and deviation for all pixels, as is usual for images."""
    flat = digits(scale="unit" if scale == "standard" else scale)
    mean, deviation = flat.x.mean(), flat.x.std()

    def image(x: Tensor) -> Tensor:
        return ((x - mean) / deviation if scale == "standard" else x).reshape(-1, 1, 8, 8)

    return flat.with_inputs(image)


@cache
def digit_rows() -> Data:
    """The digits as sequences of eight rows, shape ``(n, 8, 8)``."""
    return digit_images().with_inputs(lambda x: x.squeeze(1))


@cache
def digit_pixels() -> Data:
    """The digits as sequences of 64 pixels, shape ``(n, 64, 1)``: a long way from the first pixel to the answer."""
    return digit_images().with_inputs(lambda x: x.reshape(-1, 64, 1))


@cache
def breast_cancer(*, scale: Scale = "standard") -> Data:
    """569 samples, 30 features whose raw scales differ by five decades, two classes."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return _classes(x, y, standard=scale == "standard")


@cache
def iris(*, scale: Scale = "standard") -> Data:
    """150 samples, 4 features (raw: centimetres, benign), three classes."""
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    return _classes(x, y, standard=scale == "standard")


@cache
def wine(*, scale: Scale = "standard") -> Data:
    """178 samples, 13 features (raw: one of them in the hundreds), three classes."""
    from sklearn.datasets import load_wine

    x, y = load_wine(return_X_y=True)
    return _classes(x, y, standard=scale == "standard")


@cache
def diabetes(*, scale: Scale = "standard", targets: Scale = "standard") -> Data:
    """442 samples, 10 features; the target (raw: 25..346) is noisy: a linear model explains about half of its variance."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True, scaled=False)
    return _values(x, y, standard_x=scale == "standard", standard_y=targets == "standard")


# ---------------------------------------------------------------- generated: points in the plane and curves


@cache
def spirals(n: int = 600, *, turns: float = 1.25, arms: int = 2, noise: float = 0.03, seed: int = 0) -> Data:
    """Interleaved spirals in the plane: ``arms`` classes that no straight line parts."""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, arms, n)
    radius = np.sqrt(generator.uniform(0.02, 1.0, n))
    angle = 2 * np.pi * (turns * radius + y / arms)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1) + noise * generator.standard_normal((n, 2))
    return _classes(x, y, standard=True)


@cache
def circles(n: int = 500, *, noise: float = 0.08, seed: int = 0) -> Data:
    """A disc's rim inside another: two classes that no straight line parts."""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, n)
    angle = generator.uniform(0, 2 * np.pi, n)
    x = np.stack([np.cos(angle), np.sin(angle)], 1) * np.where(y == 1, 0.5, 1.0)[:, None] + noise * generator.standard_normal((n, 2))
    return _classes(x, y, standard=True)


@cache
def blobs(n: int = 500, *, classes: int = 4, features: int = 6, spread: float = 1.0, seed: int = 0) -> Data:
    """Gaussian clouds of deviation ``spread`` around centres drawn with deviation 2: easy, and linear enough."""
    generator = np.random.default_rng(seed)
    centres = 2.0 * generator.standard_normal((classes, features))
    y = generator.integers(0, classes, n)
    return _classes(centres[y] + spread * generator.standard_normal((n, features)), y, standard=True)


@cache
def sines(n: int = 400, *, periods: float = 2.0, noise: float = 0.0, seed: int = 0) -> Data:
    """One input in -1..1 and the sine of it, ``periods`` periods long, plus Gaussian noise; targets of unit deviation without the noise."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1, 1, (n, 1))
    y = np.sqrt(2.0) * np.sin(np.pi * periods * x[:, 0]) + noise * generator.standard_normal(n)
    return _values(x, y, standard_x=False, standard_y=False)


@cache
def friedman(n: int = 500, *, noise: float = 0.1, seed: int = 0) -> Data:
    """Friedman's curved surface of five out of ten uniform inputs; inputs and target standardised."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(0, 1, (n, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return _values(x, y + noise * y.std() * generator.standard_normal(n), standard_x=True, standard_y=True)


@cache
def plane(n: int = 400, *, features: int = 8, noise: float = 0.1, seed: int = 0) -> Data:
    """A linear target of unit deviation over standard normal features, plus Gaussian noise of deviation ``noise``."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((n, features))
    weight = generator.standard_normal(features)
    y = x @ weight / np.linalg.norm(weight) + noise * generator.standard_normal(n)
    return _values(x, y, standard_x=False, standard_y=False)


# ---------------------------------------------------------------- generated: sequences and tokens


@cache
def first_symbol(n: int = 600, *, length: int = 20, classes: int = 4, seed: int = 0) -> Data:
    """Which symbol came first? One-hot symbols ``(n, length, classes)``; everything after the first is a distraction."""
    generator = np.random.default_rng(seed)
    symbols = generator.integers(0, classes, (n, length))
    return _classes(np.eye(classes)[symbols], symbols[:, 0], standard=False)


@cache
def parity(n: int = 600, *, length: int = 8, seed: int = 0) -> Data:
    """Is the number of ones in a sequence of bits odd? Inputs -1 or 1, shape ``(n, length, 1)``."""
    bits = np.random.default_rng(seed).integers(0, 2, (n, length))
    return _classes(2.0 * bits[:, :, None] - 1.0, bits.sum(1) % 2, standard=False)


@cache
def bit_sums(n: int = 600, *, length: int = 12, seed: int = 0) -> Data:
    """How far does a random walk of +-1 get? Inputs ``(n, length, 1)``, target: the sum over the square root of ``length``, shape ``(n, 1)``."""
    bits = 2.0 * np.random.default_rng(seed).integers(0, 2, (n, length)) - 1.0
    return _values(bits[:, :, None], bits.sum(1) / np.sqrt(length), standard_x=False, standard_y=False)


@cache
def adding(n: int = 600, *, length: int = 20, seed: int = 0) -> Data:
    """The adding problem: the sum of the two marked numbers of a sequence, inputs ``(n, length, 2)``; target centred, of unit deviation."""
    generator = np.random.default_rng(seed)
    numbers = generator.uniform(0, 1, (n, length))
    marks = np.zeros((n, length))
    marks[np.arange(n), generator.integers(0, length // 2, n)] = 1.0
    marks[np.arange(n), generator.integers(length // 2, length, n)] = 1.0
    target = ((numbers * marks).sum(1) - 1.0) / np.sqrt(1.0 / 6.0)  # two uniform numbers: mean 1, variance 1/6
    return _values(np.stack([numbers, marks], 2), target, standard_x=False, standard_y=False)


@cache
def waves(n: int = 400, *, length: int = 24, seed: int = 0) -> Data:
    """Windows of sines of several frequencies ``(n, length, 1)`` and the next value, shape ``(n, 1)``."""
    generator = np.random.default_rng(seed)
    phase, speed = generator.uniform(0, 2 * np.pi, (n, 1)), generator.uniform(0.2, 0.6, (n, 1))
    series = np.sqrt(2.0) * np.sin(phase + speed * np.arange(length + 1))
    return _values(series[:, :-1, None], series[:, -1], standard_x=False, standard_y=False)


@cache
def reversed_tokens(n: int = 800, *, length: int = 6, vocabulary: int = 8, seed: int = 0) -> Data:
    """Tokens ``(n, length)`` and the same tokens backwards: one class per token."""
    tokens = np.random.default_rng(seed).integers(0, vocabulary, (n, length))
    return _classes(tokens, tokens[:, ::-1].copy(), standard=False)


@cache
def commonest_token(n: int = 800, *, length: int = 9, vocabulary: int = 3, seed: int = 0) -> Data:
    """Which token comes most often? Tokens ``(n, length)``, ties go to the smaller token."""
    tokens = np.random.default_rng(seed).integers(0, vocabulary, (n, length))
    counts = (tokens[:, :, None] == np.arange(vocabulary)).sum(1)
    return _classes(tokens, counts.argmax(1), standard=False)


@cache
def next_characters(*, length: int = 8) -> Data:
    """Windows of a text as character numbers ``(n, length)``, 27 characters, and the character that follows."""
    text = (
        "there is a calm where no wind blows and a storm where no sail stands "
        "between the two there is a light breeze and in the light breeze a boat learns to sail "
        "the wind comes from the last layer and it must reach the first layer "
        "a vane on the roof shows where the wind comes from and how strong the wind is "
    ) * 2
    numbers = np.array([0 if letter == " " else ord(letter) - ord("a") + 1 for letter in text])
    windows = np.lib.stride_tricks.sliding_window_view(numbers, length + 1)
    return _classes(windows[:, :-1].copy(), windows[:, -1].copy(), standard=False)


# ---------------------------------------------------------------- from arrays to tensors


def _split(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sample numbers for training and for testing, three to one, drawn once and for all."""
    order = np.random.default_rng(12345).permutation(n)
    return order[n // 4 :], order[: n // 4]


def _standardise(values: np.ndarray, train: np.ndarray) -> np.ndarray:
    mean, deviation = values[train].mean(0), values[train].std(0)
    standardised: np.ndarray = (values - mean) / np.where(deviation > 0, deviation, 1.0)  # a constant feature becomes 0
    return standardised


def _classes(x: np.ndarray, y: np.ndarray, *, standard: bool) -> Data:
    train, test = _split(len(x))
    inputs = torch.from_numpy(_standardise(x, train) if standard else x)
    inputs = inputs.long() if not inputs.is_floating_point() else inputs.float()
    classes = torch.from_numpy(y).long()
    return Data(inputs[train], classes[train], inputs[test], classes[test])


def _values(x: np.ndarray, y: np.ndarray, *, standard_x: bool, standard_y: bool) -> Data:
    train, test = _split(len(x))
    inputs = torch.from_numpy(_standardise(x, train) if standard_x else x).float()
    targets = torch.from_numpy(_standardise(y, train) if standard_y else y).float().unsqueeze(1)
    return Data(inputs[train], targets[train], inputs[test], targets[test])
